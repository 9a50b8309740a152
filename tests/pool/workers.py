"""What the child processes of the crash and concurrency tests do: work at a project and note what was promised."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from made import LEFT, RIGHT, incoming

from training.errors import PoolError
from training.pool import Project
from training.pool.importing import import_cases

SIZE = 32


class Promises:
    """A file of what the pool has promised to keep, one JSON line each, written right after the call returned."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, **promise: object) -> None:
        """Write one line down in a single call, so that it is there as a whole or not at all."""
        os.write(self._descriptor, (json.dumps(promise) + "\n").encode())


def read_promises(path: Path) -> list[dict]:
    """All promises of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def some_mask(rng: np.random.Generator) -> np.ndarray:
    """A rectangle anywhere, ``(SIZE, SIZE) uint8``."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    top, left = rng.integers(0, SIZE - 4, 2)
    height, width = rng.integers(1, SIZE, 2)
    mask[top : top + height, left : left + width] = 1
    return mask


def work_without_pause(folder: str, promises: str, seed: int) -> None:
    """Accept, edit, put aside and import until killed."""
    rng = np.random.default_rng(seed)
    noted = Promises(Path(promises))
    project = Project.open(folder)
    turn = 0
    while True:
        turn += 1
        case_id = f"case_{rng.integers(0, 6):03d}"
        choice = rng.random()
        if choice < 0.55:
            _accept(project, noted, case_id, rng, f"worker {seed}")
        elif choice < 0.75:
            project.save_draft(case_id, "Ada", some_mask(rng), LEFT, turn)
        elif choice < 0.85:
            project.skip(case_id, "Ada", f"turn {turn}")
        else:
            number = 1000 + seed * 1000 + turn
            report = import_cases(project, [incoming(number, labeled=True, size=SIZE)])
            noted.note(imported=report.added[0])


def accept_often(folder: str, promises: str, reader: str, times: int, seed: int) -> None:
    """Accept ``times`` times, each time starting from the case as it was just read."""
    rng = np.random.default_rng(seed)
    noted = Promises(Path(promises))
    project = Project.open(folder)
    for _ in range(times):
        _accept(project, noted, f"case_{rng.integers(0, 6):03d}", rng, reader)


def accept_until_full(folder: str, promises: str, seed: int) -> None:
    """Accept until the pool refuses; note its sentence."""
    rng = np.random.default_rng(seed)
    noted = Promises(Path(promises))
    project = Project.open(folder)
    try:
        while True:
            _accept(project, noted, f"case_{rng.integers(0, 6):03d}", rng, "Ada", noise=True)
    except PoolError as error:
        with Path(promises).with_suffix(".refusal").open("w") as stream:
            stream.write(str(error))


def _accept(
    project: Project,
    noted: Promises,
    case_id: str,
    rng: np.random.Generator,
    reader: str,
    noise: bool = False,
) -> None:
    started_from = project.case(case_id).revision_id
    mask = rng.integers(0, 2, (SIZE, SIZE), dtype=np.uint8) if noise else some_mask(rng)
    words = f"{RIGHT if rng.random() < 0.5 else LEFT} {rng.integers(1_000_000)}"
    revision = project.accept(
        case_id, mask, words, reader, source="edited", outcome="edited", started_from=started_from
    )
    noted.note(
        revision=revision.id, case=case_id, mask=revision.mask, words=words, digest=revision.digest
    )
