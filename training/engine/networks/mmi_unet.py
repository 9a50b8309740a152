"""MMI-UNet: a U-Net whose encoder stages and words attend to each other. Any size, any text length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.config import NetworkConfig
from training.engine.networks.text import FrozenBert, SmallTextEncoder
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
        The six zones as read from the words alone.
    """

    logits: Tensor
    image_vector: Tensor
    text_vector: Tensor
    zone_logits: Tensor


class Attend(nn.Module):
    """One block: self-attention, cross-attention to the other side, feed-forward; all residual."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)
        self.across = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

    def forward(
        self, own: Tensor, other: Tensor, own_gone: Tensor | None, other_gone: Tensor | None
    ) -> Tensor:
        """Update ``own`` (B, N, C) from ``other`` (B, M, C); ``*_gone`` (bool) marks padding."""
        query = self.norms[0](own)
        own = own + self.inner(query, query, query, own_gone, need_weights=False)[0]
        other = self.norms[1](other)
        query = self.norms[2](own)
        own = own + self.across(query, other, other, other_gone, need_weights=False)[0]
        return own + self.feed(self.norms[3](own))


class Bridge(nn.Module):
    """Vision at half resolution and words attend to each other (MMI-UNet's bridge).

    Parameters
    ----------
    vision, text : int
        Channels of the vision stage and of the words; attention runs at the words' width.
    """

    def __init__(self, vision: int, text: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(vision, text)
        self.leave = nn.Linear(text, vision)
        self.see = Attend(text, heads, hidden)
        self.read = Attend(text, heads, hidden)

    def forward(self, features: Tensor, words: Tensor, gone: Tensor) -> tuple[Tensor, Tensor]:
        """Bridged vision ``(B, C, H, W)`` and words ``(B, T, D)``; ``gone`` (B, T) marks padding."""
        small = F.avg_pool2d(features, 2, ceil_mode=True)
        height, width = small.shape[2:]
        place = position_code(height, width, words.shape[2], words)
        tokens = self.enter(small.permute(0, 2, 3, 1)) + place
        seen = self.see(tokens.flatten(1, 2), words, None, gone)
        read = self.read(words, tokens.flatten(1, 2), gone, None)
        change = self.leave(seen).transpose(1, 2).unflatten(2, (height, width))
        grown = F.interpolate(change, features.shape[2:], mode="bilinear", align_corners=False)
        return features + grown, read


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
        return torch.einsum("bcr,hwr->bchw", said, place) / self.rank**0.5


class Up(nn.Module):
    """Twice the resolution, joined with the skip: bilinear, concatenate, 3×3 convolution."""

    def __init__(self, deep: int, skip: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(deep + skip, skip, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(max(1, skip // 8), skip)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """``(B, skip, H, W)`` from ``(B, deep, H / 2, W / 2)`` and ``(B, skip, H, W)``."""
        grown = F.interpolate(deep, skip.shape[2:], mode="bilinear", align_corners=False)
        return F.gelu(self.norm(self.mix(torch.cat([grown, skip], 1))))


class MMIUNet(nn.Module):
    """Foreground logits of images described in words (after MMI-UNet; METHOD §1, Networks).

    Parameters
    ----------
    config : NetworkConfig
        Sizes; ``use_text=False`` reads no words at all.
    words : SmallTextEncoder or FrozenBert
        Turns descriptions into token features.
    pretrained : bool
        Whether to read ``vision_weights`` (a model file that follows brings its own).
    """

    def __init__(
        self, config: NetworkConfig, words: SmallTextEncoder | FrozenBert, pretrained: bool
    ) -> None:
        super().__init__()
        self.config = config
        self.words = words
        self.vision = VisionEncoder(config, pretrained)
        widths, text = self.vision.widths, config.text_width
        self.fit_words = nn.Identity() if words.width == text else nn.Linear(words.width, text)
        self.bridges = nn.ModuleList(
            Bridge(width, text, config.heads, config.bridge_feed_forward) for width in widths
        )
        self.pointer = Pointer(text, widths[0])
        self.ups = nn.ModuleList(Up(widths[i + 1], widths[i]) for i in (2, 1, 0))
        fine = max(8, widths[0] // 4)
        self.spread = nn.Conv2d(widths[0], fine * self.vision.patch_size**2, 1)
        last = nn.Conv2d(fine, 1, 3, padding=1)
        self.last = nn.Sequential(nn.GELU(), last)
        self.project_image = nn.Linear(widths[-1], config.projection)
        self.project_text = nn.Linear(text, config.projection)
        self.read_zones = nn.Linear(text, 6)
        assert last.bias is not None
        nn.init.constant_(last.bias, -2.0)  # Lesions cover little of a film.

    def forward(self, images: Tensor, descriptions: Sequence[str]) -> Output:
        """Segment.

        Parameters
        ----------
        images : (B, 1, H, W) float
            Z-scored; sides are multiples of 32.
        descriptions : sequence of str
            One for each image.
        """
        words, present, pooled = self.encode_words(descriptions)
        skips = self._encode_images(images, words, ~present, pooled)
        features = skips.pop()
        image_vector = self.project_image(features.mean((2, 3)))
        for up in self.ups:
            features = up(features, skips.pop())
        fine = F.pixel_shuffle(self.spread(features), self.vision.patch_size)
        text_vector, zones = self.project_text(pooled), self.read_zones(pooled)
        return Output(self.last(fine), image_vector, text_vector, zones)

    def encode_words(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Token features ``(B, T, D)``, presence ``(B, T) bool`` and pooled words ``(B, D)``."""
        if not self.config.use_text:
            descriptions = [""] * len(descriptions)
        features, present = self.words(descriptions)
        words = self.fit_words(features)
        weight = present[..., None].to(words.dtype)
        return words, present, (words * weight).sum(1) / weight.sum(1)

    def _encode_images(
        self, images: Tensor, words: Tensor, gone: Tensor, pooled: Tensor
    ) -> list[Tensor]:
        features, kept, skips = self.vision.embed(images), words, []
        for number, (stage, bridge) in enumerate(
            zip(self.vision.stages, self.bridges, strict=True)
        ):
            features = stage(features)
            if number == 0:
                features = features + self.pointer(pooled, *features.shape[2:])
            features, change = bridge(features, words, gone)
            words = kept + change
            skips.append(features)
        return skips
