"""The one round that a project may have under way: its lock, and which process holds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import PoolError
from training.files import is_held, sentence_for
from training.pool import Project
from training.rundir import LOCK_PATIENCE

LOCK = "round.lock"
HOLDER = "round.pid"


@contextmanager
def one_round_at_a_time(project: Project) -> Iterator[None]:
    """Hold the project's round while the block runs.

    Raises
    ------
    PoolError
        Another process holds it, or the project's folder may not be written to.
    """
    lock = FileLock(project.folder / LOCK)
    holder = project.folder / HOLDER
    try:
        # Not at once: somebody who only asks whether a round is under way holds the lock for an instant.
        lock.acquire(timeout=LOCK_PATIENCE, poll_interval=0.02)
    except Timeout as error:
        raise PoolError(
            f"A round is already under way in {project.folder}: wait for it, or stop it."
        ) from error
    except OSError as error:
        raise PoolError(sentence_for(error, project.folder / LOCK)) from error
    try:
        with contextlib.suppress(OSError):  # It only serves who wants to end this process.
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def round_is_under_way(folder: Path) -> bool:
    """Whether a living process holds the round of the project in ``folder``; PoolError if that cannot be told.

    Not for tight loops.
    """
    path = folder / LOCK
    return path.exists() and is_held(path, error_type=PoolError)


def round_process(folder: Path) -> int | None:
    """Id of the process that holds the round; what a killed one left is still told."""
    try:
        return int((folder / HOLDER).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
