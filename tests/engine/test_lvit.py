from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from little_films import describe, tiny_config
from torch import nn

from training.config import NetworkConfig, RunConfig
from training.engine.checkpoint import read_network, start_from, write_model
from training.engine.networks import build, collect_vocabulary
from training.engine.networks.lvit import LViT, Plam
from training.engine.networks.text import NoWords
from training.errors import ConfigError, EngineError

TEXTS = [describe("left"), describe("right")]
VOCABULARY = collect_vocabulary(TEXTS)
PAPER = {
    "image_size": 224,
    "widths": (64, 128, 256, 512),
    "heads": 8,
    "text_width": 768,
    "pointer": False,
}


def make(**changes):
    torch.manual_seed(0)
    config = tiny_config(network={"name": "lvit-t", **changes}).network
    return build(config, VOCABULARY).eval()


def parameters_with_gradient(**changes) -> int:
    """Of the network without the encoder of the words, as frozen text features leave it."""
    config = NetworkConfig.model_validate({**PAPER, "text_layers": 1, **changes})
    network = build(config, VOCABULARY).train()
    output = network(torch.randn(1, 1, 32, 32), TEXTS[:1])
    sum(each.square().mean() for each in output).backward()
    named = network.named_parameters()
    return sum(p.numel() for n, p in named if p.grad is not None and not n.startswith("words."))


@pytest.mark.parametrize(
    ("name", "use_text", "published", "reached"),
    [
        ("lvit-t", True, 29.7e6, 29_994_499),
        ("lvit-t", False, 28.0e6, 28_237_885),
        ("lvit-s", True, 54.8e6, 55_136_899),
        ("lvit-b", True, 71.5e6, 71_898_499),
    ],
)
def test_as_many_weights_learn_as_published(name, use_text, published, reached):
    count = parameters_with_gradient(name=name, use_text=use_text)
    assert count == reached
    assert count == pytest.approx(published, rel=0.02)


def test_lvit_takes_any_size_that_is_a_multiple_of_32():
    network = make(widths=(8, 8, 8, 8))
    sizes = [(side, side) for side in range(64, 449, 32)] + [(96, 160), (160, 32)]
    with torch.no_grad():
        for height, width in sizes:
            logits = network(torch.randn(1, 1, height, width), TEXTS[:1]).logits
            assert logits.shape == (1, 1, height, width)
            assert torch.isfinite(logits).all()


def test_lvit_learns_at_another_size_than_that_of_its_settings():
    network = make(widths=(8, 8, 8, 8)).train()
    network(torch.randn(1, 1, 96, 64), TEXTS[:1]).logits.square().mean().backward()
    places = [embed.place.grad for embed in network.embed]
    assert all(grad is not None and grad.any() for grad in places)


def test_lvit_takes_texts_of_1_to_64_words_and_padding_changes_nothing():
    network = make(text_tokens=64)
    words = ["lung", "left"] * 32
    texts = [" ".join(words[:length]) for length in range(1, 65)]
    features, present = network.words(texts)
    assert features.shape[1] == 64
    assert present.sum(1).tolist() == list(range(1, 65))
    image = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        together = network(image.expand(64, -1, -1, -1), texts).logits
        assert torch.isfinite(together).all()
        for length in (1, 2, 7, 24, 63, 64):
            alone = network(image, texts[length - 1 : length]).logits[0]
            assert torch.allclose(alone, together[length - 1], atol=1e-5), length
        longer = network(image, [f"{texts[-1]} lung lung"]).logits[0]
    assert torch.allclose(longer, together[-1], atol=1e-5)  # What is too long loses its end.


def test_the_pointer_leads_words_to_the_mask_and_not_into_the_image_vector():
    image = torch.randn(1, 1, 64, 64).expand(2, -1, -1, -1)
    network, plain = make(), make(pointer=False)
    said = network(image, TEXTS)
    assert torch.equal(said.image_vector[0], said.image_vector[1])
    with torch.no_grad():
        for weight in network.pointer.parameters():
            weight.zero_()
    muted = network(image, TEXTS)
    assert not torch.allclose(said.logits, muted.logits, atol=1e-3)
    assert torch.equal(said.image_vector, muted.image_vector)
    missing, _unread = plain.load_state_dict(network.state_dict(), strict=False)
    assert missing == []
    assert torch.allclose(plain(image, TEXTS).logits, muted.logits, atol=1e-6)


def test_words_move_the_mask_of_lvit_but_not_of_its_variant_without_text():
    image = torch.randn(1, 1, 32, 32).expand(2, -1, -1, -1)
    for pointer in (True, False):
        said = make(pointer=pointer)(image, TEXTS).logits
        assert not torch.allclose(said[0], said[1], atol=1e-5)
    deaf = make(use_text=False)
    assert isinstance(deaf.words, NoWords)
    unheard = deaf(image, TEXTS).logits
    assert torch.equal(unheard[0], unheard[1])


def test_an_image_says_the_same_alone_and_in_a_batch():
    network = make()
    images = torch.randn(3, 1, 64, 64)
    together = network(images, [TEXTS[0], TEXTS[1], ""]).logits
    assert torch.allclose(network(images[1:2], TEXTS[1:]).logits[0], together[1], atol=1e-5)
    kinds = nn.modules.batchnorm._BatchNorm
    assert not any(isinstance(module, kinds) for module in network.modules())


