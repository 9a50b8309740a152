"""The options that the import commands share, and what a command line makes of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import ConventionName
from training.errors import ConfigError
from training.formats.options import Polarity


class PolarityName(StrEnum):
    """What foreground is in a mask file."""

    normal = "normal"
    inverted = "inverted"


class PlaneName(StrEnum):
    """How a volume is sliced."""

    axial = "axial"
    coronal = "coronal"
    sagittal = "sagittal"


class Text(StrEnum):
    """Which column of a QaTa table becomes the description."""

    raw_text = "raw_text"
    clean_caption = "clean_caption"


Source = Annotated[Path, typer.Argument(metavar="SRC", help="File or folder to import.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
Texts = Annotated[
    Path | None, typer.Option(help="csv, xlsx or json table of descriptions by image name.")
]
Column = Annotated[str | None, typer.Option("--text-column", help="Column of the description.")]
Patient = Annotated[
    str,
    typer.Option(
        help="Whose a file is: auto, file, slice (name without its last number), folder, "
        "or a regular expression whose first group is the patient."
    ),
]
MaskPolarity = Annotated[
    PolarityName | None,
    typer.Option(help="Say whether masks are inverted; without it, suspicious ones are refused."),
]
Labels = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Share of the masks that come in accepted; of QaTa's table.csv, the official subset of that name.",
    ),
]
Holdout = Annotated[
    float,
    typer.Option(
        min=0, max=0.9, help="Share of patients that judge and never train, unless SRC fixes them."
    ),
]
Prefix = Annotated[str, typer.Option(help="Put before every case's name.")]
Convention = Annotated[
    ConventionName | None,
    typer.Option("--laterality", help="Whose left the words mean, in a new project."),
]
Window = Annotated[
    str | None, typer.Option(metavar="CENTER,WIDTH", help="Gray window, instead of the file's.")
]
Every = Annotated[int, typer.Option(min=1, help="Take each so-many-th slice.")]
Plane = Annotated[PlaneName, typer.Option(help="How volumes are sliced.")]
KeepUids = Annotated[
    bool, typer.Option("--keep-uids", help="Keep identifiers of study, series and image.")
]


def polarity_of(name: PolarityName | None) -> Polarity | None:
    """What ``--mask-polarity`` says; None where nobody said anything."""
    if name is None:
        return None
    return "inverted" if name is PolarityName.inverted else "normal"


def window_of(text: str | None) -> tuple[float, float] | None:
    """Center and width of ``--window``; None where it is not given.

    Raises
    ------
    ConfigError
        The text is no window: no two numbers, or a width that is not above 0.
    """
    if text is None:
        return None
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        width = center = 0.0
    if not 0 < width < float("inf"):
        raise ConfigError(
            f"--window {text} is no window: write CENTER,WIDTH, as in --window=-600,1500."
        )
    return center, width
