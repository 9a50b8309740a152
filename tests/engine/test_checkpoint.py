from __future__ import annotations

import json

import pytest
import torch
from little_films import describe, tiny_config

from training.engine import checkpoint
from training.engine.networks import build, collect_vocabulary
from training.errors import EngineError

TEXTS = [describe("left"), describe("right")]
IMAGE = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def network(seed=0, texts=TEXTS, known=(), **changes):
    torch.manual_seed(seed)
    config = tiny_config(network=changes).network
    return build(config, collect_vocabulary(texts, known)).eval()


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    checkpoint.write_model(folder, network(0), network(1), "image")
    return folder


def test_a_model_comes_back_from_its_folder_as_it_was(model):
    for role, seed in (("student", 0), ("teacher", 1)):
        again = checkpoint.read_network(model, role)
        assert torch.equal(again(IMAGE, TEXTS).logits, network(seed)(IMAGE, TEXTS).logits)
    card = json.loads((model / "model.json").read_text())
    assert card["laterality"] == "image"
    assert "lung" in card["vocabulary"]
    assert {path.suffix for path in model.iterdir()} == {".json", ".safetensors"}


def test_writing_again_replaces_the_folder_whole(model):
    (model / "stray").touch()
    checkpoint.write_model(model, network(2), network(2), "image")
    assert not (model / "stray").exists()
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_a_write_that_fails_leaves_the_old_model(model, monkeypatch):
    def broken(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", broken)
    with pytest.raises(Exception, match="disk full"):
        checkpoint.write_model(model, network(2), network(2), "image")
    monkeypatch.undo()
    again = checkpoint.read_network(model)
    assert torch.equal(again(IMAGE, TEXTS).logits, network(1)(IMAGE, TEXTS).logits)


def test_a_process_killed_between_the_two_renames_loses_nothing(model):
    model.rename(model.with_name("model.old"))
    assert checkpoint.read_network(model) is not None
    checkpoint.write_model(model, network(2), network(2), "image")
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["model.json", "teacher.safetensors"])
def test_missing_or_damaged_files_give_a_sentence(model, name):
    (model / name).write_bytes(b"\x00nonsense")
    with pytest.raises(EngineError, match="damaged"):
        checkpoint.read_network(model)
    (model / name).unlink()
    with pytest.raises(EngineError, match="missing"):
        checkpoint.read_network(model)


def test_weights_of_another_architecture_are_refused(model):
    card = json.loads((model / "model.json").read_text())
    card["network"]["text_width"] = 48
    (model / "model.json").write_text(json.dumps(card))
    with pytest.raises(EngineError, match="does not fit"):
        checkpoint.read_network(model)
    with pytest.raises(EngineError, match="other network settings"):
        checkpoint.start_from(model, network(text_width=48))


def test_a_warm_start_keeps_what_old_words_mean_and_makes_room_for_new_ones(model):
    known = checkpoint.read_settings(model).vocabulary
    grown = network(5, [*TEXTS, "Cardiomegaly beside it"], known)
    checkpoint.start_from(model, grown)
    assert len(grown.words.vocabulary) == len(known) + 3
    expected = network(1)(IMAGE, TEXTS).logits
    assert torch.allclose(grown(IMAGE, TEXTS).logits, expected, atol=1e-6)
    assert torch.isfinite(grown(IMAGE, ["Cardiomegaly", "beside"]).logits).all()


def test_the_optimizer_and_the_counters_survive(tmp_path):
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    net(IMAGE, TEXTS).logits.mean().backward()
    optimizer.step()
    checkpoint.write_state(tmp_path / "last", (net, net), "image", optimizer, {"step": 4})
    assert checkpoint.has_state(tmp_path / "last")
    fresh = torch.optim.AdamW(network(3).parameters(), lr=0.5)
    assert checkpoint.read_state(tmp_path / "last", fresh) == {"step": 4}
    ours, theirs = optimizer.state_dict(), fresh.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    for number, entries in ours["state"].items():
        for name, value in entries.items():
            assert torch.equal(value, theirs["state"][number][name])
    (tmp_path / "last" / "state.json").write_text("{}")
    with pytest.raises(EngineError, match="damaged"):
        checkpoint.read_state(tmp_path / "last", fresh)