def test_every_weight_of_lvit_gets_a_gradient():
    network = make().train()
    output = network(torch.randn(2, 1, 64, 64), TEXTS)
    sum(each.square().mean() for each in output).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_plam_weighs_each_pixel_by_the_mean_and_the_largest_channel():
    plam = Plam(2)
    with torch.no_grad():
        for mix in (plam.for_mean, plam.for_largest):
            mix.weight.copy_(torch.eye(2)[:, :, None, None])
        first, _, second = plam.judge
        first.weight.zero_()
        first.bias.zero_()
        second.weight.fill_(1.0)
        second.bias.zero_()
        # Hidden units 0 to 2 pass the mean once, the largest twice, their sum three times.
        for unit in range(3):
            first.weight[unit, unit] = unit + 1.0
    features = torch.tensor([[0.2, -1.0], [0.6, 0.5]]).view(1, 2, 1, 2)
    # Pixel 0: mean 0.4, largest 0.6. Pixel 1, negative parts cut: mean 0.25, largest 0.5.
    gates = torch.sigmoid(torch.tensor([0.4 + 2 * 0.6 + 3 * 1.0, 0.25 + 2 * 0.5 + 3 * 0.75]))
    assert torch.allclose(plam(features), features * gates, atol=1e-6)


def test_plam_never_changes_a_sign_or_enlarges():
    torch.manual_seed(0)
    features = torch.randn(2, 8, 5, 7)
    weighed = Plam(8)(features)
    assert (weighed.abs() <= features.abs()).all()
    assert (weighed.sign() == features.sign()).all()


def test_heads_that_do_not_divide_a_width_are_refused_by_name():
    with pytest.raises(ConfigError, match="3 heads"):
        RunConfig.parse({"network": {"name": "lvit-t", "heads": 3, "widths": [8, 8, 8, 8]}})


@pytest.mark.parametrize("name", ["lvit-t", "u-net"])
def test_a_saved_network_of_any_name_is_read_back(name, tmp_path):
    network = make(name=name)
    write_model(tmp_path / "model", network, network, "image")
    again = read_network(tmp_path / "model")
    image = torch.randn(1, 1, 32, 32)
    assert torch.equal(again(image, TEXTS[:1]).logits, network(image, TEXTS[:1]).logits)
    start_from(tmp_path / "model", make(name=name))
    with pytest.raises(EngineError, match="other network settings"):
        start_from(tmp_path / "model", make(name="mmi-unet"))


def test_a_model_saved_before_networks_had_names_is_an_mmi_unet(tmp_path):
    network = build(tiny_config().network, VOCABULARY).eval()
    write_model(tmp_path / "model", network, network, "image")
    card = tmp_path / "model" / "model.json"
    card.write_text(card.read_text().replace('"name": "mmi-unet",', ""))
    assert "mmi-unet" not in card.read_text()
    assert type(read_network(tmp_path / "model")).__name__ == "MMIUNet"


def test_the_u_net_sees_the_image_alone():
    network = make(name="u-net")
    output = network(torch.randn(1, 1, 64, 96).expand(2, -1, -1, -1), TEXTS)
    assert output.logits.shape == (2, 1, 64, 96)
    assert torch.equal(output.logits[0], output.logits[1])
    assert not output.text_vector.any()


def test_lvit_is_built_without_importing_monai():
    code = (
        "import sys; from training.config import NetworkConfig; "
        "from training.engine.networks import build; "
        "build(NetworkConfig(name='lvit-t'), ['[PAD]', '[UNK]']); "
        "sys.exit('monai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_depth_of_the_transformers_follows_the_name():
    depths = {name: len(make(name=name).down_vit[0].layers) for name in ("lvit-t", "lvit-b")}
    assert depths == {"lvit-t": 1, "lvit-b": 6}
    assert isinstance(make(name="lvit-s"), LViT)


def test_lvit_reads_the_cached_features_of_a_frozen_bert(bert, monkeypatch):
    network = make(text_encoder="hf", text_weights=bert)
    _, model = network.words._hidden
    calls = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda **k: calls.append(1) or forward(**k))
    image = torch.randn(1, 1, 32, 32).expand(2, -1, -1, -1)
    texts = ["lower left lung", "upper right lung"]
    said = network(image, texts).logits
    assert torch.equal(network(image, texts).logits, said)
    assert len(calls) == 2
    assert not torch.allclose(said[0], said[1], atol=1e-6)
    assert not any(name.startswith("words.") for name in network.state_dict())


def test_lvit_reads_no_zones_where_the_settings_switch_that_off():
    network = {"name": "lvit-t", "zone_reading": False}
    config = tiny_config(network=network, method={"lambda_zones": 0})
    output = build(config.network, VOCABULARY)(torch.randn(2, 1, 32, 32), TEXTS)
    assert not output.zone_logits.any()
    assert make()(torch.randn(2, 1, 32, 32), TEXTS).zone_logits.all()
