"""What is measured of every case of the training pools at the end of a round, beside its pseudo-mask: the figures that
acquisition ranks by, and films as points. Nothing is trained and nothing decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.embedding import film_point
from training.engine.data import FilmPool
from training.engine.predict import Predictor, entropy
from training.engine.streams import Key
from training.engine.words import without_position
from training.pool.embeddings import FILM, KIND

UNCERTAIN = 0.5 * float(np.log(2))  # Entropy in nats from which a pixel counts as uncertain.
TEACHER = "teacher"
# Share of a film added to both masks, so that specks do not count as masks turned over.
LEAST = 0.01
Probability = NDArray[np.float32]


def region_entropy(unsure: Probability) -> float:
    """Entropy summed over the largest uncertain region, divided by all pixels.

    Parameters
    ----------
    unsure : (H, W) float32
        Entropy of every pixel, in nats.
    """
    regions, count = ndimage.label(unsure > UNCERTAIN)
    if count == 0:
        return 0.0
    sums = ndimage.sum_labels(unsure, regions, np.arange(1, count + 1))
    sizes = np.bincount(regions.ravel())[1:]
    return float(sums[int(np.argmax(sizes))] / unsure.size)


def soft_difference(one: Probability, other: Probability) -> float:
    """One minus the soft Dice of two probability maps ``(h, w)``, in [0, 1]; two (nearly) empty ones are alike."""
    least = LEAST * one.size
    both = np.minimum(one, other).sum(dtype=np.float64)
    whole = one.sum(dtype=np.float64) + other.sum(dtype=np.float64)
    return float(1 - (2 * both + least) / (whole + least))


def measured_numbers(pool: FilmPool, most: int, seed: int) -> frozenset[int]:
    """Which cases of a pool are looked at more closely: all, or ``most`` of them drawn by the run's seed."""
    order = Key(seed, "measured", 0).stream("order").permutation(len(pool))
    return frozenset(order[:most].tolist())


def look_closer(
    student: Predictor,
    teacher: Predictor,
    pool: FilmPool,
    numbers: list[int],
    probabilities: Probability,
) -> Iterator[tuple[int, dict[str, float]]]:
    """Disagreement and sensitivity of some cases, ``probabilities`` ``(B, S, S)`` being the teacher's.

    Two more passes of a network.
    """
    texts = pool.texts(numbers)
    by_student = student.batch(pool.images[numbers], texts)
    hidden = teacher.batch(pool.images[numbers], tuple(map(without_position, texts)))
    for number, own, other, blind in zip(numbers, probabilities, by_student, hidden, strict=True):
        figures = {
            "disagreement": round(soft_difference(own, other), 5),
            "sensitivity": round(soft_difference(own, blind), 5),
        }
        yield number, figures


def figures_of(probability: Probability, threshold: float) -> dict[str, float]:
    """What one proposal ``(S, S) float32 in [0, 1]`` says by itself, foreground beginning at the threshold: fields of
    the predictions' index."""
    unsure = entropy(probability)
    return {
        "entropy": round(float(unsure.mean()), 6),
        "foreground": round(float((probability >= threshold).mean()), 6),
        "region": round(region_entropy(unsure), 6),
    }


class Points:
    """Collects films as points: of pixels alone, and where the teacher's network has them among its features."""

    def __init__(self) -> None:
        self._case_ids: list[str] = []
        self._points: dict[str, list[NDArray[np.float32]]] = {FILM: [], TEACHER: []}

    def add(self, pool: FilmPool, numbers: list[int], vectors: NDArray[np.float32]) -> None:
        """Add cases of a pool with the network's vectors ``(B, P)``."""
        for number, vector in zip(numbers, vectors, strict=True):
            self._case_ids.append(pool.cases[number].case_id)
            self._points[FILM].append(film_point(pool.images[number].cpu().numpy()))
            self._points[TEACHER].append(vector)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What goes into the file.

        Returns
        -------
        dict of array
            ``case_ids`` (N,) of str, and where there are any, rows (N, D) float16 under `FILM` and `TEACHER`.
        """
        stacked = {
            name: np.stack(points).astype(KIND) for name, points in self._points.items() if points
        }
        return {"case_ids": np.array(self._case_ids, dtype=np.str_), **stacked}
