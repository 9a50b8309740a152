"""What the import dialog asks for and gets: look at a source, rehearse its import, carry it out. Runs in a thread, with
a database connection of its own. No Qt; what formats mean and what an import does is `training.formats`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from napari_semimedref.background import Stopped, Tell
from training.errors import FormatError, SemiMedRefError
from training.formats import FormatName, ReadOptions, detect, read
from training.formats.bring_in import Outcome
from training.formats.entry import check_source, import_from, plan, usual_laterality
from training.formats.pictures import load_mask
from training.formats.tables import KINDS
from training.next_round import next_config, save_next_config
from training.pool import IncomingCase, Project
from training.pool.database import is_project
from training.report.zones import Convention

SAMPLED_MASKS, SAMPLED_FINDS = 40, 400
# What the options of an import are called in the dialog.
TITLES = {
    "labels": "Labels",
    "texts": "Texts table",
    "text_column": "Text column",
    "mask_polarity": "Mask polarity",
    "patient_rule": "Patient rule",
    "holdout": "Holdout",
    "prefix": "Prefix",
    "window": "Gray window",
    "every": "Slice step",
    "plane": "Plane",
    "keep_uids": "Identifiers",
    "laterality": "Left means",
}
_FLAG = re.compile(r"(?:a )?(--[a-z][a-z-]*)")
_COMMAND = re.compile(r"import it with `import (\w+)`")


@dataclass(frozen=True)
class Request:
    """One import as a reader asked for it.

    Attributes
    ----------
    folder : Path
        The project's; made with ``laterality`` if there is none.
    """

    source: Path
    name: FormatName
    folder: Path
    laterality: Convention
    options: ReadOptions


@dataclass(frozen=True)
class Looked:
    """What a source is at first sight."""

    name: FormatName
    laterality: Convention
    detected: bool


@dataclass(frozen=True)
class MaskShare:
    """Foreground of the first masks as they would come in: shares of the film in [0, 1]."""

    masks: int
    mean: float
    least: float
    most: float

    def sentence(self) -> str:
        """The shares in words."""
        if self.masks == 1:
            return f"The first mask covers {self.mean:.1%} of its film."
        return (
            f"The first {self.masks} masks cover {self.mean:.1%} of their films "
            f"({self.least:.1%} to {self.most:.1%})."
        )


@dataclass(frozen=True)
class Rehearsal:
    """What an import would do."""

    request: Request
    outcome: Outcome
    share: MaskShare | None


@dataclass(frozen=True)
class Carried:
    """What an import did.

    Attributes
    ----------
    outcome : Outcome or None
        None if it ended early; ``reason`` then says why.
    kept : int
        Cases that are in the project now and were not before.
    """

    request: Request
    outcome: Outcome | None
    kept: int
    reason: str = ""


def source_of(dropped: Path) -> tuple[Path, Path | None]:
    """The source that a dropped file or folder stands for, and the table of texts if it was one.

    A table stands for its folder; QaTa's own ``table.csv`` is found there without being named.
    """
    if dropped.is_file() and dropped.name.lower().endswith(tuple(KINDS)):
        return dropped.parent, None if dropped.name == "table.csv" else dropped
    return dropped, None


def look(source: Path, name: FormatName | None) -> Looked:
    """Which format a source has (``name`` if that is settled), and whose left its words usually mean."""
    found = name or detect(source)
    return Looked(found, usual_laterality(source, found), detected=name is None)


def rehearse(request: Request, tell: Tell) -> Rehearsal:
    """Read and check everything, change nothing."""
    project = Project.open(request.folder) if is_project(request.folder) else None
    try:
        if project is None:
            _check_empty(request.folder)
        outcome = plan(request.source, project, request.options, name=request.name, progress=tell)
    finally:
        if project is not None:
            project.close()
    return Rehearsal(request, outcome, mask_share(request))


def carry_out(request: Request, tell: Tell) -> Carried:
    """Import. Stopped or failed halfway, what was committed stays and is counted."""
    check_source(request.source, request.options, request.name)
    project = _open_or_make(request)
    try:
        before = project.counts().total()
        outcome, reason = None, ""
        try:
            outcome = import_from(
                request.source, project, request.options, name=request.name, progress=tell
            )
        except Stopped:
            reason = "Stopped."
        except SemiMedRefError as error:
            reason = str(error)
        return Carried(request, outcome, project.counts().total() - before, reason)
    finally:
        project.close()


def mask_share(request: Request) -> MaskShare | None:
    """Foreground of the first masks, turned round if that was chosen; None where there are none."""
    options = replace(request.options, mask_polarity="normal", secret=b"rehearsal")
    shares: list[float] = []
    for found in islice(read(request.name, request.source, options), SAMPLED_FINDS):
        mask = (
            (found.mask if found.mask is not None else found.hidden_mask)
            if isinstance(found, IncomingCase)
            else None
        )
        if mask is None:
            continue
        try:
            pixels = load_mask(mask, "normal") if isinstance(mask, Path) else mask
        except FormatError:  # the rehearsal tells it
            continue
        shares.append(float(np.mean(pixels > 0)))
        if len(shares) == SAMPLED_MASKS:
            break
    if not shares:
        return None
    if request.options.mask_polarity == "inverted":
        shares = [1 - share for share in shares]
    return MaskShare(len(shares), float(np.mean(shares)), min(shares), max(shares))


def window_of(text: str) -> tuple[float, float] | None:
    """Center and width of a gray window written as ``CENTER, WIDTH``; None for nothing.

    Raises
    ------
    FormatError
        The text is no window: no two numbers, or a width that is not above 0.
    """
    if not text.strip():
        return None
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        center = width = 0.0
    if not 0 < width < float("inf"):
        raise FormatError(f"{text} is no gray window: write CENTER, WIDTH, as in -600, 1500.")
    return center, width


def in_the_dialogs_words(sentence: str) -> str:
    """A sentence written for the commands, with the names that the dialog's fields have."""
    sentence = _COMMAND.sub(r"choose the format “\1”", sentence)

    def titled(found: re.Match[str]) -> str:
        option = found[1].removeprefix("--").replace("-", "_")
        return f"“{TITLES.get(option, found[1])}”"

    return _FLAG.sub(titled, sentence)


def _check_empty(folder: Path) -> None:
    taken = folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir())
    if taken or folder.is_file():
        raise FormatError(f"{folder} is taken and holds no project: choose a new or empty folder.")


def _open_or_make(request: Request) -> Project:
    if is_project(request.folder):
        return Project.open(request.folder)
    project = Project.create(request.folder, laterality=request.laterality)
    save_next_config(project, next_config(project))
    return project
