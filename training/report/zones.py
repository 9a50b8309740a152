"""Zones and pixels: bands of an image, zone boxes, the zones a mask touches, and bands learned from labeled cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.report.finding import LEVELS, ReportError
from training.report.write import render

Convention = Literal["image", "patient"]


@dataclass(frozen=True)
class Bands:
    """Where the levels and the two halves lie, as fractions of the image.

    Attributes
    ----------
    upper, middle, lower : tuple of float
        ``(top, bottom)`` of each level, 0 = top row, 1 = bottom; bands may overlap or leave gaps.
    first, second : tuple of float
        ``(left, right)`` of the picture-left and the picture-right half.
    """

    upper: tuple[float, float] = (0.0, 1 / 3)
    middle: tuple[float, float] = (1 / 3, 2 / 3)
    lower: tuple[float, float] = (2 / 3, 1.0)
    first: tuple[float, float] = (0.0, 0.5)
    second: tuple[float, float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        for name in ("upper", "middle", "lower", "first", "second"):
            low, high = getattr(self, name)
            if not 0 <= low < high <= 1:
                raise ReportError(
                    f"The band '{name}' runs from {low} to {high}; give 0 <= start < end <= 1."
                )


THIRDS = Bands()


def zone_boxes(
    shape: tuple[int, int], bands: Bands = THIRDS, convention: Convention = "image"
) -> dict[str, tuple[int, int, int, int]]:
    """Pixel box of every zone.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of the image.
    bands : Bands
        Where levels and halves lie.
    convention : {"image", "patient"}
        Whether "left" is the left of the picture or of the patient (who faces the viewer).

    Returns
    -------
    dict of str to (y0, x0, y1, x1)
        Half-open boxes: ``image[y0:y1, x0:x1]``; at least one pixel each.

    Raises
    ------
    ReportError
        If the convention is unknown.
    """
    if convention not in ("image", "patient"):
        raise ReportError(f"'{convention}' is no laterality convention; choose image or patient.")
    halves = (bands.first, bands.second) if convention == "image" else (bands.second, bands.first)
    rows = {
        level: _pixels(shape[0], band)
        for level, band in zip(LEVELS, (bands.upper, bands.middle, bands.lower), strict=True)
    }
    columns = {side: _pixels(shape[1], band) for side, band in zip("LR", halves, strict=True)}
    return {
        side + level: (rows[level][0], columns[side][0], rows[level][1], columns[side][1])
        for side in "LR"
        for level in LEVELS
    }


def zones_of(
    mask: NDArray[np.integer],
    bands: Bands = THIRDS,
    convention: Convention = "image",
    least: float = 0.05,
) -> frozenset[str]:
    """Zones that hold at least ``least`` of a mask's pixels."""
    total = int(np.count_nonzero(mask))
    if not total:
        return frozenset()
    return frozenset(
        zone
        for zone, (y0, x0, y1, x1) in zone_boxes(mask.shape, bands, convention).items()
        if np.count_nonzero(mask[y0:y1, x0:x1]) >= max(1, least * total)
    )


def learn_bands(masks: Sequence[NDArray[np.integer]], zones: Sequence[Iterable[str]]) -> Bands:
    """Bands that fit labeled cases best."""
    return THIRDS


def describe(
    mask: NDArray[np.integer],
    bands: Bands = THIRDS,
    convention: Convention = "image",
    style: str = "qata",
) -> str:
    """Propose a description of a mask."""
    zones = zones_of(mask, bands, convention)
    count = ndimage.label(mask)[1]
    return render(zones, style, count if zones else None)


def _pixels(size: int, band: tuple[float, float]) -> tuple[int, int]:
    start = min(round(band[0] * size), size - 1)
    return start, max(start + 1, round(band[1] * size))
