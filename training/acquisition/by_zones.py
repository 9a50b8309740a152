"""The strategy that the evaluation recommends: zones that the words name for free, and where the teacher is unsure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.acquisition.candidates import COVER, Candidate, Choice, rarity_reason, strategy

NOISE = 1.0  # scale of the Gumbel noise before anything is labeled
LEAST_NOISE = 0.2
HALVING = 100  # zones named in labeled cases at which the noise has halved


@strategy(
    "zones",
    "Rare zones and unsure first",
    "Zones with few labels first, and among them where the teacher is unsure, varied by some noise. Recommended.",
)
def zone_stratified_entropy(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """Rare zones first, then where the teacher is unsure, with noise so that a batch stays varied.

    The score is log(entropy / (foreground + 0.02)) plus Gumbel noise plus log(max over the named zones of
    1 / (1 + labeled cases with that zone)), recounted after each pick (power-noised entropy after ClaSP PE,
    stratified by the zones that the description names; EVALUATION §2). The noise shrinks as labels come in. A
    patient's second film waits until every patient had a turn. Without proposals only zones and noise count.

    Parameters
    ----------
    labeled_zones : Counter
        How many labeled cases name each zone.
    count : int
        How many to choose; the rest is not looked at further.
    """
    counts = Counter(labeled_zones)
    unsure = unsureness(candidates) + _noise(counts) * rng.gumbel(size=len(candidates))
    waiting: list[int] = np.argsort(unsure).tolist()
    chosen: list[Choice] = []
    while waiting and len(chosen) < count:
        waiting = _one_a_patient(candidates, unsure, waiting, counts, chosen, count)
    return chosen


def _one_a_patient(
    candidates: Sequence[Candidate],
    unsure: NDArray[np.float64],
    order: list[int],
    counts: Counter[str],
    chosen: list[Choice],
    count: int,
) -> list[int]:
    """Choose from ``order`` (least unsure first) until ``count``, one film a patient; those passed over remain."""
    cells: dict[frozenset[str], list[int]] = {}
    for index in order:
        zones = candidates[index].zones
        if zones in cells:
            cells[zones].append(index)
        else:
            cells[zones] = [index]
    rarity = {zones: _rarity(zones, counts) for zones in cells}
    best = {zones: unsure[own[-1]] + rarity[zones] for zones, own in cells.items()}
    seen: set[str] = set()
    passed: list[int] = []
    while best and len(chosen) < count:
        zones = max(best, key=best.__getitem__)
        index = cells[zones].pop()
        if cells[zones]:
            best[zones] = unsure[cells[zones][-1]] + rarity[zones]
        else:
            del best[zones]
        candidate = candidates[index]
        if candidate.patient in seen:
            passed.append(index)
            continue
        seen.add(candidate.patient)
        chosen.append(Choice(candidate.case_id, _reason(candidate, counts)))
        counts.update(zones)
        for cell in best:
            if not cell or not cell.isdisjoint(zones):  # the others are as rare as they were
                rarity[cell] = _rarity(cell, counts)
                best[cell] = unsure[cells[cell][-1]] + rarity[cell]
    return sorted(passed, key=lambda index: unsure[index])


def unsureness(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Log of entropy over foreground, ``(len(candidates),)``; 0 without a proposal."""
    entropy = np.array([np.nan if c.entropy is None else c.entropy for c in candidates])
    foreground = np.array([c.foreground or 0.0 for c in candidates])
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.log((entropy + 1e-6) / (foreground + COVER)))


def _noise(counts: Counter[str]) -> float:
    return max(LEAST_NOISE, NOISE / (1 + sum(counts.values()) / HALVING))


def _rarity(zones: frozenset[str], counts: Counter[str]) -> float:
    return -float(
        np.log(min((1 + counts[zone] for zone in zones), default=1 + sum(counts.values())))
    )


def _reason(candidate: Candidate, counts: Counter[str]) -> str:
    reason = rarity_reason(candidate, counts)
    if candidate.entropy is not None:
        reason += f", unsure {candidate.entropy / ((candidate.foreground or 0.0) + COVER):.1f}"
    return reason
