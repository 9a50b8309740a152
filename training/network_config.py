"""The settings of a network, and how a setting is written down: value, bounds, step and meaning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.errors import ConfigError


def number(default: float, low: float, high: float, step: float, meaning: str) -> Any:
    """A number's field: bounds and meaning for files, the step for forms."""
    extra: dict[str, Any] = {"step": step}
    return Field(default, ge=low, le=high, description=meaning, json_schema_extra=extra)


def choice(default: Any, meaning: str) -> Any:
    """Any other setting's field."""
    return Field(default, description=meaning)


class Settings(BaseModel):
    """Base of all settings: frozen, and an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkConfig(Settings):
    """The network, at any size."""

    name: Literal["mmi-unet", "guide-decoder", "lvit-t", "lvit-s", "lvit-b", "u-net"] = choice(
        "mmi-unet",
        "mmi-unet: words meet the encoder; guide-decoder: the decoder; lvit: transformers of depth "
        "1, 4, 6 beside a U-Net; u-net: no words.",
    )
    image_size: int = Field(
        default=96,
        ge=32,
        le=1024,
        multiple_of=32,
        description="Side of the square the network sees, in pixels.",
        json_schema_extra={"step": 32},
    )
    text_tokens: int = number(48, 8, 512, 1, "Longest description in tokens; the rest is cut.")
    widths: tuple[int, int, int, int] = choice(
        (24, 48, 72, 96), "Channels of the four stages of the vision encoder."
    )
    depths: tuple[int, int, int, int] = choice(
        (1, 1, 2, 1), "Blocks in the four stages of the vision encoder."
    )
    channels: int = number(
        0, 0, 3, 1, "Channels of the first layer; 0: one, or as many as pretrained weights have."
    )
    patch_size: int = number(4, 2, 4, 2, "Stride of the vision encoder's first layer, in pixels.")
    vision_weights: str | None = choice(
        None, "Pretrained ConvNeXt: folder, hub name or .safetensors; it sets widths and depths."
    )
    text_encoder: Literal["small", "hf"] = choice(
        "small", "small: trained from scratch; hf: a frozen pretrained BERT."
    )
    text_weights: str | None = choice(None, "Folder or hub name of the pretrained BERT.")
    text_dropout: float = number(0.15, 0, 0.9, 0.05, "Dropout on a frozen BERT's features.")
    text_width: int = number(
        48, 16, 1024, 8, "Width of the small text encoder, and of words in the network."
    )
    text_layers: int = number(2, 1, 12, 1, "Layers of the small text encoder.")
    heads: int = number(4, 1, 16, 1, "Attention heads of the bridges.")
    bridge: Literal["words", "stage"] = choice(
        "words", "Where bridges attend: at the width of the words, or of each vision stage."
    )
    bridge_feed_forward: int = number(96, 16, 4096, 16, "Hidden width of the bridges.")
    projection: int = number(64, 8, 1024, 8, "Width of the space where images and texts meet.")
    use_text: bool = choice(True, "Whether the network reads the descriptions.")
    pointer: bool = choice(True, "Whether words get a direct way to a place in the picture.")
    zone_reading: bool = choice(True, "Whether the six zones are read back from the words.")

    @model_validator(mode="after")
    def _weights_named(self) -> NetworkConfig:
        if self.text_encoder == "hf" and not self.text_weights:
            raise ConfigError("The text encoder 'hf' needs text_weights: a folder or a hub name.")
        return self

    @model_validator(mode="after")
    def _heads_fit(self) -> NetworkConfig:
        split = {"text_width": self.text_width} if self.text_encoder == "small" else {}
        if self.name == "mmi-unet" and self.bridge == "words":
            split["text_width"] = self.text_width
        for name, width in split.items():
            if width % self.heads:
                raise ConfigError(f"{name} {width} cannot be split among {self.heads} heads.")
        attended = {
            "mmi-unet": self.heads if self.bridge == "stage" else 1,
            "guide-decoder": 4,
            "u-net": 1,
        }
        heads = attended.get(self.name, self.heads)
        for width in self.widths[1:] if self.name == "guide-decoder" else self.widths:
            if width % heads:
                raise ConfigError(
                    f"The width {width} cannot be split among {heads} heads: "
                    "choose widths that can."
                )
        return self
