"""Maps that can be laid over the film: what each shows, what it needs of the service, and its values. No layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Overlay:
    """One kind of map.

    Attributes
    ----------
    legend : str
        What strong color means.
    color : tuple of float
        Red, green and blue in [0, 1]; the smaller the value, the more of the film shines through.
    needs : tuple of str
        Arrays that the service sends with a prediction if it is asked to (``also``).
    """

    name: str
    title: str
    legend: str
    color: Color
    needs: tuple[str, ...] = ()


UNCERTAINTY = Overlay(
    "uncertainty", "Uncertainty", "Yellow: the teacher is unsure.", (1.0, 0.85, 0.1)
)
PROBABILITY = Overlay(
    "probability", "Probability", "Blue: the teacher sees a lesion there.", (0.2, 0.6, 1.0)
)
DISAGREEMENT = Overlay(
    "disagreement",
    "Disagreement",
    "Pink: student and teacher differ.",
    (1.0, 0.25, 0.7),
    ("student",),
)
SENSITIVITY = Overlay(
    "words",
    "Effect of the words",
    "Green: changes when the words are hidden or their sides swapped.",
    (0.3, 0.95, 0.4),
    ("wordless", "mirrored"),
)
OVERLAYS = (UNCERTAINTY, PROBABILITY, DISAGREEMENT, SENSITIVITY)


def values_of(
    overlay: Overlay, probability: np.ndarray, also: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    """The values of a map.

    Parameters
    ----------
    probability : (h, w) float32 in [0, 1]
        The teacher's.
    also : Mapping of str to (h, w) float32 in [0, 1]
        What the service sent besides.

    Returns
    -------
    (h, w) float32 in [0, 1], or None
        None while something is missing.
    """
    if not set(overlay.needs) <= set(also):
        return None
    if overlay is UNCERTAINTY:
        return entropy_of(probability)
    if overlay is PROBABILITY:
        return probability
    farthest: np.ndarray = np.max(
        [np.abs(probability - also[name]) for name in overlay.needs], axis=0
    )
    return farthest


def entropy_of(probability: np.ndarray) -> np.ndarray:
    """Binary entropy in bits, ``(h, w) float32 in [0, 1]``, of probabilities ``(h, w) float32 in [0, 1]``."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    bits: np.ndarray = (-(p * np.log2(p) + (1 - p) * np.log2(1 - p))).astype(np.float32)
    return bits
