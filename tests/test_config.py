from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import BaseModel

from training.config import PRESETS, RunConfig, preset
from training.errors import ConfigError, RunFolderError


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_survives_a_round_trip(name, tmp_path):
    config = preset(name)
    path = tmp_path / "config.json"
    path.write_text(config.model_dump_json())
    assert RunConfig.load(path) == config


def test_an_unknown_preset_is_refused_with_the_known_ones_named():
    with pytest.raises(ConfigError, match="default, demo"):
        preset("nope")


def test_a_toml_file_changes_only_what_it_names(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[training]\nsteps = 7\n")
    config = RunConfig.load(path)
    assert config.training.steps == 7
    assert config.network == RunConfig().network


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"training": {"steps": 0}}, "training.steps"),
        ({"network": {"image_size": 100}}, "network.image_size"),
        ({"metod": {}}, "metod"),
        ({"device": "toaster"}, "device"),
    ],
)
def test_a_wrong_setting_is_named(content, named):
    with pytest.raises(ConfigError, match=named):
        RunConfig.parse(content)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match="ema_end"):
        RunConfig.parse({"method": {"ema_start": 0.99, "ema_end": 0.9}})
    with pytest.raises(ConfigError, match="lv_match"):
        method = {"name": "lvit-epi", "lv_match": "text"}
        RunConfig.parse({"network": {"name": "u-net"}, "method": method})
    with pytest.raises(ConfigError, match="text_weights"):
        RunConfig.parse({"network": {"text_encoder": "hf"}})


def test_a_damaged_or_missing_file_gives_a_sentence(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        RunConfig.load(path)
    with pytest.raises(RunFolderError, match="There is no"):
        RunConfig.load(tmp_path / "none.toml")


def _leaves(model: type[BaseModel]):
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind)
        else:
            yield name, info


def test_every_setting_has_words_and_every_number_has_bounds_and_a_step_for_forms():
    for name, info in _leaves(RunConfig):
        assert info.description, name
        if info.annotation in (int, float):
            kinds = {type(each).__name__ for each in info.metadata}
            assert {"Ge", "Le"} <= kinds, name
            assert info.json_schema_extra["step"] > 0, name


def test_the_light_floor_loads_no_torch():
    modules = "training.config, training.rundir, training.events, training.metrics"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"image_size": 64}, "there is no setting image_size, but one named network.image_size"),
        ({"training": {"stepz": 3}}, "setting training.stepz, but one named training.steps"),
        ({"netwrok": {}}, "there is no setting netwrok, but one named network"),
        ({"preset": "demo"}, "there is no setting preset."),
        ({"method": {"naem": 1}}, "there is no setting method.naem, but one named method.name"),
        (
            {"method": {"lambda_zones": 1}, "network": {"zone_reading": False}},
            "mine.toml: lambda_zones",
        ),
    ],
)
def test_an_unknown_setting_is_answered_with_the_one_that_may_be_meant(content, told):
    with pytest.raises(ConfigError) as refused:
        RunConfig.parse(content, "mine.toml")
    assert told in str(refused.value)


def test_all_that_is_wrong_in_a_file_is_said_at_once():
    with pytest.raises(ConfigError) as refused:
        RunConfig.parse({"training": {"burn_in": 2, "learning_rate": "fast", "steps": 0}})
    for name in ("burn_in", "learning_rate", "steps"):
        assert f"training.{name}" in str(refused.value)
