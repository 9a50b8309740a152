"""ConvNeXt weights in the layout of the original release, as safetensors: their sizes, and their names here."""

from __future__ import annotations

import re
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import ConvNextConfig, ConvNextModel

from training.errors import EngineError

BLOCK = {
    "dwconv": "dwconv",
    "norm": "layernorm",
    "pwconv1": "pwconv1",
    "pwconv2": "pwconv2",
    "gamma": "layer_scale_parameter",
}
_BLOCK = re.compile(r"stages\.(\d+)\.(\d+)\.(dwconv|norm|pwconv1|pwconv2|gamma)(\.\w+)?")
_STEP = re.compile(r"downsample_layers\.(\d+)\.([01])\.(weight|bias)")
_STEM = ("embeddings.patch_embeddings", "embeddings.layernorm")


def load_release(path: Path) -> ConvNextModel:
    """A ConvNeXt from a ``.safetensors`` file with the keys of the original release.

    The classifier (``head``) is left out; widths, depths, channels and the first stride follow from the shapes.

    Raises
    ------
    EngineError
        If the file is missing, damaged or no ConvNeXt.
    """
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise EngineError(
            f"The vision encoder {path} is missing or no safetensors file."
        ) from error
    ours = {name: weights[key] for key in weights if (name := here(key)) is not None}
    try:
        model = ConvNextModel(_config(weights))
        missing, unknown = model.load_state_dict(ours, strict=False)
    except (KeyError, RuntimeError, ValueError) as error:
        raise EngineError(_not_a_convnext(path)) from error
    if unknown or [name for name in missing if not name.startswith("layernorm.")]:
        raise EngineError(_not_a_convnext(path))
    return model


def here(key: str) -> str | None:
    """Our name of a released weight; None for the classifier; unknown names stay as they are."""
    if key.startswith("head."):
        return None
    if key.startswith("norm."):
        return f"layer{key}"
    if block := _BLOCK.fullmatch(key):
        stage, layer, part, rest = block.groups()
        return f"encoder.stages.{stage}.layers.{layer}.{BLOCK[part]}{rest or ''}"
    if step := _STEP.fullmatch(key):
        stage, part, kind = int(step[1]), int(step[2]), step[3]
        if stage == 0:
            return f"{_STEM[part]}.{kind}"
        return f"encoder.stages.{stage}.downsampling_layer.{part}.{kind}"
    return key


def _config(weights: dict[str, Tensor]) -> ConvNextConfig:
    stem = weights["downsample_layers.0.0.weight"]
    blocks = {(int(m[1]), int(m[2])) for key in weights if (m := _BLOCK.fullmatch(key))}
    depths = [sum(stage == number for stage, _ in blocks) for number in range(4)]
    widths = [weights[f"stages.{number}.0.dwconv.weight"].shape[0] for number in range(4)]
    return ConvNextConfig(
        num_channels=stem.shape[1],
        patch_size=stem.shape[2],
        hidden_sizes=widths,
        depths=depths,
        layer_scale_init_value=1e-6 if "stages.0.0.gamma" in weights else 0.0,
    )


def _not_a_convnext(path: Path) -> str:
    return (
        f"{path} holds no ConvNeXt in the layout of the original release (downsample_layers, stages): "
        "convert such a state dict to safetensors, or give a folder with config.json and model.safetensors."
    )
