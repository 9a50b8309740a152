"""The light floor's guess at a network's size, against the networks themselves."""

from __future__ import annotations

import pytest

from training.config import NetworkConfig
from training.engine.networks import build
from training.estimate import weights

WORDS = tuple(f"word{number}" for number in range(80))
WIDE = {"widths": (48, 96, 192, 384), "depths": (3, 3, 9, 3), "heads": 8, "text_width": 64}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"name": "guide-decoder"},
        {"name": "u-net"},
        {"name": "lvit-t", "widths": (8, 16, 48, 96), "image_size": 64},
        WIDE,
        WIDE | {"bridge": "stage"},
    ],
    ids=["default", "guide-decoder", "u-net", "lvit-t", "wide", "wide, bridges at stages"],
)
def test_the_guessed_weights_are_near_the_networks_own(settings):
    config = NetworkConfig(**settings)
    network = build(config, WORDS, pretrained=False)
    own = sum(each.numel() for each in network.parameters())
    assert weights(config) == pytest.approx(own, rel=0.35)
