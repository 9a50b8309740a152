"""Which case to review next, and why. Each strategy is one function from candidates to an order with reasons.

Strategies see what the teacher said and what the descriptions name, never a hidden reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.errors import ConfigError


class Candidate(NamedTuple):  # a tuple, because tens of thousands of them are made at a time
    """A case that could be reviewed next.

    Attributes
    ----------
    zones : frozenset of str
        Zones that the description names.
    entropy : float or None
        Mean predictive entropy of the teacher's proposal over all pixels, in nats; None without a proposal.
    foreground : float or None
        Share of foreground in the proposal, in [0, 1].
    """

    case_id: str
    patient: str
    zones: frozenset[str]
    entropy: float | None = None
    foreground: float | None = None


@dataclass(frozen=True)
class Choice:
    """A case and the reason it was chosen, in words for the reader."""

    case_id: str
    reason: str


Strategy = Callable[[Sequence[Candidate], Counter, np.random.Generator, int], list[Choice]]


def random_order(
    candidates: Sequence[Candidate], labeled_zones: Counter, rng: np.random.Generator, count: int
) -> list[Choice]:
    """Every case equally likely: the control that every other strategy has to beat."""
    return [
        Choice(candidates[i].case_id, "drawn at random")
        for i in rng.permutation(len(candidates))[:count]
    ]


def zone_stratified_entropy(
    candidates: Sequence[Candidate], labeled_zones: Counter, rng: np.random.Generator, count: int
) -> list[Choice]:
    """Rare zones first, then where the teacher is unsure, with noise so that a batch stays varied.

    The score is log(entropy / (foreground + 0.02)) plus Gumbel noise plus log(max over the named zones of
    1 / (1 + labeled cases with that zone)), recounted after each pick (power-noised entropy after ClaSP PE,
    stratified by the zones that the description names). Without proposals only zones and noise count.

    Parameters
    ----------
    labeled_zones : Counter
        How many labeled cases name each zone.
    count : int
        How many to choose; the rest is not looked at further.
    """
    counts = Counter(labeled_zones)
    unsure = _unsureness(candidates) + rng.gumbel(size=len(candidates))
    cells: dict[frozenset[str], list[int]] = {}
    for index in np.argsort(unsure):
        cells.setdefault(candidates[index].zones, []).append(int(index))
    choices: list[Choice] = []
    while cells and len(choices) < count:
        zones = max(cells, key=lambda cell: unsure[cells[cell][-1]] + _rarity(cell, counts))
        index = cells[zones].pop()
        if not cells[zones]:
            del cells[zones]
        choices.append(Choice(candidates[index].case_id, _reason(candidates[index], counts)))
        counts.update(zones)
    return choices


def _unsureness(candidates: Sequence[Candidate]) -> np.ndarray:
    """``(len(candidates),) float64``; 0 without a proposal."""
    entropy = np.array([np.nan if c.entropy is None else c.entropy for c in candidates])
    foreground = np.array([c.foreground or 0.0 for c in candidates])
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.log((entropy + 1e-6) / (foreground + 0.02)))


def _rarity(zones: frozenset[str], counts: Counter) -> float:
    return -float(
        np.log(min((1 + counts[zone] for zone in zones), default=1 + sum(counts.values())))
    )


def _reason(candidate: Candidate, counts: Counter) -> str:
    parts = []
    if candidate.zones:
        rarest = min(sorted(candidate.zones), key=lambda zone: counts[zone])
        parts.append(f"{rarest} has {counts[rarest]} labeled")
    else:
        parts.append("names no zone")
    if candidate.entropy is not None:
        parts.append(f"unsure {candidate.entropy / ((candidate.foreground or 0.0) + 0.02):.1f}")
    return ", ".join(parts)


STRATEGIES: dict[str, Strategy] = {"random": random_order, "zones": zone_stratified_entropy}


def order(
    strategy: str,
    candidates: Sequence[Candidate],
    labeled_zones: Counter,
    rng: np.random.Generator,
    *,
    count: int | None = None,
) -> list[Choice]:
    """The first ``count`` candidates (all, if None) in the order of a named strategy.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(
            f"There is no strategy {strategy!r}: choose one of {', '.join(STRATEGIES)}."
        )
    wanted = len(candidates) if count is None else count
    return STRATEGIES[strategy](candidates, labeled_zones, rng, wanted)
