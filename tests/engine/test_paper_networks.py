from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from little_films import TINY, describe, tiny_config
from safetensors.torch import save_file
from torch import nn
from transformers import BertConfig, BertModel, BertTokenizer, ConvNextConfig, ConvNextModel
from typer.testing import CliRunner

from training.cli import app
from training.cli.describe import PUBLISHED, network_named
from training.config import NetworkConfig
from training.engine.checkpoint import read_network, write_model
from training.engine.describe import cost_of
from training.engine.networks import build, collect_vocabulary
from training.engine.networks.convnext_release import here
from training.engine.networks.guide_decoder import order_code
from training.errors import ConfigError, EngineError

TEXTS = [describe("left"), describe("right")]
LONG = "Bilateral pulmonary infection " + "upper left lung and lower right lung, " * 30
KINDS = {
    "mmi-unet at the stages' width": {"bridge": "stage"},
    "guide-decoder": {"name": "guide-decoder"},
}
RELEASED = {after: before for before, after in (
    ("downsample_layers.0.0", "embeddings.patch_embeddings"),
    ("downsample_layers.0.1", "embeddings.layernorm"),
)}  # fmt: skip


def make(seed=0, **changes):
    torch.manual_seed(seed)
    config = NetworkConfig.model_validate({**TINY["network"], **changes})
    return build(config, collect_vocabulary(TEXTS)).eval()


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    return KINDS[request.param]


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (96, 160), (224, 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_any_text_one_or_three_channels(kind, height, width, channels):
    network = make(**kind, channels=channels)
    for given in (1, 3):
        output = network(torch.randn(3, given, height, width), ["", "one", LONG])
        assert output.logits.shape == (3, 1, height, width)
        assert output.image_vector.shape == output.text_vector.shape == (3, 16)
        assert torch.isfinite(output.logits).all()


def test_padding_does_not_change_what_is_said(kind):
    network, image = make(**kind), torch.randn(1, 1, 32, 32)
    alone = network(image, TEXTS[:1])
    beside = network(image.expand(2, -1, -1, -1), [TEXTS[0], LONG])
    assert torch.allclose(alone.logits[0], beside.logits[0], atol=1e-5)
    assert torch.allclose(alone.text_vector[0], beside.text_vector[0], atol=1e-5)


def test_words_change_the_mask_without_the_pointer_unless_text_is_switched_off(kind):
    image = torch.randn(1, 1, 64, 64).expand(2, -1, -1, -1)
    plain = {**kind, "pointer": False, "zone_reading": False}
    said = make(**plain)(image, TEXTS).logits
    assert not torch.allclose(said[0], said[1], atol=1e-5)
    deaf = make(**plain, use_text=False)(image, TEXTS).logits
    assert torch.allclose(deaf[0], deaf[1], atol=1e-6)


def test_a_film_and_its_mirror_image_are_told_apart_by_their_place(kind):
    network, image = make(**kind, pointer=False), torch.randn(1, 1, 64, 64)
    straight, mirrored = network(image, TEXTS[:1]), network(image.flip(3), TEXTS[:1])
    assert not torch.allclose(straight.logits, mirrored.logits.flip(3), atol=1e-3)


def test_every_trained_weight_is_read_but_the_last_bridges_words(kind):
    network = make(**kind).train()
    output = network(torch.randn(2, 1, 64, 64), TEXTS)
    sum(each.square().mean() for each in output).backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None]
    assert all(name.startswith(("bridges.3.read", "bridges.3.leave")) for name in missing), missing
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())


def test_without_zone_reading_the_zones_are_zeros_without_a_gradient(kind):
    network = make(**kind, zone_reading=False)
    zones = network(torch.randn(2, 1, 32, 32), TEXTS).zone_logits
    assert not zones.any()
    assert not zones.requires_grad


def test_each_network_comes_back_from_its_model_folder(kind, tmp_path):
    network, image = make(**kind, pointer=False), torch.randn(2, 1, 32, 32)
    write_model(tmp_path / "model", network, network, "image")
    again = read_network(tmp_path / "model")
    assert type(again) is type(network)
    assert torch.equal(again(image, TEXTS).logits, network(image, TEXTS).logits)


