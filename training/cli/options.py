"""What several commands take, and how figures are written. No command lives here."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from training.files import write_atomically

ProjectFolder = Annotated[Path, typer.Argument(metavar="PROJECT", help="Folder of the project.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")]
JsonOrScreen = Annotated[
    Path | None, typer.Option("--json", help="Where to write the figures; - for the screen.")
]


class ConventionName(StrEnum):
    """Whose left the descriptions mean."""

    image = "image"
    patient = "patient"


def write_figures(file: Path, figures: Any) -> None:
    """Write figures as JSON, all at once; SemiMedRefError if the disk refuses."""
    write_atomically(file, json.dumps(figures, indent=1))
