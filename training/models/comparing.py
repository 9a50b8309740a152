"""Two models side by side: paired by case, on both halves of the holdout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.gate import resampled
from training.metrics import Overlap, summarize
from training.models.measured import HALVES, Half, Measure, Measured, read_measured
from training.pool import Model, Project
from training.snapshot import Snapshot


@dataclass(frozen=True)
class CasePair:
    """Dice of both models' teachers on one case, in [0, 1]."""

    case_id: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first


@dataclass(frozen=True)
class HalfComparison:
    """Both models on the same cases of one half.

    Attributes
    ----------
    first, second : mapping
        Metric to value in [0, 1]; empty without cases.
    difference : float
        Mean over the cases of second minus first Dice.
    low, high : float
        Its 95 % interval (paired bootstrap over cases).
    better : float
        Share of the resamples in which the second is better.
    cases : tuple of CasePair
        The second model's largest losses first.
    missing : int
        Cases of the half that one of the two could not be measured on.
    """

    half: Half
    first: Mapping[str, float]
    second: Mapping[str, float]
    difference: float
    low: float
    high: float
    better: float
    cases: tuple[CasePair, ...]
    missing: int


def compare(
    project: Project, first: Model, second: Model, snapshot: Snapshot, measure: Measure
) -> list[HalfComparison]:
    """Compare two models' teachers on the holdout as it is now; whichever was not measured on it is measured first.

    Parameters
    ----------
    snapshot : Snapshot
        Of the project now (`training.round.freeze`).
    measure : callable
        Measures a model (`training.models.measuring.measure_model`).
    """
    told = [_on_all(project, model, snapshot, measure) for model in (first, second)]
    halves = []
    for half in HALVES:
        cases = getattr(snapshot, half)
        halves.append(_pair(half, len(cases), *(each.on(half, cases) for each in told)))
    return halves


def _on_all(project: Project, model: Model, snapshot: Snapshot, measure: Measure) -> Measured:
    known = read_measured(model.folder)
    for half in HALVES:
        cases = getattr(snapshot, half)
        if len(known.on(half, cases)) < len(cases):
            return measure(project, model, snapshot)
    return known


def _pair(
    half: Half, wanted: int, first: Mapping[str, Overlap], second: Mapping[str, Overlap]
) -> HalfComparison:
    common = sorted(set(first) & set(second))
    if not common:
        return HalfComparison(half, {}, {}, 0.0, 0.0, 0.0, 0.5, (), wanted)
    pairs = [CasePair(case, first[case].dice, second[case].dice) for case in common]
    differences = np.array([pair.difference for pair in pairs])
    means = resampled(differences)
    low, high = np.quantile(means, [0.025, 0.975])
    return HalfComparison(
        half=half,
        first=summarize([first[case] for case in common]).as_dict(),
        second=summarize([second[case] for case in common]).as_dict(),
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        better=float((means > 0).mean()),
        cases=tuple(sorted(pairs, key=lambda pair: (pair.difference, pair.case_id))),
        missing=wanted - len(common),
    )