def test_a_card_written_before_these_settings_were_known_still_loads(tmp_path):
    network = make()
    write_model(tmp_path / "model", network, network, "image")
    path = tmp_path / "model" / "model.json"
    card = json.loads(path.read_text())
    for name in ("name", "channels", "text_dropout", "bridge", "pointer", "zone_reading"):
        del card["network"][name]
    path.write_text(json.dumps(card))
    image = torch.randn(2, 1, 32, 32)
    again = read_network(tmp_path / "model")
    assert torch.equal(again(image, TEXTS).logits, network(image, TEXTS).logits)


def test_widths_that_heads_cannot_split_are_refused():
    with pytest.raises(ConfigError, match="split among 3 heads"):
        tiny_config(network={"heads": 3})
    with pytest.raises(ConfigError, match="split among 4 heads"):
        tiny_config(network={"name": "guide-decoder", "widths": [16, 18, 24, 32]})


def test_the_order_code_is_that_of_sines_and_cosines():
    code = order_code(5, 8, torch.zeros(1))
    assert code.shape == (5, 8)
    assert code[3, 0].item() == pytest.approx(torch.tensor(3.0).sin().item())
    assert code[3, 4].item() == pytest.approx(torch.tensor(3.0).cos().item())


def released_name(name: str) -> str | None:
    """The original release's name of a weight, written down the other way round."""
    for ours, theirs in RELEASED.items():
        name = name.replace(ours, theirs)
    if name.startswith("encoder.stages."):
        _, _, stage, part, number, *rest = name.split(".")
        tail = ".".join(rest)
        if part == "downsampling_layer":
            return f"downsample_layers.{stage}.{number}.{tail}"
        tail = tail.replace("layernorm", "norm").replace("layer_scale_parameter", "gamma")
        return f"stages.{stage}.{number}.{tail}"
    return name.replace("layernorm", "norm") if name.startswith("layernorm") else name


@pytest.fixture
def released(tmp_path):
    """A ConvNeXt, and its weights in a file with the original names."""
    torch.manual_seed(0)
    model = ConvNextModel(ConvNextConfig(hidden_sizes=[8, 8, 16, 24], depths=[1, 1, 2, 1])).eval()
    weights = {released_name(name): value for name, value in model.state_dict().items()}
    weights["head.weight"], weights["head.bias"] = torch.zeros(5, 24), torch.zeros(5)
    save_file(weights, tmp_path / "convnext.safetensors")
    return model, tmp_path / "convnext.safetensors", weights


def test_released_names_are_those_of_the_original_layout():
    for name in (
        "downsample_layers.0.0.weight", "downsample_layers.2.1.bias", "stages.2.8.gamma",
        "stages.0.1.pwconv2.weight", "stages.3.0.norm.bias", "norm.weight",
    ):  # fmt: skip
        assert released_name(here(name)) == name
    assert here("head.weight") is None


def test_released_convnext_weights_give_the_same_features(released):
    model, path, _ = released
    network = make(vision_weights=str(path))
    assert (network.vision.widths, network.vision.depths) == ((8, 8, 16, 24), (1, 1, 2, 1))
    image = torch.randn(1, 3, 64, 64)
    features = network.vision.embed(image)
    for stage in network.vision.stages:
        features = stage(features)
    expected = model(image, output_hidden_states=True).hidden_states[-1]
    assert torch.allclose(features, expected, atol=1e-6)


@pytest.mark.parametrize("drop", ["stages.1.0.gamma", "downsample_layers.0.0.weight"])
def test_a_released_file_that_lacks_a_weight_is_refused(released, drop, tmp_path):
    _, _, weights = released
    del weights[drop]
    save_file(weights, tmp_path / "less.safetensors")
    with pytest.raises(EngineError, match="original release"):
        make(vision_weights=str(tmp_path / "less.safetensors"))


def test_a_released_file_that_is_pickled_or_missing_is_refused(tmp_path):
    path = tmp_path / "convnext.safetensors"
    torch.save({"stages.0.0.gamma": torch.zeros(3)}, path)
    for each in (path, tmp_path / "none.safetensors"):
        with pytest.raises(EngineError, match="missing or no safetensors"):
            make(vision_weights=str(each))


