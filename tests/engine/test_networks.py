from __future__ import annotations

import pytest
import torch
from little_films import describe, tiny_config
from torch import nn
from transformers import ConvNextConfig, ConvNextModel

from training.config import NetworkConfig
from training.engine.networks import build, collect_vocabulary, text
from training.engine.networks.text import UNKNOWN_POSITION, split_words
from training.engine.teacher import Teacher
from training.errors import EngineError

TEXTS = [describe("left"), describe("right")]
VOCABULARY = collect_vocabulary(TEXTS)
LONG = "Bilateral pulmonary infection " + "upper left lung and lower right lung, " * 30


def tiny(**changes) -> NetworkConfig:
    return tiny_config(network=changes).network


def make(**changes):
    torch.manual_seed(0)
    return build(tiny(**changes), VOCABULARY).eval()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (96, 160)])
def test_any_size_that_is_a_multiple_of_32_and_any_text_work(height, width):
    network = make()
    output = network(torch.randn(3, 1, height, width), ["", "one", LONG])
    assert output.logits.shape == (3, 1, height, width)
    assert output.zone_logits.shape == (3, 6)
    assert torch.isfinite(output.logits).all()


def test_padding_does_not_change_what_is_said():
    network = make()
    image = torch.randn(1, 1, 32, 32)
    alone = network(image, TEXTS[:1])
    beside = network(image.expand(2, -1, -1, -1), [TEXTS[0], LONG])
    assert torch.allclose(alone.logits[0], beside.logits[0], atol=1e-5)
    assert torch.allclose(alone.text_vector[0], beside.text_vector[0], atol=1e-5)


def test_other_words_give_another_mask_unless_text_is_switched_off():
    image = torch.randn(1, 1, 32, 32).expand(2, -1, -1, -1)
    words = make()(image, TEXTS).logits
    assert not torch.allclose(words[0], words[1], atol=1e-4)
    deaf = make(use_text=False)(image, TEXTS).logits
    assert torch.allclose(deaf[0], deaf[1], atol=1e-6)


def test_a_film_and_its_mirror_image_are_told_apart_by_their_place():
    network = make()
    image = torch.randn(1, 1, 32, 32)
    straight, mirrored = network(image, TEXTS[:1]), network(image.flip(3), TEXTS[:1])
    assert not torch.allclose(straight.logits, mirrored.logits.flip(3), atol=1e-3)


def test_no_layer_depends_on_the_rest_of_the_batch():
    network = make().train()
    for module in network.modules():
        assert not isinstance(module, nn.modules.batchnorm._BatchNorm)


def test_every_trained_weight_gets_a_gradient():
    network = make().train()
    output = network(torch.randn(2, 1, 64, 64), TEXTS)
    sum(each.square().mean() for each in output).backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None]
    # The words that leave the last bridge are read by nobody.
    assert all(name.startswith(("bridges.3.read",)) for name in missing), missing


def test_words_are_split_as_whole_words_with_the_hidden_position_as_one():
    text = "Bilateral infection, 2 areas, [UNK_POS] and upper-left lung."
    assert split_words(text) == [
        "bilateral", "infection", ",", "2", "areas", ",", UNKNOWN_POSITION, "and", "upper",
        "left", "lung", ".",
    ]  # fmt: skip


def test_a_vocabulary_that_grows_keeps_its_numbers():
    grown = collect_vocabulary(["brand new words"], VOCABULARY)
    assert grown[: len(VOCABULARY)] == VOCABULARY
    assert {"brand", "new", "words"} <= set(grown)


def test_a_frozen_bert_reads_the_words_and_stays_frozen_shared_and_unsaved(bert):
    network = make(text_encoder="hf", text_weights=bert)
    teacher = Teacher(network)
    assert teacher.network.words._hidden[1] is network.words._hidden[1]
    assert not any(name.startswith("words.") for name in network.state_dict())
    image = torch.randn(1, 1, 32, 32).expand(2, -1, -1, -1)
    said = network(image, ["lower left lung", "upper right lung"]).logits
    assert not torch.allclose(said[0], said[1], atol=1e-4)


