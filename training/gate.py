"""The gate: whether a new teacher may serve proposals. Sees only per-case Dice on the holdout's ``gate`` half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class GateDecision:
    """Whether the new teacher is promoted.

    Attributes
    ----------
    difference : float
        Mean over common cases of new minus serving Dice, in [-1, 1].
    confidence : float
        Share of bootstrap resamples of the cases in which the new teacher is no worse.
    sentence : str
        The decision in words.
    """

    promote: bool
    difference: float
    confidence: float
    sentence: str


def decide(
    serving: Mapping[str, float] | None, new: Mapping[str, float], seed: int = 0
) -> GateDecision:
    """Compare two teachers on the cases both were measured on (paired bootstrap over cases).

    Parameters
    ----------
    serving, new : mapping of case id to Dice in [0, 1]
        ``serving`` is None, or empty, when no teacher serves yet: the first one is promoted.
    """
    common = sorted(set(serving or ()) & set(new))
    if not serving:
        return GateDecision(True, 0.0, 1.0, "Promoted: it is the first teacher.")
    if not common:
        return GateDecision(
            True, 0.0, 0.5, "Promoted: the holdout has no case to compare the teachers on."
        )
    differences = np.array([new[case] - serving[case] for case in common])
    draws = np.random.default_rng(seed).integers(len(common), size=(RESAMPLES, len(common)))
    confidence = float((differences[draws].mean(axis=1) >= 0).mean())
    difference = float(differences.mean())
    change = f"{100 * difference:+.1f} Dice points on {len(common)} holdout cases ({confidence:.0%} sure)"
    if difference >= 0:
        return GateDecision(
            True, difference, confidence, f"Promoted: no worse than the serving teacher, {change}."
        )
    return GateDecision(
        False, difference, confidence, f"Refused: worse than the serving teacher, {change}."
    )