def test_a_bert_that_names_code_of_its_own_is_read_as_a_plain_one(tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "left", "lung"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = BertModel(
        BertConfig(vocab_size=7, intermediate_size=16, max_position_embeddings=16, **size)
    ).eval()
    bert.save_pretrained(tmp_path)
    save_file(
        {f"bert.{name}": value for name, value in bert.state_dict().items()},
        tmp_path / "model.safetensors",
        metadata={"format": "pt"},
    )
    for name, key in (("config.json", "AutoModel"), ("tokenizer_config.json", "AutoTokenizer")):
        content = json.loads((tmp_path / name).read_text())
        content.update(model_type="cxr-bert", auto_map={key: "evil.Evil"})
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "evil.py").write_text("raise SystemExit('own code was run')")
    encoder = make(text_encoder="hf", text_weights=str(tmp_path)).words
    features, present = encoder(["left lung", "left"])
    assert present.tolist() == [[True] * 4, [True] * 3 + [False]]
    expected = bert(input_ids=torch.tensor([[2, 5, 6, 3]])).last_hidden_state[0]
    assert torch.allclose(features[0], expected, atol=1e-5)
    assert len(encoder.token_numbers("[UNK_POS] lung")) == 4


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sizes_are_met_by_the_plain_name(name):
    named = network_named(name)
    assert named.size == "paper"
    cost = cost_of(named.config)
    for figure, published in PUBLISHED[name].items():
        # LViT's operations are as its paper counts them, this project's as PyTorch does.
        near = 0.03 if figure == "multiply_adds_without_words" else 0.02
        assert getattr(cost, figure) == pytest.approx(published, rel=near), figure
    assert sum(cost.parts.values()) == cost.parameters


def test_a_cost_counts_the_weights_that_building_makes():
    config = tiny_config(network={"name": "guide-decoder"}).network
    network = build(config, collect_vocabulary([f"w{chr(97 + n)}" for n in range(20)]))
    parts = cost_of(config).parts
    for name, part in network.named_children():
        if name != "words":
            assert parts[name] == sum(p.numel() for p in part.parameters()), name


def told(*arguments: str) -> str:
    return CliRunner().invoke(app, ["describe", *arguments], catch_exceptions=False).output


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("lvit-t", 29_994_499),
        ("lvit-tw", 28_237_885),
        ("lvit-s", 55_136_899),
        ("lvit-b", 71_898_499),
        ("mmi-unet", 56_071_193),
    ],
)
def test_the_command_tells_the_weights_that_learn_at_the_published_size(name, reached):
    figures = json.loads(told(name, "--json", "-"))
    assert (figures["network"], figures["size"]) == (name, "paper")
    assert figures["image_size"] == 224
    assert figures["parameters_with_gradient"] == reached
    words = figures["multiply_adds"] - figures["multiply_adds_without_words"]
    assert (words > 1e9) == (name != "lvit-tw")


def test_the_command_tells_sizes_beside_the_published_ones():
    lines = told("guide-decoder")
    assert lines == told("guide-decoder-paper")
    assert "published 153.0 M" in lines
    assert "group norms" in lines
    assert "published 29.7 M, +1.0%" in told("lvit-t")
    assert "docs/lvit.md" in told("lvit-t")


def test_small_sizes_are_reached_by_a_presets_name_or_a_file(tmp_path):
    figures = json.loads(told("mmi-unet-default", "--json", "-"))
    assert (figures["size"], figures["preset"]) == ("small", "default")
    assert "published" not in figures
    assert figures["parameters"] == figures["parameters_with_gradient"] < 1e6
    file = tmp_path / "mine.toml"
    file.write_text('[network]\nname = "u-net"\nimage_size = 32\nwidths = [8, 8, 8, 8]\n')
    figures = json.loads(told("lvit-sw", "--config", str(file), "--json", "-"))
    assert (figures["network"], figures["size"], figures["preset"]) == ("lvit-sw", "file", None)
    assert figures["image_size"] == 32
    assert "the file's size, 32 x 32" in told("lvit-sw", "--config", str(file))


def test_names_stand_for_a_network_with_or_without_text_at_a_size():
    for name, network, preset, use_text in (
        ("lvit-t", "lvit-t", "lvit", True),
        ("lvit-t-paper", "lvit-t", "lvit", True),
        ("lvit-bw-lvit-small", "lvit-bw", "lvit-small", False),
        ("u-net", "u-net", "lvit", True),
    ):
        named = network_named(name)
        assert (named.network, named.preset) == (network, preset)
        assert named.config.use_text == use_text


def test_an_unknown_network_is_refused_with_the_known_ones_named():
    assert network_named("guide-decoder-demo").config.image_size == 64
    for name in ("unet", "mmi-unet-huge", "mmi-unetpaper", "lvit-tww"):
        with pytest.raises(ConfigError, match="mmi-unet, guide-decoder"):
            network_named(name)
    with pytest.raises(ConfigError, match="--config"):
        network_named("mmi-unet-demo", Path("mine.toml"))
