"""Forms made of settings: what is shown is what comes back."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from napari_semimedref.forms import form_for, plain, read_form
from training.config import RunConfig, TrainingConfig, preset
from training.errors import ConfigError

PARTS = ("network", "views", "method", "training")


@pytest.fixture(autouse=True)
def _application(qapp):
    return qapp


@pytest.mark.parametrize("name", ["default", "demo"])
@pytest.mark.parametrize("part", PARTS)
def test_every_setting_of_a_preset_survives_its_form(name, part):
    settings = getattr(preset(name), part)
    content = read_form(form_for(settings), settings)
    assert type(settings).model_validate(content) == settings


def test_the_settings_of_the_run_itself_survive_their_form():
    config = preset("default").model_copy(update={"seed": 2**31 - 1, "device": "cuda:1"})
    content = read_form(form_for(config), config)
    assert content == {"seed": 2**31 - 1, "device": "cuda:1", "init_from": None}


def test_small_and_large_numbers_are_neither_rounded_nor_capped():
    settings = TrainingConfig(learning_rate=5e-5, steps=200_000)
    content = read_form(form_for(settings), settings)
    assert content["learning_rate"] == 5e-5
    assert content["steps"] == 200_000


def test_bounds_steps_and_meaning_come_from_the_settings():
    form = form_for(TrainingConfig())
    box = form["burn_in"]
    assert (box.min, box.max, box.step) == (0, 1, 0.05)
    assert "labeled" in box.tooltip
    assert form["precision"].choices == ("32-true", "bf16-mixed", "16-mixed")


def test_a_changed_field_comes_back_changed():
    settings = RunConfig().network
    form = form_for(settings)
    form["widths"].value = "8, 16, 24, 32"
    form["vision_weights"].value = " some/folder "
    form["use_text"].value = False
    content = read_form(form, settings)
    assert content["widths"] == (8, 16, 24, 32)
    assert content["vision_weights"] == "some/folder"
    assert content["use_text"] is False


def test_numbers_that_are_none_are_refused_by_name():
    settings = RunConfig().network
    form = form_for(settings)
    form["widths"].value = "many"
    with pytest.raises(ConfigError, match="Widths"):
        read_form(form, settings)


def test_models_within_models_get_forms_of_their_own():
    class Inner(BaseModel):
        share: float = Field(0.25, ge=0, le=1, json_schema_extra={"step": 0.05})

    class Outer(BaseModel):
        count: int = 3
        inner: Inner = Inner()

    assert plain(Outer()) == ["count"]
    assert len(form_for(Outer())) == 1
