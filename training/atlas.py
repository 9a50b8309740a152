"""The zone atlas: where lesions lie according to the words alone. It sees no image, so its masks are the floor that
any network has to beat; it reads no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import SemiMedRefError
from training.report import ZONES, zone_vector

TRUST = 4.0  # Labeled masks that weigh as much as what single zones say together.
RIDGE = 1.0  # Labeled masks' worth of leaning of the zones' maps towards zero.
CUTS = np.round(np.arange(0.05, 0.96, 0.025), 3)

Zones = frozenset[str]


@dataclass(frozen=True)
class Atlas:
    """Mean masks by what a description names.

    Attributes
    ----------
    overall : (H, W) float32 in [0, 1]
        Mean of all masks.
    of_zone : (6, H, W) float32
        What each zone of `ZONES` adds, whichever others are named.
    of_set : dict of frozenset of str to (H, W) float32 in [0, 1]
        Mean mask of each set of zones that was seen, leaning towards the sum of its zones.
    threshold : float
        Probability from which a pixel is foreground; best on the masks it was fitted to, each left out in turn.
    """

    overall: NDArray[np.float32]
    of_zone: NDArray[np.float32]
    of_set: dict[Zones, NDArray[np.float32]]
    threshold: float

    def probability(self, zones: Zones | None) -> NDArray[np.float32]:
        """Share of lesions at every pixel, ``(H, W) float32 in [0, 1]``, for named zones.

        Parameters
        ----------
        zones : frozenset of str or None
            Empty for a description that denies lesions: zeros. None for one that fixes no position: the overall mean.
        """
        if zones is None:
            return self.overall
        if zones in self.of_set:
            return self.of_set[zones]
        parts = np.tensordot(zone_vector(zones), self.of_zone, 1)
        return np.clip(parts, 0, 1).astype(np.float32)

    def mask(self, zones: Zones | None) -> NDArray[np.uint8]:
        """The probability cut at the threshold, ``(H, W) uint8, 0 or 1``."""
        return (self.probability(zones) >= self.threshold).astype(np.uint8)


def fit_atlas(masks: NDArray[np.integer], zones: Sequence[Zones | None]) -> Atlas:
    """Fit an atlas to labeled masks.

    The maps of the zones are a ridge regression of masks on named zones; the mean of a set of zones seen n times has
    the weight n / (n + `TRUST`) against the sum of its zones' maps. Sets never seen are that sum.

    Parameters
    ----------
    masks : (N, H, W) integer, 0 or 1
    zones : sequence of frozenset of str or None
        What each description names; None where it fixes no position.

    Raises
    ------
    SemiMedRefError
        If there is no mask, or not one description a mask.
    """
    if len(masks) == 0 or len(masks) != len(zones):
        raise SemiMedRefError(
            f"An atlas needs masks with a description each, not {len(masks)} and {len(zones)}: "
            "accept a mask first."
        )
    shape, flat = masks.shape[1:], masks.reshape(len(masks), -1).astype(np.float32)
    # A description without zones is a row of zeros: it says nothing about the zones' maps.
    codes = np.stack([zone_vector(each or ()) for each in zones]).astype(np.float64)
    solver = np.linalg.solve(codes.T @ codes + RIDGE * np.eye(len(ZONES)), codes.T)
    of_zone = (solver @ flat).astype(np.float32)
    totals: dict[Zones, tuple[int, NDArray[np.float32]]] = {}
    for each, mask in zip(zones, flat, strict=True):
        if each:
            count, total = totals.get(each, (0, np.zeros_like(mask)))
            totals[each] = count + 1, total + mask
    fit = _Fit(flat, of_zone, (codes * solver.T).sum(1), totals)
    return Atlas(
        overall=flat.mean(0).reshape(shape),
        of_zone=of_zone.reshape(len(ZONES), *shape),
        of_set={each: fit.of_set(each).reshape(shape) for each in totals},
        threshold=_best_cut(fit, zones),
    )


@dataclass(frozen=True)
class _Fit:
    """What is known while fitting: masks (N, P), zones' maps, each case's leverage, count and sum of every set."""

    flat: NDArray[np.float32]
    of_zone: NDArray[np.float32]
    leverage: NDArray[np.float64]
    totals: dict[Zones, tuple[int, NDArray[np.float32]]]

    def of_set(self, zones: Zones) -> NDArray[np.float32]:
        count, total = self.totals[zones]
        return _leaning(count, total, zone_vector(zones) @ self.of_zone)

    def without(self, number: int, zones: Zones | None) -> NDArray[np.float32]:
        """What the atlas would say of a case if it had not been fitted to it."""
        mask = self.flat[number]
        if zones is None:
            others = max(1, len(self.flat) - 1)
            rest: NDArray[np.float32] = (self.flat.mean(0) * len(self.flat) - mask) / others
            return rest
        if not zones:
            return np.zeros_like(mask)
        # A ridge regression without one case follows from its leverage, without fitting again.
        share = np.float32(self.leverage[number])
        parts = (zone_vector(zones) @ self.of_zone - share * mask) / (1 - share)
        count, total = self.totals[zones]
        return _leaning(count - 1, total - mask, parts)


def _leaning(
    count: int, total: NDArray[np.float32], parts: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed = (total + TRUST * np.clip(parts, 0, 1)) / (count + TRUST)
    return mixed.astype(np.float32)


def _best_cut(fit: _Fit, zones: Sequence[Zones | None]) -> float:
    """The cut with the largest Dice over all pixels, every case seen by an atlas without it."""
    edges = np.array([-np.inf, *CUTS, np.inf])
    found, hit = np.zeros(len(CUTS) + 1), np.zeros(len(CUTS) + 1)
    for number, each in enumerate(zones):
        probability = fit.without(number, each)
        found += np.histogram(probability, edges)[0]
        hit += np.histogram(probability[fit.flat[number] > 0], edges)[0]
    # Pixels at or above each cut.
    predicted, true = (np.cumsum(counts[::-1])[::-1][1:] for counts in (found, hit))
    dice = 2 * true / np.maximum(predicted + hit.sum(), 1)
    return float(CUTS[int(np.argmax(dice))])
