"""Segmentation inside a lasso: random walks from what is surely lesion and surely not (Grady, 2006, as in
scikit-image). Never a pixel outside the lasso."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import random_walker

WORKING_SIDE = 128  # pixels; larger lassos are walked on a smaller copy, so that the wait is short
BETA = 200.0  # how strongly an edge of gray stops a walk
LEAST_CONTRAST = 0.02  # of the gray scale; a flatter inside has no edge to find
LEAST_DOUBT = 0.3  # a teacher whose probability varies less inside the lasso tells nothing apart
SURE = 0.75  # quantile of the evidence from which a pixel is a seed
LESION, REST = 1, 2
Gray = NDArray[np.float32]


def inside_polygon(shape: tuple[int, int], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Pixels ``(H, W) bool`` inside a closed line of ``(N, 2)`` rows and columns; parts beyond the film are cut off."""
    picture = Image.new("1", shape[::-1])
    if len(corners) > 2:
        ImageDraw.Draw(picture).polygon([(x, y) for y, x in corners], fill=1)
    return np.array(picture, bool)


def smart_fill(
    image: NDArray[np.float32],
    probability: NDArray[np.float32] | None,
    lasso: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """What inside a lasso is lesion.

    Seeds of the lesion are the inner pixels with the most evidence: the teacher's probability where it tells them
    apart, else brightness. Seeds of the rest are the lasso's rim and all beyond it. Where neither tells anything
    apart, the whole lasso is lesion, as the reader drew it.

    Parameters
    ----------
    image : (H, W) float32 in [0, 1]
    probability : (H, W) float32 in [0, 1], optional
        The teacher's.
    lasso : (H, W) bool

    Returns
    -------
    (H, W) uint8, 0 or 1
        0 everywhere outside the lasso.
    """
    filled = np.zeros(lasso.shape, np.uint8)
    if not lasso.any():
        return filled
    window = _window(lasso)
    part = lasso[window]
    scale = min(1.0, WORKING_SIDE / max(part.shape))
    size = max(4, round(part.shape[0] * scale)), max(4, round(part.shape[1] * scale))
    gray = _resized(image[window], size)
    said = None if probability is None else _resized(probability[window], size)
    inside = _resized(part.astype(np.float32), size) >= 0.5
    evidence = _evidence(gray, said, inside) if inside.any() else None
    found = None if evidence is None else _walk(gray, _seeds(evidence, inside))
    filled[window] = part if found is None else part & (_resized(found, part.shape) >= 0.5)
    return filled


def _window(lasso: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = ndimage.find_objects(lasso.astype(np.uint8))[0]
    margin = 2
    return (
        slice(max(0, rows.start - margin), rows.stop + margin),
        slice(max(0, columns.start - margin), columns.stop + margin),
    )


def _evidence(gray: Gray, probability: Gray | None, inside: NDArray[np.bool_]) -> Gray | None:
    if probability is not None and np.ptp(probability[inside]) > LEAST_DOUBT:
        return probability
    calm = ndimage.gaussian_filter(gray, 1.0)
    return calm if np.ptp(calm[inside]) > LEAST_CONTRAST else None


def _walk(gray: Gray, seeds: NDArray[np.int32]) -> Gray | None:
    """Probability that a walk from a pixel ends in the lesion; None if there is only one kind of seeds."""
    if not (seeds == LESION).any() or not (seeds == REST).any():
        return None
    if seeds.all():
        sure: Gray = (seeds == LESION).astype(np.float32)
        return sure
    low, high = np.percentile(gray, (1, 99))
    scaled = np.clip((gray - low) / max(high - low, LEAST_CONTRAST), 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of probabilities that miss 1 by the tolerance
        walked = random_walker(
            scaled, seeds, beta=BETA, mode="cg_j", tol=1e-3, return_full_prob=True
        )
    return np.asarray(walked[0], np.float32)


def _seeds(evidence: Gray, inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    seeds = np.zeros(inside.shape, np.int32)
    values = evidence[inside]
    if values.size and np.ptp(values) > 0:
        cut = float(threshold_otsu(values))
        above = values[values > cut]
        sure = float(np.quantile(above, 1 - SURE)) if above.size else cut
        below = values[values <= cut]
        surely_not = float(np.quantile(below, 0.25)) if below.size else -np.inf
        seeds[inside & (evidence >= sure) & (evidence > cut)] = LESION
        seeds[inside & (evidence <= surely_not)] = REST
    rim = inside & ~ndimage.binary_erosion(inside, border_value=0)
    seeds[rim & (seeds != LESION)] = REST
    seeds[~inside] = REST
    return seeds


def _resized(values: Gray, size: tuple[int, ...]) -> Gray:
    if values.shape == size:
        return values
    picture = Image.fromarray(np.ascontiguousarray(values, np.float32))
    height, width = size
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
