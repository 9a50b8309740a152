"""Strategies that spread over films that look different, or take what is typical; they work before anything is
labeled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.acquisition.candidates import Candidate, Choice, rarest_zone, strategy

DEEP = 100  # picks that are weighed one against another; a longer queue goes on by what they left
NEIGHBORS = 20
MOST_IN_CELL = 2000  # films of a cell whose density is measured
NO_EMBEDDING = "film not looked at yet"
Points = NDArray[np.float32]


@strategy(
    "diversity",
    "Films unlike the labeled",
    "Spreads over films that look different from the labeled ones and from each other. Needs no label to begin.",
    "embeddings",
)
def spread_out(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """k-means++ over embeddings (Arthur and Vassilvitskii 2007), begun at the labeled films.

    Each pick is drawn with a probability that grows with the squared distance to the nearest labeled or chosen film;
    behind the first 100 picks the rest comes by that distance, farthest first.
    """
    known, unknown = _split(candidates)
    if not known:
        return _rest(candidates, rng.permutation(unknown).tolist(), count)
    points = _points(candidates, known)
    distance = _to_labeled(candidates, known)
    chosen: list[int] = []
    for _ in range(min(DEEP, count, len(known))):
        pick = _draw(rng, distance, chosen)
        chosen.append(pick)
        distance = np.minimum(distance, _squared(points, points[pick]))
    taken = set(chosen)
    left = [i for i in np.argsort(-distance, kind="stable").tolist() if i not in taken]
    order = [*chosen, *left]
    said = [Choice(candidates[known[i]].case_id, "unlike the labeled films") for i in order]
    return (said + _rest(candidates, rng.permutation(unknown).tolist(), count))[:count]


@strategy(
    "typical",
    "Typical films of every zone",
    "For a project without labels: the most typical film of each side, zone and number of areas that the words name.",
    "embeddings",
)
def typical_of_cells(
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    count: int,
) -> list[Choice]:
    """TypiClust-lite (EVALUATION §2.1): the densest film of the largest cell that the picks cover least.

    A cell is what the words say: sides, rarest zone, one, two or more zones (for areas). Density is the inverse mean
    distance to the 20 nearest films of the cell.
    """
    cells: dict[tuple[str, str, int], list[int]] = {}
    for index in rng.permutation(len(candidates)):
        cells.setdefault(_cell(candidates[index], labeled_zones), []).append(int(index))
    sizes = {cell: len(members) for cell, members in cells.items()}
    covered = Counter({cell: labeled_zones[cell[1]] // 4 for cell in cells})
    queues = {cell: _densest_first(candidates, members) for cell, members in cells.items()}
    chosen: list[Choice] = []
    while queues and len(chosen) < count:
        cell = min(queues, key=lambda cell: (covered[cell], -sizes[cell], cell))
        candidate = candidates[queues[cell].pop(0)]
        if not queues[cell]:
            del queues[cell]
        covered[cell] += 1
        zone = cell[1]
        chosen.append(Choice(candidate.case_id, f"typical of {zone}" if zone else "names no zone"))
    return chosen


def _cell(candidate: Candidate, counts: Counter[str]) -> tuple[str, str, int]:
    sides = "".join(sorted({zone[0] for zone in candidate.zones}))
    return sides, rarest_zone(candidate, counts), min(3, len(candidate.zones))


def _densest_first(candidates: Sequence[Candidate], members: list[int]) -> list[int]:
    measured = [i for i in members if candidates[i].embedding is not None][:MOST_IN_CELL]
    if len(measured) < 3:
        return members
    points = _points(candidates, measured)
    squares = (points**2).sum(1)
    apart = np.maximum(squares[:, None] + squares[None] - 2 * points @ points.T, 0)
    near = np.sqrt(np.sort(apart, axis=1)[:, 1 : NEIGHBORS + 1]).mean(1)
    first = [measured[i] for i in np.argsort(near, kind="stable")]
    taken = set(first)
    return first + [i for i in members if i not in taken]


def _split(candidates: Sequence[Candidate]) -> tuple[list[int], list[int]]:
    known = [i for i, case in enumerate(candidates) if case.embedding is not None]
    return known, [i for i, case in enumerate(candidates) if case.embedding is None]


def _points(candidates: Sequence[Candidate], numbers: list[int]) -> Points:
    return np.stack([candidates[i].embedding for i in numbers])  # type: ignore[misc]


def _to_labeled(candidates: Sequence[Candidate], numbers: list[int]) -> NDArray[np.float64]:
    """Squared distances to the nearest labeled film; infinite where nothing is labeled."""
    given = [candidates[i].labeled_distance for i in numbers]
    return np.array([np.inf if each is None else each for each in given], np.float64)


def _draw(rng: np.random.Generator, distance: NDArray[np.float64], chosen: list[int]) -> int:
    """A number that was not chosen, by its distance; at random where distances say nothing."""
    weights = np.where(np.isinf(distance), 1.0, distance) if np.isinf(distance).any() else distance
    weights = weights.copy()
    weights[chosen] = 0.0
    if not weights.sum() > 0:  # all that is left lies on top of something chosen
        weights = np.ones(len(weights))
        weights[chosen] = 0.0
    return int(rng.choice(len(weights), p=weights / weights.sum()))


def _squared(points: Points, point: Points) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = ((points - point) ** 2).sum(1).astype(np.float64)
    return squared


def _rest(candidates: Sequence[Candidate], numbers: Sequence[int], count: int) -> list[Choice]:
    return [Choice(candidates[i].case_id, NO_EMBEDDING) for i in numbers[:count]]
