"""How a project comes along: Dice of its teachers over labels with intervals, and what reviewing costs, by round and by
arm of the queue. It reads what rounds and readers left; it decides nothing and opens no mask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from training.metrics import dice_intervals
from training.pool import Project, Run, schema
from training.pool.rounds import all_runs
from training.pool.showings import BY_HAND, Answered, answered

WITH = "with"
TEXTS = {WITH: "with words", "without": "without words", "shuffled": "shuffled words"}
METRICS = {"dice_global": "Dice over all pixels", "dice_per_image": "Dice, mean over images"}
HAND = "by hand"
ARM_TITLES = {
    "strategy": "chosen",
    "control": "random control",
    "no-proposal": "without a proposal",
    "planted": "planted",
    HAND: "opened by hand",
}


@dataclass(frozen=True)
class Interval:
    """A figure in [0, 1]; ``low`` and ``high`` hold 95 % of resamples of the cases, None where none were kept."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class LearningPoint:
    """One round's teacher on the ``report`` half.

    Attributes
    ----------
    labeled : int
        Labeled pool that it was trained on.
    texts : dict
        "with", "without", "shuffled" words -> "dice_global", "dice_per_image" -> Interval, as far as measured.
    """

    round: int
    model_id: str
    labeled: int
    promoted: bool
    cases: int
    texts: dict[str, dict[str, Interval]]


@dataclass(frozen=True)
class Work:
    """What accepting the cases of one arm came to, after one round (0: before the first teacher), or over all.

    Attributes
    ----------
    arm : str
        An arm of `training.arms`, or "by hand".
    as_is : float or None
        Share whose proposal was accepted unchanged; None where nothing was proposed.
    edited : float or None
        Share of pixels that readers changed, mean over cases with a proposal.
    seconds : float or None
        Of active work on a case, median.
    total_seconds : float
        Of active work on all of them.
    let_stand : int
        Planted proposals that were accepted (nearly) as they were.
    """

    arm: str
    cases: int
    as_is: float | None
    edited: float | None
    seconds: float | None
    total_seconds: float
    let_stand: int = 0


@dataclass(frozen=True)
class Curves:
    """All of it; ``work`` by round and arm, ``arms`` over all rounds."""

    project: str
    points: tuple[LearningPoint, ...]
    work: dict[int, tuple[Work, ...]]
    arms: tuple[Work, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def measure_curves(project: Project) -> Curves:
    """Read a project's learning curve and its readers' work."""
    models = _models(project)
    outcomes = {run.id: run for run in all_runs(project)}
    points = tuple(
        _point(model, outcomes[model.run_id])
        for model in models
        if model.run_id in outcomes and model.scores.get("report", {}).get("teacher")
    )
    round_of = {model.id: model.run_id or 0 for model in models}
    done = answered(project)
    by_round: dict[int, list[Answered]] = defaultdict(list)
    for each in done:
        by_round[round_of.get(each.showing.model_id or "", 0)].append(each)
    work = {number: work_by_arm(by_round[number]) for number in sorted(by_round)}
    return Curves(project.folder.name, points, work, work_by_arm(done))


def _models(project: Project) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    table = schema.models
    query = sa.select(table.c.id, table.c.run_id, table.c.scores)
    with project.reading() as connection:
        return connection.execute(query.order_by(table.c.run_id)).all()


def _point(model: sa.Row[*tuple[Any, ...]], run: Run) -> LearningPoint:
    scores = model.scores
    counts = scores.get("report_counts", {})
    texts: dict[str, dict[str, Interval]] = {}
    for text, values in (scores.get("report_texts") or {WITH: scores["report"]["teacher"]}).items():
        texts[text] = {name: Interval(values[name]) for name in METRICS}
        if counts.get(text):
            rng = np.random.default_rng(0)  # the same cases are drawn for every text and round
            found = dice_intervals(np.array(list(counts[text].values())), rng)
            texts[text] = {name: Interval(*found[name]) for name in METRICS}
    return LearningPoint(
        run.id,
        model.id,
        run.labeled,
        run.outcome == "promoted",
        len(counts.get(WITH, ())),
        texts,
    )


def work_by_arm(done: Iterable[Answered]) -> tuple[Work, ...]:
    """What accepting came to, arm by arm in the order of `ARM_TITLES`."""
    groups: dict[str, list[Answered]] = defaultdict(list)
    for each in done:
        groups[HAND if each.showing.strategy == BY_HAND else each.showing.arm].append(each)
    return tuple(_work(arm, groups[arm]) for arm in ARM_TITLES if arm in groups)


def _work(arm: str, done: Sequence[Answered]) -> Work:
    proposed = [each for each in done if each.pixels_changed is not None]
    seconds = [each.active_seconds for each in done if each.active_seconds is not None]
    return Work(
        arm=arm,
        cases=len(done),
        as_is=_mean([each.outcome == "as is" for each in proposed]),
        edited=_mean([(each.pixels_changed or 0) / each.pixels for each in proposed]),
        seconds=float(np.median(seconds)) if seconds else None,
        total_seconds=float(sum(seconds)),
        let_stand=sum(each.reading == "planted" for each in done),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
