"""Ways to tidy a whole mask. Each returns a new mask ``(H, W) uint8, 0 or 1``; done twice, it is as if done once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk

from training.editing.regions import EIGHT
from training.report.zones import Bands, Convention, zone_boxes

Mask = NDArray[np.uint8]
ISLAND_SHARE = 0.0005  # of the film; 500 pixels of a film of 1000 x 1000
SMOOTHING_SHARE = 0.004  # radius by the film's shorter side; 4 pixels of 1000


def remove_islands(mask: Mask, least: int | None = None) -> Mask:
    """Take away components of fewer than ``least`` pixels; the largest stays whatever its size.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    least : int, optional
        By default a share of the film, `ISLAND_SHARE`.
    """
    least = max(2, round(ISLAND_SHARE * mask.size)) if least is None else least
    labels, count = ndimage.label(mask, structure=EIGHT)
    if count < 2:
        return mask.copy()
    sizes = np.bincount(labels.ravel())
    keep = sizes >= least
    keep[1 + np.argmax(sizes[1:])] = True
    keep[0] = False
    kept: Mask = keep[labels].astype(np.uint8)
    return kept


def fill_holes(mask: Mask) -> Mask:
    """Fill what the mask ``(H, W) uint8, 0 or 1`` encloses."""
    labels, count = ndimage.label(mask == 0)
    outside = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False
    filled: Mask = (~outside[labels]).astype(np.uint8)
    return filled


def smooth(mask: Mask, radius: int | None = None) -> Mask:
    """Close gaps and remove spurs narrower than a disk: a morphological closing, then an opening.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    radius : int, optional
        Of the disk, in pixels, at least 1; by default a share of the shorter side, `SMOOTHING_SHARE`.
    """
    radius = max(1, round(SMOOTHING_SHARE * min(mask.shape))) if radius is None else radius
    smoothed = np.zeros_like(mask)
    if mask.any():
        window = _around(mask, 2 * radius + 2)
        smoothed[window] = _close_and_open(mask[window] > 0, radius)
    return smoothed


def keep_zones(mask: Mask, zones: Iterable[str], bands: Bands, convention: Convention) -> Mask:
    """Keep what lies in the zones that are named, and nothing else.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    zones : iterable of str
        Among ``Lu Lm Ll Ru Rm Rl``.
    bands : Bands
        Where the project's zones lie.
    convention : {"image", "patient"}
        Whose left is called left.
    """
    boxes = zone_boxes(mask.shape, bands, convention)
    kept = np.zeros_like(mask)
    for zone in zones:
        y0, x0, y1, x1 = boxes[zone]
        kept[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    return kept


def _close_and_open(part: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    # What lies beyond the film neither grows into it nor eats it away; so each of the four steps is the exact
    # counterpart of its neighbor, and the whole is idempotent.
    return _grown(_shrunk(_shrunk(_grown(part, radius), radius), radius), radius)


def _grown(part: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    for footprint, times in disk(radius, decomposition="sequence"):
        part = ndimage.binary_dilation(part, footprint, iterations=times, border_value=0)
    return part


def _shrunk(part: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    for footprint, times in disk(radius, decomposition="sequence"):
        part = ndimage.binary_erosion(part, footprint, iterations=times, border_value=1)
    return part


def _around(mask: Mask, margin: int) -> tuple[slice, slice]:
    (rows,) = np.nonzero(mask.any(axis=1))
    (columns,) = np.nonzero(mask.any(axis=0))
    return (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns[0] - margin), columns[-1] + 1 + margin),
    )
