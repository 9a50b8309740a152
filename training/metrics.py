"""Overlap of masks in both conventions, with intervals over cases; numpy only, no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_ | np.integer]
DRAWS = 1000  # resamples behind an interval
EDGES = (0.025, 0.975)  # quantiles of them: 95 %


@dataclass(frozen=True)
class Overlap:
    """Pixel counts of one prediction against one reference: true and false positives, misses."""

    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def dice(self) -> float:
        """Dice in [0, 1]; an empty prediction of an empty reference is perfect (1)."""
        whole = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / whole if whole else 1.0

    @property
    def iou(self) -> float:
        """Intersection over union in [0, 1]; empty against empty is 1."""
        whole = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / whole if whole else 1.0

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )


@dataclass(frozen=True)
class Scores:
    """Dice and IoU of a set, in both conventions; all in [0, 1].

    *Global* sums pixels over the whole set, *per image* averages over images with an
    empty-against-empty image counted as 1.
    """

    dice_global: float
    dice_per_image: float
    iou_global: float
    iou_per_image: float

    def as_dict(self) -> dict[str, float]:
        """The four fields by name."""
        return asdict(self)


def overlap(prediction: Mask, reference: Mask) -> Overlap:
    """Count pixels of two masks of one shape; nonzero is foreground.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if prediction.shape != reference.shape:
        raise ValueError(f"Shapes differ: {prediction.shape} and {reference.shape}.")
    predicted, true = np.asarray(prediction, bool), np.asarray(reference, bool)
    both = int(np.count_nonzero(predicted & true))
    return Overlap(
        both, int(np.count_nonzero(predicted)) - both, int(np.count_nonzero(true)) - both
    )


def summarize(overlaps: Sequence[Overlap]) -> Scores:
    """Scores of a set of images.

    Raises
    ------
    ValueError
        The set is empty and has none.
    """
    if not overlaps:
        raise ValueError("An empty set has no scores.")
    whole = sum(overlaps, Overlap(0, 0, 0))
    return Scores(
        dice_global=whole.dice,
        dice_per_image=float(np.mean([each.dice for each in overlaps])),
        iou_global=whole.iou,
        iou_per_image=float(np.mean([each.iou for each in overlaps])),
    )


def score_masks(pairs: Iterable[tuple[Mask, Mask]]) -> Scores:
    """Scores of (prediction, reference) pairs of masks ``(H, W)``; nonzero is foreground."""
    return summarize([overlap(prediction, reference) for prediction, reference in pairs])


def dice_intervals(
    counts: NDArray[np.integer], rng: np.random.Generator
) -> dict[str, tuple[float, float, float]]:
    """Dice in both conventions with 95 % bootstrap intervals over cases: value, low, high by metric.

    Parameters
    ----------
    counts : (N, 3) integer
        True positives, false positives and misses of each case, N >= 1.
    """
    overlaps = [Overlap(*map(int, each)) for each in counts]
    values, intervals = summarize(overlaps).as_dict(), score_intervals(overlaps, rng)
    return {name: (values[name], *intervals[name]) for name in ("dice_global", "dice_per_image")}


def score_intervals(
    overlaps: Sequence[Overlap], rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """95 % intervals of all four scores over cases drawn with replacement: low and high by metric.

    Raises
    ------
    ValueError
        The set is empty and has none.
    """
    counts = np.array(
        [(o.true_positive, o.false_positive, o.false_negative) for o in overlaps], np.int64
    )
    if not len(counts):
        raise ValueError("An empty set has no scores.")
    own = np.array([(o.dice, o.iou) for o in overlaps])
    picks = rng.integers(len(counts), size=(DRAWS, len(counts)))
    positive, false, missed = counts[picks].sum(axis=1).T
    per_image = own[picks].mean(axis=1)

    def share(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(below > 0, above / np.maximum(below, 1), 1.0)

    drawn = {
        "dice_global": share(2 * positive, 2 * positive + false + missed),
        "dice_per_image": per_image[:, 0],
        "iou_global": share(positive, positive + false + missed),
        "iou_per_image": per_image[:, 1],
    }
    return {name: _pair(np.quantile(values, EDGES)) for name, values in drawn.items()}


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
