"""Connected regions of a film: the one under a point, and those where the teacher is unsure, the largest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

EIGHT = np.ones((3, 3), bool)  # neighbors of a pixel
UNSURE_BITS = 0.8  # entropy of a probability between 0.24 and 0.76
LEAST_SHARE = 0.0002  # of the film; smaller regions are no place to go to


@dataclass(frozen=True)
class Region:
    """A connected region.

    Attributes
    ----------
    box : (y0, x0, y1, x1)
        Half-open: ``film[y0:y1, x0:x1]``.
    pixels : int
    """

    box: tuple[int, int, int, int]
    pixels: int


def uncertain_regions(
    entropy: NDArray[np.float32], threshold: float = UNSURE_BITS, least: int | None = None
) -> list[Region]:
    """Regions in which the entropy is at or above a threshold, the largest first.

    Parameters
    ----------
    entropy : (H, W) float32 in [0, 1]
        In bits.
    threshold : float in [0, 1]
    least : int, optional
        Pixels a region must have; by default a share of the film, `LEAST_SHARE`.
    """
    least = max(1, round(LEAST_SHARE * entropy.size)) if least is None else least
    labels, _count = ndimage.label(entropy >= threshold, structure=EIGHT)
    sizes = np.bincount(labels.ravel())
    found = [
        Region((rows.start, columns.start, rows.stop, columns.stop), int(sizes[number]))
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1)
        if sizes[number] >= least
    ]
    return sorted(found, key=lambda region: (-region.pixels, region.box))


def region_at(mask: NDArray[np.uint8], point: tuple[int, int]) -> NDArray[np.bool_] | None:
    """The connected region of a mask that a pixel ``(row, column)`` belongs to.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1

    Returns
    -------
    (H, W) bool, or None
        None where the mask is 0 or the point lies outside of it.
    """
    row, column = point
    inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
    if not inside or not mask[row, column]:
        return None
    labels, _count = ndimage.label(mask, structure=EIGHT)
    region: NDArray[np.bool_] = labels == labels[row, column]
    return region
