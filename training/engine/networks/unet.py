"""The image-only baseline: MONAI's U-Net behind the project's interface. MONAI is imported only when one is built."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from training.config import NetworkConfig
from training.engine.networks.lvit import without_words
from training.engine.networks.referring import Output, begin_dark
from training.engine.networks.text import NoWords


class UNet(nn.Module):
    """Foreground logits of images alone; descriptions are not read (Ronneberger et al., 2015).

    Parameters
    ----------
    config : NetworkConfig
        ``widths`` of the four upper levels; the bottom is as wide as the fourth.
    words : NoWords
        Carries the vocabulary into the model file.
    """

    def __init__(self, config: NetworkConfig, words: NoWords) -> None:
        # Takes seconds: only for those who want one.
        from monai.networks.nets.basic_unet import BasicUNet

        super().__init__()
        self.config = config
        self.words = words
        wide = config.widths
        features = (*wide, wide[3], wide[0])
        self.body = BasicUNet(
            spatial_dims=2, in_channels=1, out_channels=wide[0], features=features
        )
        self.last = begin_dark(nn.Conv2d(wide[0], 1, 1))
        self.project_image = nn.Linear(wide[0], config.projection)

    def forward(self, images: Tensor, descriptions: Sequence[str]) -> Output:
        """Segment ``(B, 1, H, W)`` z-scored images whose sides are multiples of 32."""
        features = self.body(images)
        return without_words(self.last(features), self.project_image(features.mean((2, 3))))
