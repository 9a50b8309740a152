"""A reader's unaccepted work on a case, and the history of its mask, in the project. The work is a row of the database;
the history is a file beside it, which only undo and redo depend on.

    PROJECT/drafts/HASH.json    one for each case and reader; the newest ones are kept
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.editing import History, Trail
from training.errors import PoolError
from training.files import write_atomically
from training.pool import Project

FOLDER = "drafts"
MOST_HISTORIES = 1000


@dataclass(frozen=True)
class Work:
    """What a reader has made of a case so far; nothing in it changes any more.

    Attributes
    ----------
    mask : (H, W) uint8, 0 or 1
    trail : Trail
        How the mask came about.
    """

    case_id: str
    reader: str
    mask: np.ndarray = field(repr=False)
    description: str
    strokes: int
    trail: Trail = field(repr=False)


def write_draft(project: Project, work: Work) -> None:
    """Put unaccepted work on disk; PoolError if the disk refuses.

    A crash between the two writes leaves a history that is a step ahead of its mask, and that step can be redone.
    """
    write_history(project, work)
    project.save_draft(work.case_id, work.reader, work.mask, work.description, work.strokes)


def write_history(project: Project, work: Work) -> None:
    """Put the history alone on disk, if there is one; PoolError if the disk refuses."""
    path = _path(project, work.case_id, work.reader)
    if work.trail.steps or path.exists():
        write_atomically(path, work.trail.write(), durable=False, error_type=PoolError)


def read_history(project: Project, case_id: str, reader: str, mask: np.ndarray) -> History:
    """How a mask ``(H, W) uint8, 0 or 1`` came about; an empty history if nothing that fits is on disk."""
    try:
        trail = Trail.read(_path(project, case_id, reader).read_bytes())
    except OSError:
        trail = None
    return History.following(trail, mask)


def drop_old_histories(project: Project, most: int = MOST_HISTORIES) -> None:
    """Keep the histories that were written last; what goes can no longer be undone, but loses no mask."""
    with contextlib.suppress(OSError):  # another reader's window may be at it too
        files = [(file.stat().st_mtime, file) for file in (project.folder / FOLDER).glob("*.json")]
        for _, file in sorted(files, reverse=True)[most:]:
            file.unlink(missing_ok=True)


def _path(project: Project, case_id: str, reader: str) -> Path:
    name = hashlib.sha256(f"{case_id}\0{reader}".encode()).hexdigest()[:40]
    return project.folder / FOLDER / f"{name}.json"
