"""The command that tells what a network costs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, get_args

import typer

from training.config import PRESETS, NetworkConfig, preset
from training.errors import ConfigError
from training.files import write_atomically

NAMES: tuple[str, ...] = get_args(NetworkConfig.model_fields["name"].annotation)
# METHOD's figures of the published networks: parameters, those with gradient, multiply-adds at 224 x 224.
PUBLISHED = {"mmi-unet": (166e6, 56e6, 10.0e9), "guide-decoder": (153e6, 44e6, 10.9e9)}
WHY = (
    "Differences to the published figures: group norms for batch norms, words keep all their tokens "
    "instead of being projected over them, and MMI-UNet's last layers are narrower (docs/method.md)."
)


def describe(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help=f"{', '.join(NAMES)}, alone or with a preset: mmi-unet-paper.",
        ),
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the figures; - for the screen.")
    ] = None,
) -> None:
    """Print a network's parameters and multiply-adds; nothing is downloaded."""
    config, size = network_named(network)
    from training.engine.describe import cost_of

    cost = cost_of(config)
    figures = {"name": network, "preset": size, **asdict(cost)}
    published = PUBLISHED.get(config.name) if size in ("paper", "release") else None
    if published:
        figures["published"] = dict(
            zip(("parameters", "parameters_with_gradient", "multiply_adds"), published, strict=True)
        )
    if json_file is not None:
        text = json.dumps(figures, indent=1)
        if str(json_file) == "-":
            print(text)
            return
        write_atomically(json_file, text)
    print(f"{config.name}, preset {size}, {cost.image_size} x {cost.image_size} pixels")
    for number, (label, name, unit) in enumerate(
        (
            ("parameters", "parameters", "M"),
            ("parameters with gradient", "parameters_with_gradient", "M"),
            ("multiply-adds", "multiply_adds", "G"),
        )
    ):
        scale, ours = (1e6 if unit == "M" else 1e9), figures[name]
        against = ""
        if published:
            theirs = published[number]
            against = f"   published {theirs / scale:.1f} {unit}, {ours / theirs - 1:+.1%}"
        print(f"  {label:<26}{ours / scale:9.2f} {unit}{against}")
    parts = ", ".join(f"{name} {count / 1e6:.2f}" for name, count in cost.parts.items() if count)
    print(f"  parts in M: {parts}")
    if cost.parameters_unread:
        print(f"  of these, {cost.parameters_unread / 1e6:.2f} M are read by nothing.")
    if published:
        print(WHY)


def network_named(name: str) -> tuple[NetworkConfig, str]:
    """Settings and preset of "NETWORK" or "NETWORK-PRESET"; ConfigError for an unknown name."""
    for network in NAMES:
        size = name.removeprefix(f"{network}-") if name != network else "default"
        if name.startswith(network) and size in PRESETS:
            content = preset(size).network.model_dump()
            return NetworkConfig.model_validate({**content, "name": network}), size
    raise ConfigError(
        f"There is no network {name!r}: choose {', '.join(NAMES)}, "
        f"with or without a preset ({', '.join(f'-{each}' for each in PRESETS)})."
    )
