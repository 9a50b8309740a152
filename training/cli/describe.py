"""The command that tells what a network costs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from training.cli.options import JsonOrScreen, write_figures
from training.cli.rounds import ConfigFile
from training.config import PRESETS, NetworkConfig, RunConfig, preset
from training.errors import ConfigError

NAMES: tuple[str, ...] = get_args(NetworkConfig.model_fields["name"].annotation)
# LViT's variants without text are a setting of it.
WORDLESS = {f"{name}w": name for name in NAMES if name.startswith("lvit")}
# Which preset holds a network's published size; that of LViT, whose U has the same widths, for the U-Net.
PAPER_PRESETS = {"mmi-unet": "paper", "guide-decoder": "paper"}
OTHER_PAPER_PRESET = "lvit"
PAPER_SIZED = ("paper", "release", "lvit")
# METHOD's figures of the published networks at 224 x 224; those of LViT leave the encoder of the words out.
PUBLISHED: dict[str, dict[str, float]] = {
    "mmi-unet": {
        "parameters": 166e6,
        "parameters_with_gradient": 56e6,
        "multiply_adds": 10.0e9,
    },
    "guide-decoder": {
        "parameters": 153e6,
        "parameters_with_gradient": 44e6,
        "multiply_adds": 10.9e9,
    },
    "lvit-t": {"parameters_with_gradient": 29.7e6, "multiply_adds_without_words": 27.05e9},
    "lvit-tw": {"parameters_with_gradient": 28.0e6},
    "lvit-s": {"parameters_with_gradient": 54.8e6},
    "lvit-b": {"parameters_with_gradient": 71.5e6},
}
LABELS = (
    ("parameters", "parameters", "M"),
    ("parameters with gradient", "parameters_with_gradient", "M"),
    ("multiply-adds", "multiply_adds", "G"),
    ("without those of the words", "multiply_adds_without_words", "G"),
)
SCALES = {"G": 1e9, "M": 1e6, "K": 1e3}
WHY = {
    "mmi-unet": "Differences to the published figures: group norms for batch norms, words keep all their tokens "
    "instead of being projected over them, and the last layers are narrower (docs/method.md).",
    "guide-decoder": "Differences to the published figures: group norms for batch norms, and words keep all their "
    "tokens instead of being projected over them (docs/method.md).",
}
WHY_LVIT = "Differences to the published network: docs/lvit.md."


@dataclass(frozen=True)
class Named:
    """What a name such as "lvit-tw" or "mmi-unet-demo" stands for.

    Attributes
    ----------
    network : str
        With a "w" at its end where it is LViT without text.
    preset : str or None
        Where its size comes from; None for a file.
    config : NetworkConfig
    """

    network: str
    preset: str | None
    config: NetworkConfig

    @property
    def size(self) -> str:
        """Whether that is the published size: "paper", "small", or "file" where a file says it."""
        if self.preset is None:
            return "file"
        return "paper" if self.preset in PAPER_SIZED else "small"


def describe(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help=f"{', '.join((*NAMES, *WORDLESS))}: the published size; with a preset, its size: mmi-unet-demo.",
        ),
    ],
    config: ConfigFile = None,
    json_file: JsonOrScreen = None,
) -> None:
    """Print a network's parameters and multiply-adds; nothing is downloaded."""
    named = network_named(network, config)
    from training.engine.describe import cost_of

    cost = asdict(cost_of(named.config))
    published = PUBLISHED.get(named.network, {}) if named.size == "paper" else {}
    figures = {
        "name": network,
        "size": named.size,
        "preset": named.preset,
        **cost,
        "network": named.network,
    }
    if published:
        figures["published"] = published
    if str(json_file) == "-":
        print(json.dumps(figures, indent=1))
        return
    if json_file is not None:
        write_figures(json_file, figures)
    for line in _lines(named, cost, published):
        print(line)


def network_named(name: str, file: Path | None = None) -> Named:
    """What a name stands for: the published size of a network, with a preset's name behind it that preset's.

    Parameters
    ----------
    name : str
        "NETWORK" or "NETWORK-PRESET".
    file : Path, optional
        Settings to take the size from instead.

    Raises
    ------
    ConfigError
        If there is no such network or preset, or both a preset and a file are asked for.
    """
    for network in (*NAMES, *WORDLESS):
        asked = name.removeprefix(f"{network}-") if name != network else ""
        if not name.startswith(network) or (asked and asked not in PRESETS):
            continue
        if file is not None and asked:
            raise ConfigError(
                f"A file and a preset both say the size: give {network!r} with --config, or {name!r} without."
            )
        own = PAPER_PRESETS.get(network, OTHER_PAPER_PRESET)
        chosen = None if file else own if asked in ("", "paper") else asked
        settings = RunConfig.load(file) if file else preset(chosen or own)
        content = settings.network.model_dump()
        content["name"] = WORDLESS.get(network, network)
        if network.startswith("lvit"):
            content["use_text"] = network not in WORDLESS
        return Named(network, chosen, NetworkConfig.model_validate(content))
    raise ConfigError(
        f"There is no network {name!r}: choose {', '.join((*NAMES, *WORDLESS))}, "
        f"with or without a preset ({', '.join(f'-{each}' for each in PRESETS)})."
    )


def _lines(named: Named, cost: dict[str, Any], published: dict[str, float]) -> list[str]:
    side = cost["image_size"]
    size = f"{named.size} size, preset {named.preset}" if named.preset else "the file's size"
    told = [f"{named.network}, {size}, {side} x {side} pixels"]
    for label, name, unit in LABELS:
        against = ""
        if name in published:
            theirs = published[name]
            against = (
                f"   published {theirs / SCALES[unit]:.1f} {unit}, {cost[name] / theirs - 1:+.1%}"
            )
        told.append(f"  {label:<27}{_scaled(cost[name], unit):>12}{against}")
    parts = (f"{name} {_scaled(count)}" for name, count in cost["parts"].items() if count)
    told.append(f"  parts: {', '.join(parts)}")
    if cost["parameters_unread"]:
        told.append(f"  of these, {_scaled(cost['parameters_unread'])} are read by nothing.")
    if published:
        told.append(WHY_LVIT if named.network.startswith("lvit") else WHY.get(named.network, ""))
    return [line for line in told if line]


def _scaled(count: float, unit: str = "M") -> str:
    """A number of many digits in a unit, or in the largest below it of which there is a tenth."""
    fitting = [
        name for name in SCALES if SCALES[name] <= SCALES[unit] and count >= SCALES[name] / 10
    ]
    chosen = fitting[0] if fitting else "K"
    return f"{count / SCALES[chosen]:.2f} {chosen}"
