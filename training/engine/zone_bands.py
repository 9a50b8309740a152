"""Where the zones lie that T-PatchMix fills and counts: learned from the labeled films, and moved with a view. What
words name is read elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.engine.views import WeakDraw
from training.engine.words import finding_of, is_certain
from training.report.survey import LEAST_FOR_BANDS
from training.report.zones import Bands, Convention, learn_bands

# On chest films; overlapping, since readers' levels do (METHOD §1b).
CHEST = Bands((0.12, 0.45), (0.30, 0.65), (0.45, 0.85), (0.08, 0.50), (0.50, 0.92))
MOST = 400  # Films that are learned from; more change nothing that could be seen.
EDGES = (0.02, 0.98)  # Shares of all lesions' pixels between which the zones reach.


def bands_of_films(masks: NDArray[np.uint8], texts: Sequence[str], convention: Convention) -> Bands:
    """Bands of a data set: the levels that agree best with masks and words, out to where lesions are found.

    Parameters
    ----------
    masks : (N, H, W) uint8, 0 or 1
        Of the labeled pool.
    texts : sequence of str
        Their descriptions. With fewer than `LEAST_FOR_BANDS` films that have a lesion and words that fix its zones,
        the bands are those of chest films.
    """
    zones = [finding_of(text).zones if is_certain(finding_of(text)) else None for text in texts]
    sure = [n for n, named in enumerate(zones) if named and masks[n].any()]
    if len(sure) < LEAST_FOR_BANDS:
        return CHEST
    taken = [
        sure[n] for n in np.linspace(0, len(sure) - 1, min(MOST, len(sure))).round().astype(int)
    ]
    learned = learn_bands([masks[n] for n in taken], [zones[n] or () for n in taken], convention)
    heap = masks[taken].sum(0)
    (top, bottom), (left, right) = _reach(heap.sum(1)), _reach(heap.sum(0))
    return Bands(
        upper=_between(top, learned.upper[1]),
        middle=learned.middle,
        lower=_between(learned.lower[0], bottom),
        first=_between(left, 0.5),
        second=_between(0.5, right),
    )


def moved(bands: Bands, draw: WeakDraw) -> Bands:
    """The bands as they lie in a weak view."""

    def along(band: tuple[float, float], shift: float) -> tuple[float, float]:
        low, high = ((edge - 0.5) * draw.zoom + 0.5 + shift for edge in band)
        return _between(low, high)

    return Bands(
        upper=along(bands.upper, draw.down),
        middle=along(bands.middle, draw.down),
        lower=along(bands.lower, draw.down),
        first=along(bands.first, draw.right),
        second=along(bands.second, draw.right),
        least=bands.least,
    )


def _reach(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Where `EDGES` of a histogram lie, as shares of its length."""
    cumulated = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    first, last = (
        float(np.interp(edge, cumulated, np.linspace(0, 1, len(cumulated)))) for edge in EDGES
    )
    return first, last


def _between(low: float, high: float) -> tuple[float, float]:
    """A band within the film that is not empty, however little the two ends leave of it."""
    start = min(max(low, 0.0), 0.98)
    return start, min(max(high, start + 0.02), 1.0)
