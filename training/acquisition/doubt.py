"""Strategies that rank by one figure of the proposal: unsure, far from the student, at odds with the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from training.acquisition.candidates import Candidate, Choice, strategy
from training.report import ZONES

UNKNOWN = "not looked at by a teacher yet"
LEFT, RIGHT = (frozenset(zone for zone in ZONES if zone[0] == side) for side in "LR")


def ranked(
    candidates: Sequence[Candidate],
    rng: np.random.Generator,
    count: int,
    score: Callable[[Candidate], float | None],
    reason: Callable[[Candidate], str],
) -> list[Choice]:
    """Largest score first, equal ones in random order; those without a score come last."""
    values = np.array([np.nan if (s := score(c)) is None else s for c in candidates], np.float64)
    order = np.lexsort((rng.random(len(values)), -values, np.isnan(values)))[:count]
    return [
        Choice(candidates[i].case_id, UNKNOWN if np.isnan(values[i]) else reason(candidates[i]))
        for i in order
    ]


@strategy(
    "entropy",
    "Largest unsure region first",
    "Where the teacher is unsure over the largest area. Teaches much, and costs the most work a case.",
    "scores",
)
def entropy_of_region(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """Predictive entropy summed over the largest uncertain region; the whole film's where regions were not measured."""
    return ranked(
        candidates,
        rng,
        count,
        lambda case: case.entropy if case.region is None else case.region,
        lambda case: f"unsure region {1000 * (case.region or case.entropy or 0.0):.1f}",
    )


@strategy(
    "disagreement",
    "Student and teacher apart first",
    "Where the student and the teacher draw different masks. Was worse than chance on the phantom; kept to compare.",
    "scores",
)
def student_teacher_disagreement(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """One minus the soft Dice of the student's and the teacher's probabilities."""
    return ranked(
        candidates,
        rng,
        count,
        lambda case: case.disagreement,
        lambda case: f"student differs by {case.disagreement:.0%}",
    )


@strategy(
    "conflict",
    "Words against mask first",
    "Words that name other zones than the proposal touches: wrong words or a wrong teacher. Finds mistakes.",
)
def text_mask_disagreement(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """Share of zones that only the words or only the proposal have; a side that only one of them has counts twice."""
    return ranked(candidates, rng, count, _conflict, _conflict_reason)


def _conflict(case: Candidate) -> float | None:
    if case.proposed is None:
        return None
    differing, either = case.zones ^ case.proposed, case.zones | case.proposed
    sides = sum(bool(case.zones & side) != bool(case.proposed & side) for side in (LEFT, RIGHT))
    return (len(differing) / len(either) if either else 0.0) + sides


def _conflict_reason(case: Candidate) -> str:
    missed = sorted(case.zones - (case.proposed or frozenset()))
    more = sorted((case.proposed or frozenset()) - case.zones)
    parts = [f"mask misses {' '.join(missed)}"] if missed else []
    parts += [f"mask adds {' '.join(more)}"] if more else []
    return ", ".join(parts) or "words and mask agree"


@strategy(
    "sensitivity",
    "Leaning on words first",
    "Proposals that change most when the words of position are hidden: the film alone does not bear them out.",
    "scores",
)
def text_sensitivity(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """One minus the soft Dice of the teacher's probabilities with and without the words of position."""
    return ranked(
        candidates,
        rng,
        count,
        lambda case: case.sensitivity,
        lambda case: f"words change {case.sensitivity:.0%}",
    )
