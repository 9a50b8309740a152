"""The values that the pool hands out and takes in. Frozen, free of SQL; nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

Pool = Literal["labeled", "unlabeled", "gate", "report"]
Split = Literal["training", "gate", "report"]
Source = Literal["teacher", "edited", "drawn", "dataset"]

HOLDOUT: tuple[Split, Split] = ("gate", "report")


@dataclass(frozen=True)
class Case:
    """One image with one description, as it stands now.

    Attributes
    ----------
    id : str
        Unique in the project and stable; the image's name where it came from.
    patient : str
        Key by which the holdout is pinned: no patient is on both sides.
    pool : {"labeled", "unlabeled", "gate", "report"}
        Derived: a training case with a revision is labeled; ``gate`` and ``report`` are the holdout's halves.
    description : str
        The latest revision's, or the one it was imported with.
    image : str
        Path of the image, relative to the project's folder.
    mask : str or None
        Path of the reference mask, relative to the project's folder; None while nobody accepted one.
    width, height : int
        Size of the image in pixels.
    revisions : int
        How many revisions there are.
    skipped : bool
        Whether the last thing a reader did with it was to skip it.
    """

    id: str
    patient: str
    pool: Pool
    description: str
    image: str
    mask: str | None
    width: int
    height: int
    revisions: int
    skipped: bool

    @property
    def is_holdout(self) -> bool:
        """Whether the case is pinned for evaluation and may never be trained on."""
        return self.pool in HOLDOUT


@dataclass(frozen=True)
class Revision:
    """One immutable (mask, description, reader, time, source) of a case. ``mask`` is relative to the project."""

    id: int
    case_id: str
    mask: str
    description: str
    reader: str
    source: Source
    outcome: str
    model_id: str | None
    pixels_changed: int | None
    dice_to_proposal: float | None
    active_seconds: float | None
    strokes: int | None
    created_at: str


@dataclass(frozen=True)
class Draft:
    """What a reader has changed but not accepted: mask ``(H, W) uint8, 0 or 1`` and description."""

    case_id: str
    reader: str
    mask: np.ndarray = field(repr=False)
    description: str
    strokes: int
    updated_at: str


@dataclass(frozen=True)
class Proposal:
    """A teacher's output for a case, made from ``description``; ``entropy`` in nats, mean over pixels."""

    case_id: str
    model_id: str
    probability: str
    description: str
    entropy: float
    foreground: float


@dataclass(frozen=True)
class Model:
    """A promoted or refused teacher. ``folder`` holds its weights and ``model.json``."""

    id: str
    run_id: int
    folder: Path
    scores: dict
    promoted: bool
    created_at: str


@dataclass(frozen=True)
class Run:
    """One execution of the trainer. ``outcome`` is None until the gate has decided."""

    id: int
    folder: Path
    labeled: int
    unlabeled: int
    created_at: str
    outcome: str | None
    reason: str | None


@dataclass(frozen=True)
class IncomingCase:
    """A case as a format's reader found it; nothing has been checked yet.

    Attributes
    ----------
    name : str
        Becomes the case's id.
    image : Path or (H, W) uint8 or uint16 array
        The image's file, or its pixels where it was made in memory.
    description : str
    patient : str
    split : {"training", "gate", "report", "holdout"} or None
        A split that the source fixes. "holdout" leaves the half to the project; None leaves everything to it.
    mask : Path, (H, W) array or None
        Accepted mask: becomes the first revision by the reader "dataset".
    hidden_mask : Path, (H, W) array or None
        Known to the source but withheld: only simulation and evaluation may ever read it.
    source : dict or None
        JSON-able record of where the image comes from (a de-identified header, a grid); kept with the case.
    """

    name: str
    image: Path | np.ndarray = field(repr=False)
    description: str
    patient: str
    split: Literal["training", "gate", "report", "holdout"] | None = None
    mask: Path | np.ndarray | None = field(default=None, repr=False)
    hidden_mask: Path | np.ndarray | None = field(default=None, repr=False)
    source: dict | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ImportReport:
    """What an import did: ids added, ids that were there already, and ``(name, sentence)`` of what failed."""

    added: tuple[str, ...]
    already: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    def sentence(self) -> str:
        """Say the outcome in one line, the first problem included."""
        text = f"{len(self.added)} cases added, {len(self.already)} were there already, {len(self.failed)} failed."
        return f"{text} First problem: {self.failed[0][1]}" if self.failed else text
