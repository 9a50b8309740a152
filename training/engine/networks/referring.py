"""What every network that segments by words shares: reading words, its output, and where words point. Nothing that only
one of them has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.config import NetworkConfig
from training.engine.networks.text import FrozenBert, SmallTextEncoder, mean_of_words
from training.engine.networks.vision import VisionEncoder, position_code


class Output(NamedTuple):
    """What the network says of a batch.

    Attributes
    ----------
    logits : (B, 1, H, W) float
        Foreground logits at the images' resolution.
    image_vector, text_vector : (B, P) float
        Where images and texts meet (ITCL); not normalized.
    zone_logits : (B, 6) float
        The six zones as read from the words alone; zeros where ``zone_reading`` is off.
    """

    logits: Tensor
    image_vector: Tensor
    text_vector: Tensor
    zone_logits: Tensor


# A network, bare or wrapped for a device: images and their words to what it says of them.
Segment = Callable[[Tensor, Sequence[str]], Output]


class Pointer(nn.Module):
    """Words as a low-frequency map of where they point: text vector times position code.

    Gives words a direct way to a place, which a few dozen labels suffice to learn.
    """

    def __init__(self, text: int, channels: int, rank: int = 32) -> None:
        super().__init__()
        self.rank, self.channels = rank, channels
        self.say = nn.Linear(text, channels * rank)

    def forward(self, text: Tensor, height: int, width: int) -> Tensor:
        """``(B, channels, height, width)`` from the pooled words ``(B, D)``."""
        place = position_code(height, width, self.rank, text)
        said = self.say(text).unflatten(1, (self.channels, self.rank))
        pointed: Tensor = torch.einsum("bcr,hwr->bchw", said, place) / self.rank**0.5
        return pointed


class ReferringNetwork(nn.Module):
    """Base of the networks: encoders, the parts around a decoder, and the common space.

    Parameters
    ----------
    config : NetworkConfig
        Sizes; ``use_text=False`` reads no words at all.
    words : SmallTextEncoder or FrozenBert
        Turns descriptions into token features.
    pretrained : bool
        Whether to read ``vision_weights`` (a model file that follows brings its own).
    """

    pointer: Pointer | None
    read_zones: nn.Linear | None

    def __init__(
        self, config: NetworkConfig, words: SmallTextEncoder | FrozenBert, pretrained: bool
    ) -> None:
        super().__init__()
        self.config = config
        self.words = words
        self.vision = VisionEncoder(config, pretrained)
        text = config.text_width
        self.fit_words = nn.Identity() if words.width == text else nn.Linear(words.width, text)

    def encode_words(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Token features ``(B, T, D)``, presence ``(B, T) bool`` and pooled words ``(B, D)``."""
        if not self.config.use_text:
            descriptions = [""] * len(descriptions)
        features, present = self.words(descriptions)
        words = self.fit_words(features)
        return words, present, mean_of_words(words, present)

    def _add_pointer(self) -> None:
        text, width = self.config.text_width, self.vision.widths[0]
        self.pointer = Pointer(text, width) if self.config.pointer else None

    def _add_space(self) -> None:
        text, deep, size = self.config.text_width, self.vision.widths[-1], self.config.projection
        self.project_image = nn.Linear(deep, size)
        self.project_text = nn.Linear(text, size)
        self.read_zones = nn.Linear(text, 6) if self.config.zone_reading else None

    def _point(self, features: Tensor, pooled: Tensor) -> Tensor:
        """Features ``(B, widths[0], H, W)`` with the map of where the words point, if there is one."""
        if self.pointer is None:
            return features
        led: Tensor = features + self.pointer(pooled, *features.shape[2:])
        return led

    def _say(self, logits: Tensor, fused: Tensor, pooled: Tensor) -> Output:
        """The output, from logits, fused deepest features ``(B, C, h, w)`` and pooled words."""
        image_vector = self.project_image(fused.mean((2, 3)))
        if self.read_zones is None:
            zones = torch.zeros(len(pooled), 6, dtype=pooled.dtype, device=pooled.device)
        else:
            zones = self.read_zones(pooled)
        return Output(logits, image_vector, self.project_text(pooled), zones)


def begin_dark(last: nn.Conv2d) -> nn.Conv2d:
    """The last layer, begun at a low probability: lesions cover little of a film."""
    assert last.bias is not None
    nn.init.constant_(last.bias, -2.0)
    return last
