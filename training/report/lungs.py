"""Where the lungs lie in a film: top and bottom of each lung, learned from the labeled cases whose lesion fills a
whole lung (their masks outline it). The bands of such a film then hang on its lungs, not on the picture's edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from training.report.finding import LEVELS, ReportError
from training.report.zones import THIRDS, Bands

SIDE_PIXELS = 32
COMPONENTS = 60
RIDGE = 300.0
LEAST_HEIGHT = 0.4
LEAST_CASES = 40


@dataclass(frozen=True)
class LungModel:
    """A linear map from a small, standardized picture of a film to the top and bottom of its picture-left lung.

    The picture-right lung is read from the mirrored film.

    Attributes
    ----------
    center : ndarray, shape (1024,), float64
        Mean picture.
    weights : ndarray, shape (1024, 2), float64
        From the centered picture to top and bottom.
    usual : ndarray, shape (2,), float64
        Mean top and bottom, as fractions of the height.
    cases : int
        Number of lungs it was learned from.
    """

    center: NDArray[np.float64]
    weights: NDArray[np.float64]
    usual: NDArray[np.float64]
    cases: int

    def locate(self, image: NDArray[np.floating]) -> NDArray[np.float64]:
        """Top and bottom of the picture-left and the picture-right lung.

        Parameters
        ----------
        image : ndarray, shape (H, W)
            Film, any range.

        Returns
        -------
        ndarray, shape (2, 2), float64
            ``[[top, bottom], [top, bottom]]`` as fractions of the height, at least 0.3 apart.
        """
        small = small_picture(image)
        found = np.stack([self._lung(small), self._lung(small[:, ::-1])])
        found[:, 0] = np.clip(found[:, 0], 0.0, 0.6)
        found[:, 1] = np.clip(np.maximum(found[:, 1], found[:, 0] + 0.3), 0.3, 1.0)
        return found

    def _lung(self, small: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.usual + (small.ravel() - self.center) @ self.weights


def small_picture(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """The film at 32×32, zero mean, unit spread, shape (32, 32), float64."""
    small = resize(
        np.asarray(image, dtype=np.float64), (SIDE_PIXELS, SIDE_PIXELS), anti_aliasing=True
    )
    even: NDArray[np.float64] = (small - small.mean()) / (small.std() + 1e-6)
    return even


def learn_lungs(
    images: Sequence[NDArray[np.floating]],
    masks: Sequence[NDArray[np.integer]],
    zones: Sequence[Iterable[str]],
) -> LungModel:
    """Learn where lungs lie from the cases whose text says "all" of a side (image convention).

    Parameters
    ----------
    images, masks : sequence of ndarray, shape (H, W)
        Films and masks of the labeled pool.
    zones : sequence of iterable of str
        The zones their texts name.

    Returns
    -------
    LungModel

    Raises
    ------
    ReportError
        If fewer than 40 lungs are filled by a lesion.
    """
    pictures, extents = [], []
    for image, mask, named in zip(images, masks, zones, strict=True):
        small = None
        for at, side in enumerate("LR"):
            if not {side + level for level in LEVELS} <= set(named):
                continue
            extent = _extent(mask, at)
            if extent[1] - extent[0] > LEAST_HEIGHT:
                small = small_picture(image) if small is None else small
                pictures.append((small if at == 0 else small[:, ::-1]).ravel())
                extents.append(extent)
    if len(pictures) < LEAST_CASES:
        raise ReportError(
            f"Only {len(pictures)} lungs are filled by a lesion, learning takes {LEAST_CASES}: label more cases."
        )
    return _fitted(np.array(pictures), np.array(extents))


def lung_bands(lungs: NDArray[np.float64], bands: Bands = THIRDS) -> Bands:
    """Bands given as fractions of a lung, laid onto a film.

    Parameters
    ----------
    lungs : ndarray, shape (2, 2)
        Tops and bottoms from `LungModel.locate`; the mean of both lungs is used.
    bands : Bands
        Levels as fractions of the lung's height.

    Returns
    -------
    Bands
        Levels as fractions of the image's height; the outer bands reach the picture's edge.
    """
    top, bottom = lungs.mean(axis=0)

    def place(band: tuple[float, float]) -> tuple[float, float]:
        low, high = (float(np.clip(top + part * (bottom - top), 0, 1)) for part in band)
        return (0.0 if band[0] == 0 else low), (1.0 if band[1] == 1 else high)

    return replace(
        bands, upper=place(bands.upper), middle=place(bands.middle), lower=place(bands.lower)
    )


def _extent(mask: NDArray[np.integer], half: int) -> tuple[float, float]:
    middle = mask.shape[1] // 2
    side = mask[:, :middle] if half == 0 else mask[:, middle:]
    rows = np.flatnonzero(side.any(axis=1))
    return (rows[0] / len(mask), (rows[-1] + 1) / len(mask)) if len(rows) else (0.0, 0.0)


def _fitted(pictures: NDArray[np.float64], extents: NDArray[np.float64]) -> LungModel:
    center, usual = pictures.mean(axis=0), extents.mean(axis=0)
    _, _, axes = np.linalg.svd(pictures - center, full_matrices=False)
    axes = axes[:COMPONENTS]
    scores = (pictures - center) @ axes.T
    inner = scores.T @ scores + RIDGE * np.eye(len(axes))
    return LungModel(
        center, axes.T @ np.linalg.solve(inner, scores.T @ (extents - usual)), usual, len(pictures)
    )
