"""The vision encoder: a ConvNeXt of any size, from scratch or pretrained, used stage by stage. It sees no words."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import ConvNextConfig, ConvNextModel

from training.config import NetworkConfig
from training.engine.networks.convnext_release import load_release
from training.errors import EngineError


class VisionEncoder(nn.Module):
    """Four stages of a ConvNeXt (Liu et al., 2022).

    Parameters
    ----------
    config : NetworkConfig
        Widths and depths, or the pretrained weights that set them.
    pretrained : bool
        False builds the pretrained architecture without its weights (they come from a model file).

    Raises
    ------
    EngineError
        If pretrained weights are named but cannot be loaded.
    """

    def __init__(self, config: NetworkConfig, pretrained: bool) -> None:
        super().__init__()
        wanted = config.vision_weights and pretrained
        model = _pretrained(config) if wanted else _unloaded(config)
        self.depths: tuple[int, ...] = tuple(model.config.depths or ())
        self.widths: tuple[int, ...] = tuple(model.config.hidden_sizes or ())
        self.patch_size = int(model.embeddings.patch_embeddings.stride[0])
        self.channels: int = model.config.num_channels
        self.embeddings = model.embeddings
        self.stages = model.encoder.stages

    def embed(self, images: Tensor) -> Tensor:
        """``(B, 1 or 3, H, W)`` to ``(B, widths[0], H / patch, W / patch)``."""
        if images.shape[1] != self.channels:
            images = images.mean(1, keepdim=True).expand(-1, self.channels, -1, -1)
        embedded: Tensor = self.embeddings(images)
        return embedded


def _unloaded(config: NetworkConfig) -> ConvNextModel:
    imitate = config.vision_weights is not None
    return ConvNextModel(
        ConvNextConfig(
            num_channels=config.channels or (3 if imitate else 1),
            patch_size=config.patch_size,
            hidden_sizes=list(config.widths),
            depths=list(config.depths),
            # Narrow layers need larger initial weights than the 0.02 of wide ones.
            initializer_range=max(0.02, 0.5 / math.sqrt(config.widths[0])),
            layer_scale_init_value=1e-6 if imitate else 0.0,
        )
    )


def _pretrained(config: NetworkConfig) -> ConvNextModel:
    if str(config.vision_weights).endswith(".safetensors"):
        return load_release(Path(str(config.vision_weights)))
    try:
        return ConvNextModel.from_pretrained(
            config.vision_weights, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise EngineError(
            f"The vision encoder {config.vision_weights} cannot be loaded as a ConvNeXt from "
            "safetensors: give a folder with config.json and model.safetensors, a hub name, or a "
            ".safetensors file in the layout of the original release."
        ) from error


def position_code(height: int, width: int, channels: int, like: Tensor) -> Tensor:
    """Sinusoids of the place in the picture, the same at every resolution.

    Returns
    -------
    (height, width, channels) float
        Half of the channels code the row, half the column; 0 is the top or left edge, 1 the other.
    """
    quarter = channels // 4
    frequencies = math.pi * 2.0 ** torch.linspace(-1, 3, quarter, device=like.device)
    rows = (torch.arange(height, device=like.device) + 0.5) / height
    columns = (torch.arange(width, device=like.device) + 0.5) / width
    row, column = rows[:, None] * frequencies, columns[:, None] * frequencies
    code = torch.cat(
        [
            torch.cat([row.sin(), row.cos()], 1)[:, None].expand(height, width, -1),
            torch.cat([column.sin(), column.cos()], 1)[None].expand(height, width, -1),
        ],
        dim=2,
    )
    return nn.functional.pad(code, (0, channels - code.shape[2])).to(like.dtype)
