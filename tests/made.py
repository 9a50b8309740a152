"""Small made-up cases and projects for the tests. Nothing random is left to chance: every array follows a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.config import RunConfig
from training.pool import IncomingCase, Project
from training.pool.importing import import_cases

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEFT = "Unilateral pulmonary infection, one infected area, lower left lung."
# A round of seconds: the smallest network, four steps.
TINY_ROUND = {
    "network": {
        "image_size": 32,
        "widths": [8, 8, 8, 8],
        "depths": [1, 1, 1, 1],
        "text_width": 16,
        "heads": 2,
    },
    "training": {
        "steps": 4,
        "burn_in_until": 0.0,  # the second phase, however little four steps have taught
        "batch_labeled": 2,
        "batch_unlabeled": 2,
        "evaluate_every": 2,
        "checkpoint_seconds": 1,
        "threads": 1,
    },
}
RIGHT = "Unilateral pulmonary infection, one infected area, upper right lung."


def film(seed: int, size: int = 64) -> np.ndarray:
    """A grey picture ``(size, size) uint8`` that differs from seed to seed."""
    return np.random.default_rng(seed).integers(30, 200, (size, size), dtype=np.uint8)


def spot(left: bool, size: int = 64) -> np.ndarray:
    """A mask ``(size, size) uint8`` with one square, low on the left or high on the right of the picture."""
    mask = np.zeros((size, size), np.uint8)
    half, part = size // 2, size // 4
    rows = slice(half, half + part) if left else slice(part // 2, part // 2 + part)
    columns = (
        slice(part // 2, part // 2 + part)
        if left
        else slice(half + part // 2, half + part // 2 + part)
    )
    mask[rows, columns] = 1
    return mask


def incoming(
    index: int, *, labeled: bool = False, split: str | None = "training", size: int = 64
) -> IncomingCase:
    """Case number ``index``: even ones have a lesion on the left, odd ones on the right, brighter than the rest."""
    mask = spot(index % 2 == 0, size)
    image = film(index, size)
    image[mask > 0] = 250
    return IncomingCase(
        name=f"case_{index:03d}",
        image=image,
        description=LEFT if index % 2 == 0 else RIGHT,
        patient=f"patient_{index:03d}",
        split=split,
        mask=mask if labeled else None,
        hidden_mask=None if labeled else mask,
    )


def small_project(
    folder: Path, *, labeled: int = 4, unlabeled: int = 6, holdout: int = 4, size: int = 64
) -> Project:
    """A project of simple films, with hidden references for all that is not labeled."""
    project = Project.create(folder)
    total = labeled + unlabeled
    cases = [incoming(index, labeled=index < labeled, size=size) for index in range(total)]
    halves = ["gate", "report"]
    cases += [
        incoming(total + i, labeled=True, split=halves[i % 2], size=size) for i in range(holdout)
    ]
    report = import_cases(project, cases)
    assert not report.failed, report.failed
    return project


def tiny_round(steps: int = 4) -> RunConfig:
    """Settings of a round that takes seconds, or as long as it takes to kill it."""
    return RunConfig.parse(TINY_ROUND | {"training": TINY_ROUND["training"] | {"steps": steps}})
