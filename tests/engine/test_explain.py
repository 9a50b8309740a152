from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from little_films import describe, draw_film, tiny_config
from made import small_project
from PIL import Image
from test_service import as_snapshot, promote
from typer.testing import CliRunner

from training.cli import app
from training.config import NetworkConfig
from training.engine.answers import Answers
from training.engine.explain import explain, explained_layers, grad_cam
from training.engine.networks import build, collect_vocabulary
from training.engine.pictures import write_pictures
from training.engine.predict import Predictor
from training.engine.service import answer_all
from training.errors import EngineError

CPU = torch.device("cpu")
NETWORKS = NetworkConfig.model_fields["name"].annotation.__args__
LAYERS = ["DownCNN1", "DownCNN2", "DownCNN3", "DownCNN4", "DownViT1"]


def predictor(name="lvit-t", **changes) -> Predictor:
    torch.manual_seed(0)
    wide = {"widths": [8, 8, 8, 8], "name": name, **changes}
    network = build(tiny_config(network=wide).network, collect_vocabulary([describe("left")]))
    return Predictor(network.eval(), CPU)


def little_film() -> np.ndarray:
    return draw_film(1)[0].astype(np.float32) / 255


def test_lvit_is_explained_at_the_layers_of_the_paper():
    assert list(explained_layers(predictor().network)) == LAYERS


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_explained_by_maps_in_range_at_its_own_size(name):
    told = explain(predictor(name, image_size=64), little_film(), describe("left"))
    assert len(told.layers) >= 4
    for values in told.layers.values():
        assert values.shape == (64, 64)
        assert values.min() >= 0
        assert values.max() in (0.0, pytest.approx(1.0, abs=1e-5))
    assert any(values.any() for values in told.layers.values())


def test_the_differences_are_those_of_predictions_with_other_words():
    seer, film = predictor(), little_film()
    told = explain(seer, film, describe("left"))
    swapped = "Unilateral pulmonary infection, one infected area, lower right lung."
    assert told.mirrored_text == swapped
    said = [seer.probability(film, text) for text in (describe("left"), "", swapped)]
    assert np.allclose(told.difference_wordless, said[0] - said[1], atol=1e-5)
    assert np.allclose(told.difference_mirrored, said[0] - said[2], atol=1e-5)
    assert np.abs(told.difference_mirrored).max() > 0


def test_a_network_without_text_shows_no_difference():
    told = explain(predictor("u-net"), little_film(), describe("left"))
    assert not told.difference_wordless.any()
    assert not told.difference_mirrored.any()


class OneSpot(torch.nn.Module):
    """Logits read the first of two channels; the second is loud but unused."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 2, 1)
        with torch.no_grad():
            self.layer.weight[:, 0, 0, 0] = torch.tensor([1.0, -50.0])
            self.layer.bias.zero_()

    def forward(self, images, descriptions):
        class Said:
            logits = self.layer(images)[:, :1]

        return Said


def test_grad_cam_shows_what_the_logits_read_and_nothing_else():
    network = OneSpot()
    image = torch.full((1, 1, 8, 8), -1.0)
    image[0, 0, 2, 3] = 4.0
    found = grad_cam(network, image, "", {"layer": network.layer})["layer"]
    assert np.argwhere(found > 0).tolist() == [[2, 3]]
    assert found[2, 3] == pytest.approx(1.0)


def test_grad_cam_works_for_frozen_weights_and_leaves_no_hook_and_no_gradient():
    seer = predictor()
    seer.network.requires_grad_(False)
    told = explain(seer, little_film(), describe("left"), ["DownCNN2"])
    assert list(told.layers) == ["DownCNN2"]
    assert told.layers["DownCNN2"].any()
    assert all(not module._forward_hooks for module in seer.network.modules())
    assert all(p.grad is None for p in seer.network.parameters())


def test_an_unknown_layer_is_refused_with_the_known_ones_named():
    with pytest.raises(EngineError, match=r"DownCNN9.*DownCNN1, DownCNN2"):
        explain(predictor(), little_film(), "", ["DownCNN9"])


def test_pictures_and_texts_are_written(tmp_path):
    told = explain(predictor(), little_film(), describe("left"))
    paths = write_pictures(tmp_path / "out", told, {"description": describe("left")})
    assert {path.name for path in paths} == {
        "film.png", "probability.png", "difference_wordless.png", "difference_mirrored.png",
        *(f"cam_{name}.png" for name in LAYERS),
    }  # fmt: skip
    for path in paths:
        with Image.open(path) as picture:
            assert picture.size == (32, 32)
    about = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert about["texts"] == {
        "description": describe("left"),
        "mirrored": "Unilateral pulmonary infection, one infected area, lower right lung.",
    }
    assert about["mean_change_mirrored"] > 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    torch.set_num_threads(1)
    made = small_project(tmp_path_factory.mktemp("explained") / "project")
    assert as_snapshot(made).labeled
    promote(made)
    return made


def test_the_command_writes_pictures_of_a_case(project, tmp_path):
    case = project.cases()[0].id
    asked = ["explain", str(project.folder), case, "--out", str(tmp_path), "--layer", "Stage2"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "cam_Stage2.png").is_file()
    assert not (tmp_path / "cam_Stage1.png").exists()


def test_the_command_says_when_there_is_no_teacher(tmp_path):
    young = small_project(tmp_path / "young")
    asked = ["explain", str(young.folder), young.cases()[0].id, "--out", str(tmp_path)]
    result = CliRunner().invoke(app, asked)
    assert isinstance(result.exception, EngineError)
    assert "No teacher yet" in str(result.exception)


def test_the_service_explains_a_case(project, tmp_path):
    answers = Answers(project, tmp_path, CPU)
    case = project.cases()[0]
    request = {"id": 1, "do": "explain", "case": case.id, "description": case.description}
    (reply,) = answer_all([json.dumps(request)], answers)
    assert reply["ok"], reply
    with np.load(tmp_path / reply["arrays"]) as arrays:
        assert {f"cam_{name}" for name in reply["layers"]} < set(arrays)
        assert arrays["difference_wordless"].shape == arrays["probability"].shape
    (refused,) = answer_all([json.dumps({**request, "layers": ["Nose"]})], answers)
    assert not refused["ok"]
    assert "Nose" in refused["error"]
