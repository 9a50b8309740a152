"""Scores of a network on held-out films, at the network's resolution. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.engine.data import FilmPool
from training.engine.predict import Predictor
from training.metrics import Overlap, Scores, overlap, summarize


@dataclass(frozen=True)
class Evaluation:
    """Scores of a set, and of each of its cases by id the Dice and the pixel counts."""

    scores: Scores
    cases: dict[str, float]
    counts: dict[str, Overlap]


def evaluate(
    predictor: Predictor,
    pool: FilmPool,
    threshold: float = 0.5,
    limit: int | None = None,
    also: Callable[[NDArray[np.bool_], NDArray[np.uint8]], None] = lambda said, true: None,
) -> Evaluation:
    """Score a predictor on films with masks.

    Parameters
    ----------
    threshold : float
        Probability from which a pixel counts as foreground.
    limit : int, optional
        Most cases to look at, from the start of the pool.
    also : callable
        Given each case's prediction and reference, (S, S) at the network's resolution.

    Raises
    ------
    ValueError
        If the pool is empty.
    """
    assert pool.masks is not None
    some = pool if limit is None else pool_start(pool, limit)
    overlaps: dict[str, Overlap] = {}
    for numbers, probabilities in predictor.pool(some):
        for number, probability in zip(numbers, probabilities, strict=True):
            said, true = probability >= threshold, pool.masks[number].numpy()
            overlaps[pool.cases[number].case_id] = overlap(said, true)
            also(said, true)
    dice = {case_id: counted.dice for case_id, counted in overlaps.items()}
    return Evaluation(summarize(list(overlaps.values())), dice, overlaps)


def pool_start(pool: FilmPool, count: int) -> FilmPool:
    """The first ``count`` films of a pool."""
    masks = None if pool.masks is None else pool.masks[:count]
    return FilmPool(pool.cases[:count], pool.images[:count], masks)
