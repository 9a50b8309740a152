"""GuideDecoder: a plain vision encoder and a decoder that asks the words at every level. Any size, any text length."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.config import NetworkConfig
from training.engine.networks.referring import Output, ReferringNetwork, begin_dark
from training.engine.networks.text import FrozenBert, SmallTextEncoder
from training.engine.networks.vision import position_code

CROSS_HEADS = 4


class Guide(nn.Module):
    """A deep map as tokens: self-attention (1 head), then cross-attention to the words (4 heads).

    Parameters
    ----------
    vision, text : int
        Channels of the map and of the words; attention runs at the map's width.
    """

    def __init__(self, vision: int, text: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Linear(text, vision), nn.GELU())
        self.inner = nn.MultiheadAttention(vision, 1, batch_first=True)
        self.across = nn.MultiheadAttention(vision, CROSS_HEADS, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(vision) for _ in range(3))
        self.scale = nn.Parameter(torch.full((vision,), 0.1))

    def forward(self, features: Tensor, words: Tensor, gone: Tensor) -> Tensor:
        """The map ``(B, C, H, W)`` guided by words ``(B, T, D)``; ``gone`` (B, T) marks padding."""
        height, width = features.shape[2:]
        place = position_code(height, width, features.shape[1], features).flatten(0, 1)
        tokens = features.flatten(2).transpose(1, 2)
        query = self.norms[0](tokens)
        placed = query + place
        tokens = tokens + self.inner(placed, placed, query, need_weights=False)[0]
        read = self.norms[1](self.enter(words))
        keys = read + order_code(read.shape[1], read.shape[2], read)
        query = self.norms[2](tokens) + place
        answer = self.across(query, keys, read, gone, need_weights=False)[0]
        guided: Tensor = (
            (tokens + self.scale * answer).transpose(1, 2).unflatten(2, (height, width))
        )
        return guided


class UpBlock(nn.Module):
    """Twice the resolution, joined with the skip: transposed convolution, concatenate, two 3×3."""

    def __init__(self, deep: int, skip: int) -> None:
        super().__init__()
        self.grow = nn.ConvTranspose2d(deep, skip, 2, stride=2, bias=False)
        self.mix = nn.ModuleList(
            nn.Conv2d(channels, skip, 3, padding=1, bias=False) for channels in (2 * skip, skip)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(max(1, skip // 8), skip) for _ in range(2))

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """``(B, skip, H, W)`` from ``(B, deep, H / 2, W / 2)`` and ``(B, skip, H, W)``."""
        features = torch.cat([self.grow(deep), skip], 1)
        for mix, norm in zip(self.mix, self.norms, strict=True):
            features = F.leaky_relu(norm(mix(features)), 0.01)
        return features


class GuideDecoder(ReferringNetwork):
    """Foreground logits of images described in words (after GuideDecoder; METHOD §1, Networks).

    Parameters as in `ReferringNetwork`. The vision encoder never sees the words, so that its features can be kept
    while a description is edited.
    """

    def __init__(
        self, config: NetworkConfig, words: SmallTextEncoder | FrozenBert, pretrained: bool
    ) -> None:
        super().__init__(config, words, pretrained)
        widths = self.vision.widths
        self._add_pointer()
        self.guides = nn.ModuleList(Guide(widths[i], config.text_width) for i in (3, 2, 1))
        self.ups = nn.ModuleList(UpBlock(widths[i], widths[i - 1]) for i in (3, 2, 1))
        fine = max(8, widths[0] // 4)
        self.spread = nn.Conv2d(widths[0], fine * self.vision.patch_size**2, 3, padding=1)
        self.last = begin_dark(nn.Conv2d(fine, 1, 1))
        self._add_space()

    def forward(self, images: Tensor, descriptions: Sequence[str]) -> Output:
        """Segment; shapes as in `MMIUNet.forward`."""
        words, present, pooled = self.encode_words(descriptions)
        features, skips = self.vision.embed(images), []
        for stage in self.vision.stages:
            features = stage(features)
            skips.append(features)
        features = skips.pop()
        skips[0] = self._point(skips[0], pooled)
        fused: Tensor | None = None
        for guide, up in zip(self.guides, self.ups, strict=True):
            features = guide(features, words, ~present)
            fused = features if fused is None else fused
            features = up(features, skips.pop())
        assert fused is not None
        fine = F.pixel_shuffle(self.spread(features), self.vision.patch_size)
        return self._say(self.last(fine), fused, pooled)


def order_code(count: int, channels: int, like: Tensor) -> Tensor:
    """Sinusoids of the place of a word, ``(count, channels) float`` (Vaswani et al., 2017)."""
    half = (channels + 1) // 2
    rates = torch.exp(torch.arange(half, device=like.device) * (-math.log(10_000.0) / half))
    angles = torch.arange(count, device=like.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :channels].to(like.dtype)
