"""Strategies that draw: plainly, from what shows something, or evenly over the zones. These are the controls that every
other strategy has to beat (`docs/evidence.md`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.acquisition.candidates import Candidate, Choice, rarity_reason, strategy

SHOWING_SHARE = 2 / 3  # of a batch, as in nnActive's improved random baseline
DRAWN = "drawn at random"


@strategy("random", "At random", "Every case equally likely: what every other order has to beat.")
def random_order(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """Every case equally likely."""
    return [Choice(candidates[i].case_id, DRAWN) for i in rng.permutation(len(candidates))[:count]]


@strategy(
    "foreground",
    "At random, mostly with lesions",
    "Two of three at random from cases in which the teacher, or else the words, see a lesion; the others from all.",
)
def foreground_random(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """Two of three places go to cases with foreground in their proposal (in their words where there is no proposal).

    The improved random baseline of nnActive (TMLR 2025): the one that hardly any strategy beats.
    """
    order = rng.permutation(len(candidates))
    showing = [i for i in order if _shows(candidates[i])]
    from_showing = rng.random(len(candidates)) < SHOWING_SHARE
    taken: set[int] = set()
    chosen: list[Choice] = []
    lesions, everything = iter(showing), iter(order)
    for wants_lesion in from_showing[:count]:
        index = next((i for i in lesions if i not in taken), None) if wants_lesion else None
        reason = "shows a lesion" if index is not None else DRAWN
        if index is None:
            index = next(i for i in everything if i not in taken)
        taken.add(index)
        chosen.append(Choice(candidates[index].case_id, reason))
    return chosen


def _shows(candidate: Candidate) -> bool:
    return bool(candidate.zones) if candidate.foreground is None else candidate.foreground > 0


@strategy(
    "zones-random",
    "Rare zones first",
    "Evenly over the zones that the words name, those with few labels first; otherwise at random.",
)
def zone_stratified_random(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """The zone with the fewest labels next, a random case that names it; recounted after each pick."""
    counts = Counter(labeled_zones)
    cells: dict[frozenset[str], list[int]] = {}
    for index in rng.permutation(len(candidates)):
        cells.setdefault(candidates[index].zones, []).append(int(index))
    chosen: list[Choice] = []
    while cells and len(chosen) < count:
        # Ties are broken by how many cases wait, so that a batch follows the pool where zones are even.
        zones = min(cells, key=lambda cell: (_labels(cell, counts), -len(cells[cell])))
        candidate = candidates[cells[zones].pop()]
        if not cells[zones]:
            del cells[zones]
        chosen.append(Choice(candidate.case_id, rarity_reason(candidate, counts)))
        counts.update(zones)
    return chosen


def _labels(zones: frozenset[str], counts: Counter[str]) -> int:
    """Labeled cases of the rarest zone; what names none comes after all zones."""
    return min((counts[zone] for zone in zones), default=1 + sum(counts.values()))
