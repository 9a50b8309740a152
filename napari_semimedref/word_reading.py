"""What words mean beside a mask: pure functions that may take a tenth of a second on a large film, made to be called in
a thread. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.report import Bands, Disagreement, check_mask, describe, parse, zones_of
from training.report.zones import Convention

QUICK = 400  # characters; longer texts are read beside the window
MOST_STEPS = 3


@dataclass(frozen=True)
class MaskReading:
    """Zones that a mask touches, and where the words say otherwise."""

    painted: frozenset[str] = frozenset()
    doubts: tuple[Disagreement, ...] = ()


def read_mask_zones(
    text: str, mask: np.ndarray, bands: Bands, convention: Convention
) -> MaskReading:
    """Compare words with a mask ``(H, W) uint8, 0 or 1``; an empty mask is nobody's statement yet."""
    if not mask.any():
        return MaskReading()
    doubts = check_mask(text, mask, bands, convention)
    return MaskReading(zones_of(mask, bands, convention), doubts)


def fit_words(text: str, mask: np.ndarray, bands: Bands, convention: Convention) -> str:
    """The words changed as little as makes them fit the mask; words that say no place are written anew.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    """
    if parse(text).reading in ("none", "ambiguous"):
        return describe(mask, bands, convention)
    for _ in range(MOST_STEPS):
        fixes = [d.problem.fix for d in check_mask(text, mask, bands, convention) if d.problem.fix]
        if not fixes or fixes[0] == text:
            break
        text = fixes[0]
    return text


def in_words(text: str) -> str:
    """How a description is read, as one sentence."""
    finding = parse(text)
    if finding.reading == "none":
        return "Names no position."
    if finding.reading == "ambiguous":
        return "The words can be read in more than one way."
    if finding.is_negative:
        return "Read as: no finding."
    count = "" if finding.count is None else f", {finding.count} area{'s' * (finding.count != 1)}"
    places = len(finding.zones)
    return f"Read as: {finding.laterality}{count}, {places} zone{'s' * (places != 1)}."
