"""MMI-UNet: a U-Net whose encoder stages and words attend to each other. Any size, any text length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.config import NetworkConfig
from training.engine.networks.bridges import Bridge, StageBridge
from training.engine.networks.referring import Output, ReferringNetwork, begin_dark
from training.engine.networks.text import FrozenBert, SmallTextEncoder


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


def refine(features: Tensor, spread: nn.Conv2d, last: nn.Sequential, step: int) -> Tensor:
    """``last(pixel_shuffle(spread(features), step))`` without a map of many channels at full resolution.

    Every place of the features speaks for a patch of ``step + 2`` pixels of the logits, a pixel beyond its own ones on
    each side; overlapping patches are summed.

    Parameters
    ----------
    features : (B, C, H, W) float
    spread : 1×1 convolution to ``fine * step**2`` channels
    last : GELU and a 3×3 convolution from ``fine`` channels to one

    Returns
    -------
    (B, 1, H * step, W * step) float
    """
    narrow, rows, columns = last[1], *features.shape[2:]
    assert isinstance(narrow, nn.Conv2d) and narrow.bias is not None
    places = F.linear(features.permute(0, 2, 3, 1), spread.weight.flatten(1), spread.bias)
    patches = last[0](places).flatten(1, 2) @ _patch_kernel(narrow.weight, step)
    size = rows * step, columns * step
    whole = F.fold(patches.float().transpose(1, 2), size, step + 2, padding=1, stride=step)
    return whole + narrow.bias[:, None, None]


def _patch_kernel(weight: Tensor, step: int) -> Tensor:
    """What each of ``fine * step**2`` channels adds to a patch, from a 3×3 kernel ``(1, fine, 3, 3)``."""
    places = torch.eye(step**2, device=weight.device).view(-1, 1, step, step)
    patches = F.conv2d(places, weight.transpose(0, 1), padding=2)
    return patches.transpose(0, 1).flatten(2).flatten(0, 1)


class MMIUNet(ReferringNetwork):
    """Foreground logits of images described in words (after MMI-UNet; METHOD §1, Networks).

    Parameters as in `ReferringNetwork`; ``config.bridge`` chooses where the bridges attend.
    """

    def __init__(
        self, config: NetworkConfig, words: SmallTextEncoder | FrozenBert, pretrained: bool
    ) -> None:
        super().__init__(config, words, pretrained)
        widths, text = self.vision.widths, config.text_width
        bridge = Bridge if config.bridge == "words" else StageBridge
        self.bridges = nn.ModuleList(
            bridge(width, text, config.heads, config.bridge_feed_forward) for width in widths
        )
        self._add_pointer()
        self.ups = nn.ModuleList(Up(widths[i + 1], widths[i]) for i in (2, 1, 0))
        fine = max(8, widths[0] // 4)
        self.spread = nn.Conv2d(widths[0], fine * self.vision.patch_size**2, 1)
        self.last = nn.Sequential(nn.GELU(), begin_dark(nn.Conv2d(fine, 1, 3, padding=1)))
        self._add_space()

    def forward(self, images: Tensor, descriptions: Sequence[str]) -> Output:
        """Segment.

        Parameters
        ----------
        images : (B, 1 or 3, H, W) float
            Z-scored; sides are multiples of 32.
        descriptions : sequence of str
            One for each image.
        """
        words, present, pooled = self.encode_words(descriptions)
        skips = self._encode_images(images, words, ~present, pooled)
        fused = features = skips.pop()
        for up in self.ups:
            features = up(features, skips.pop())
        logits = refine(features, self.spread, self.last, self.vision.patch_size)
        return self._say(logits, fused, pooled)

    def _encode_images(
        self, images: Tensor, words: Tensor, gone: Tensor, pooled: Tensor
    ) -> list[Tensor]:
        features, kept, skips = self.vision.embed(images), words, []
        for number, (stage, bridge) in enumerate(
            zip(self.vision.stages, self.bridges, strict=True)
        ):
            features = stage(features)
            if number == 0:
                features = self._point(features, pooled)
            features, change = bridge(features, words, gone)
            words = kept + change
            skips.append(features)
        return skips
