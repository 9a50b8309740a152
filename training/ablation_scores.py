"""What the finished runs of an ablation table show. Numbers come from the ``report`` half alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import wilcoxon

from training.ablation import Planned
from training.ablation_rows import TABLES
from training.events import EventTail
from training.rundir import RunFolder, read_json

Role = Literal["student", "teacher"]
FIGURES = ("dice_global", "dice_per_image", "iou_global", "iou_per_image")


@dataclass(frozen=True)
class Cell:
    """One row at one share of labels.

    Attributes
    ----------
    labeled : int
        Cases that kept their labels.
    dice, per_image : tuple of float
        Dice over all pixels, and as the mean over images, in [0, 1], one for each seed.
    against : str or None
        Key of the row it is compared with.
    gains : tuple of float
        Dice over all pixels minus that row's, one for each seed.
    p : float or None
        Two-sided Wilcoxon signed-rank test over cases of the report half, the Dice of each case averaged over seeds;
        it says nothing of the spread between seeds.
    iou, iou_per_image : tuple of float
        As ``dice`` and ``per_image``, of the intersection over union.
    seconds : tuple of float
        How long each run took, with whatever else the machine had to do.
    """

    labeled: int
    dice: tuple[float, ...]
    per_image: tuple[float, ...] = ()
    against: str | None = None
    gains: tuple[float, ...] = ()
    p: float | None = None
    iou: tuple[float, ...] = ()
    iou_per_image: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean(self.dice))

    @property
    def spread(self) -> float | None:
        """Standard deviation between seeds; None with a single one."""
        return spread(self.dice)

    @property
    def figures(self) -> dict[str, dict[str, float | None]]:
        """Mean and standard deviation over seeds of each figure, by its name in ``scores.json``."""
        named = zip(FIGURES, (self.dice, self.per_image, self.iou, self.iou_per_image), strict=True)
        return {
            name: {"mean": float(np.mean(values)), "sd": spread(values)} for name, values in named
        }


@dataclass(frozen=True)
class Comparison:
    """A row against another with as many labels.

    Attributes
    ----------
    row, other : str
        Their keys.
    share : float
        Of the labels, or their number, as asked for.
    gains, per_image : tuple of float
        Dice over all pixels, and as the mean over images, minus the other row's, one for each seed.
    p : float
        As in `Cell`.
    """

    row: str
    other: str
    share: float
    gains: tuple[float, ...]
    per_image: tuple[float, ...]
    p: float


def comparisons(
    table: str, runs: Sequence[Planned], role: Role = "student"
) -> tuple[Comparison, ...]:
    """Every row against those it is compared with, as far as both have finished runs."""
    found: list[Comparison] = []
    for share in dict.fromkeys(run.share for run in runs):
        by_row = {
            row.key: [run for run in runs if (run.row.key, run.share) == (row.key, share)]
            for row in TABLES[table]
        }
        for row in TABLES[table]:
            for other in (row.against, *row.beside):
                own, theirs = by_row[row.key], by_row.get(other or "", [])
                if own and theirs:
                    gains = [_gains(own, theirs, role, name) for name in FIGURES[:2]]
                    p = _significance(own, theirs, role)
                    found.append(Comparison(row.key, str(other), share, gains[0], gains[1], p))
    return tuple(found)


def _gains(
    own: Sequence[Planned], other: Sequence[Planned], role: Role, name: str
) -> tuple[float, ...]:
    one, two = _figure(own, role, name), _figure(other, role, name)
    return tuple(a - b for a, b in zip(one, two, strict=True))


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation (n - 1); None of a single value, which has none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def cells(
    table: str, runs: Sequence[Planned], role: Role = "student"
) -> dict[tuple[str, float], Cell]:
    """What finished runs show, by row and share; rows without runs are left out."""
    found: dict[tuple[str, float], Cell] = {}
    for share in dict.fromkeys(run.share for run in runs):
        for row in TABLES[table]:
            own = [run for run in runs if (run.row.key, run.share) == (row.key, share)]
            theirs = [run for run in runs if (run.row.key, run.share) == (row.against, share)]
            if not own:
                continue
            dice, per_image, iou, iou_per_image = (_figure(own, role, name) for name in FIGURES)
            gains = _gains(own, theirs, role, FIGURES[0]) if theirs else ()
            p = _significance(own, theirs, role) if theirs else None
            against = row.against, gains, p
            labeled = len(own[0].snapshot.labeled)
            seconds = tuple(_seconds(run) for run in own)
            others = iou, iou_per_image, seconds
            found[row.key, share] = Cell(labeled, dice, per_image, *against, *others)
    return found


def _figure(runs: Sequence[Planned], role: Role, name: str) -> tuple[float, ...]:
    scores = (RunFolder(run.folder).read_scores()["report"][role] for run in runs)
    return tuple(float(each[name]) for each in scores)


def _seconds(run: Planned) -> float:
    """Time a run took, its pauses and earlier parts counted as the trainer counts them; 0 if it did not say."""
    told = EventTail(RunFolder(run.folder).events_file).read_new()
    return next((float(each["seconds"]) for each in told[::-1] if each["kind"] == "finished"), 0.0)


def _significance(own: Sequence[Planned], other: Sequence[Planned], role: Role) -> float:
    one, two = _by_case(own, role), _by_case(other, role)
    shared = sorted(one.keys() & two.keys())
    differences = np.array([one[case] - two[case] for case in shared])
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences).pvalue)


def _by_case(runs: Sequence[Planned], role: Role) -> dict[str, float]:
    tables = [read_json(run.folder / "case_scores.json")["report"][role] for run in runs]
    return {case: float(np.mean([table[case] for table in tables])) for case in tables[0]}