def test_the_students_dropout_does_not_reach_the_teacher_through_the_shared_bert(bert):
    network = make(text_encoder="hf", text_weights=bert)
    teacher = Teacher(network)
    network.train()
    image, texts = torch.randn(1, 1, 32, 32), ["lower left lung"]
    said = [teacher.network(image, texts).logits for _ in range(2)]
    assert torch.equal(*said)
    assert not torch.equal(network(image, texts).logits, network(image, texts).logits)


def test_the_hidden_position_is_one_real_token_of_the_bert(bert):
    words = make(text_encoder="hf", text_weights=bert).words
    plain = words.token_numbers("lung")
    hidden = words.token_numbers(f"{UNKNOWN_POSITION} lung")
    assert len(hidden) == len(plain) + 1
    assert words.token_numbers("strange") != words.token_numbers(UNKNOWN_POSITION)


def test_a_distinct_description_is_encoded_once(bert, monkeypatch):
    words = make(text_encoder="hf", text_weights=bert).words
    calls = []
    _, model = words._hidden
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda **k: calls.append(1) or forward(**k))
    words(["lower lung", "upper lung", "lower lung"])
    words(["upper lung"])
    assert len(calls) == 2


def test_only_so_many_texts_are_kept_and_those_of_the_batch_always(bert, monkeypatch):
    monkeypatch.setattr(text, "TEXTS_KEPT", 2)
    words = make(text_encoder="hf", text_weights=bert).words
    texts = ["lower lung", "upper lung", "left lung", "right lung"]
    for each in texts:
        words([each])
    words(["left lung"])
    words(["upper lung"])  # pushes out what was not read for longest
    assert list(words._cache) == ["left lung", "upper lung"]
    whole, _ = words.eval()(texts)
    assert words.texts_known == 4
    for number, each in enumerate(texts):
        assert torch.equal(words([each])[0][0], whole[number])


def test_pretrained_convnext_weights_are_taken_from_a_folder(tmp_path):
    config = ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1])
    model = ConvNextModel(config)
    model.save_pretrained(tmp_path)
    network = make(vision_weights=str(tmp_path))
    assert network.vision.widths == (8, 8, 16, 16)
    expected = model.embeddings.patch_embeddings.weight
    assert torch.equal(network.vision.embeddings.patch_embeddings.weight, expected)
    assert network(torch.randn(1, 1, 32, 32), TEXTS[:1]).logits.shape == (1, 1, 32, 32)


def test_missing_weights_give_a_sentence(tmp_path):
    with pytest.raises(EngineError, match="text encoder"):
        make(text_encoder="hf", text_weights=str(tmp_path / "none"))
    with pytest.raises(EngineError, match="vision encoder"):
        make(vision_weights=str(tmp_path / "none"))


def test_the_teacher_averages_as_defined_and_starts_without_a_lag():
    student = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    teacher = Teacher(student)
    with torch.no_grad():
        for value in student.state_dict().values():
            if value.is_floating_point():
                value.fill_(1.0)
        student[1].num_batches_tracked.fill_(7)
        teacher.network[0].weight.fill_(0.0)
        teacher.network[1].running_mean.fill_(0.0)
    assert teacher.follow(student, 0.9) == pytest.approx(0.5)
    assert torch.allclose(teacher.network[0].weight, torch.full((2, 2), 0.5))
    assert torch.allclose(teacher.network[1].running_mean, torch.full((2,), 0.5))
    assert teacher.network[1].num_batches_tracked == 7
    teacher.updates = 1000
    assert teacher.follow(student, 0.9) == pytest.approx(0.9)
    assert torch.allclose(teacher.network[0].weight, torch.full((2, 2), 0.55))
    assert not any(p.requires_grad for p in teacher.network.parameters())
