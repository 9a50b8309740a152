"""The values that the pool hands out and takes in. Frozen, free of SQL; nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

Pool = Literal["labeled", "unlabeled", "gate", "report"]
Split = Literal["training", "gate", "report"]
AskedSplit = Literal["training", "gate", "report", "holdout"]
Source = Literal["teacher", "edited", "drawn", "dataset"]
Outcome = Literal["as is", "edited", "redrawn", "imported", "adjudicated"]
Reading = Literal["open", "blind", "adjudication", "planted"]

DATASET_READER = "dataset"  # the reader of masks that came with an import
SCRIPTED_READER = "simulated reader"  # who plays people in `training.simulate`
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
        Whether a reader put it aside since its reference mask, if it has one, was accepted.
    revision_id : int or None
        The revision whose mask and description these are: what a reader who opens the case now starts from.
    contested : bool
        Whether readers disagree about it and nobody has adjudicated yet.
    zones : frozenset of str
        What the description names, as it was read when it was written.
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
    revision_id: int | None = None
    contested: bool = False
    zones: frozenset[str] = frozenset()

    @property
    def is_holdout(self) -> bool:
        """Whether the case is pinned for evaluation and may never be trained on."""
        return self.pool in HOLDOUT


@dataclass(frozen=True)
class Revision:
    """One immutable (mask, description, reader, time, source) of a case, and how it came about.

    Attributes
    ----------
    mask : str
        Path relative to the project's folder.
    outcome : str
        What became of the proposal: "as is", "edited", "redrawn"; "imported" and "adjudicated" had none.
    model_id : str or None
        Hash of the weights whose proposal the reader saw.
    pixels_changed : int or None
        Against the proposal, as is ``dice_to_proposal``.
    active_seconds : float or None
        Of work, pauses left out.
    number : int
        1, 2, ... within the case.
    parent_id : int or None
        The revision that the reader started from; where another one had come in between, readers disagree.
    reading : {"open", "blind", "adjudication", "planted"}
        Only an open reading or an adjudication can become the reference. ``planted``: a proposal that was wrong on
        purpose was let stand; kept, disputed, and no reference.
    digest : str
        Hash of all of the above but the id, and of the case's digest before: a changed row gives itself away.
    """

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
    number: int = 0
    parent_id: int | None = None
    reading: Reading = "open"
    digest: str = ""


class Waiting(NamedTuple):  # a tuple, because a queue is planned over tens of thousands of them
    """A case without a reference mask, and what the serving teacher said of it (None without a proposal); ``proposed``
    are the zones that its proposal touches."""

    case_id: str
    patient: str
    pool: Pool
    zones: frozenset[str]
    skipped: bool
    entropy: float | None
    foreground: float | None
    proposed: frozenset[str] | None = None


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
    """A teacher's output for a case, made from ``description``; ``entropy`` in nats, mean over pixels; ``zones`` as six
    bits, None where they were not looked at."""

    case_id: str
    model_id: str
    probability: str
    description: str
    entropy: float
    foreground: float
    zones: int | None = None


@dataclass(frozen=True)
class Model:
    """A promoted or refused teacher. ``folder`` holds its weights and ``model.json``.

    Attributes
    ----------
    run_id : int or None
        None for a model that came from another project.
    card : dict or None
        How it came about, JSON-able; None for models of before there were cards.
    origin : str
        The project or file that it came from; empty for one made here.
    """

    id: str
    run_id: int | None
    folder: Path
    scores: dict[str, Any]
    promoted: bool
    created_at: str
    card: dict[str, Any] | None = None
    origin: str = ""


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
    split: AskedSplit | None = None
    mask: Path | np.ndarray | None = field(default=None, repr=False)
    hidden_mask: Path | np.ndarray | None = field(default=None, repr=False)
    source: dict[str, Any] | None = field(default=None, repr=False)


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
