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
        fine = F.pixel_shuffle(self.spread(features), self.vision.patch_size)
        return self._say(self.last(fine), fused, pooled)

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
