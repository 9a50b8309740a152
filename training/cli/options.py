"""What several commands take, and how figures are written. No command lives here."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from training.estimate import duration
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


def warn(sentence: str) -> None:
    """Say something beside what the command prints."""
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def going_on() -> Iterator[None]:
    """Do long work of which an interruption loses nothing.

    Raises
    ------
    Exit
        With status 130 and a sentence, after an interruption.
    """
    try:
        yield
    except KeyboardInterrupt:
        warn("Stopped. What is finished is kept: the same command goes on from there.")
        raise typer.Exit(130) from None


class Ahead:
    """How long the rest of some like pieces of work will take, by what the first ones took.

    Parameters
    ----------
    count : int
        Pieces to do.
    """

    def __init__(self, count: int) -> None:
        self._count, self._done, self._begun = count, 0, time.monotonic()

    def after_one(self) -> str:
        """One more is done: how many that makes, and the time that the others will take."""
        self._done += 1
        left = self._count - self._done
        told = f"{self._done} of {self._count}"
        if left <= 0:
            return told
        seconds = left * (time.monotonic() - self._begun) / self._done
        return f"{told}, about {duration(seconds)} more"


def write_figures(file: Path, figures: Any) -> None:
    """Write figures as JSON, all at once; SemiMedRefError if the disk refuses."""
    write_atomically(file, json.dumps(figures, indent=1))
