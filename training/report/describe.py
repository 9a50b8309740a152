"""A description proposed for a mask: its zones and its number of parts, in a data set's words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.report.finding import regions_of
from training.report.write import render, usual_count
from training.report.zonereader import ZoneReader, side_parts
from training.report.zones import THIRDS, Bands, Convention, zones_of


def describe(
    mask: NDArray[np.integer],
    bands: Bands | ZoneReader = THIRDS,
    convention: Convention = "image",
    style: str = "qata",
    image: NDArray[np.floating] | None = None,
) -> str:
    """Propose a description of a mask.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Nonzero where there is a finding.
    bands : Bands or ZoneReader
        How zones are found.
    convention : {"image", "patient"}
        Which side of the picture is called left.
    style : str
        A style of `render`.
    image : ndarray, shape (H, W), optional
        The film, for a reader that places zones by the lungs.

    Returns
    -------
    str
        Zones as found; the count is the number of connected parts of more than 20 pixels (as QaTa's texts count),
        at least one for each separate region named; ``sgseg`` counts zones.
    """
    zones = mask_zones(mask, bands, convention, image)
    if not zones or style == "sgseg":
        return render(zones, style, usual_count(zones, style) if zones else None)
    return render(zones, style, max(count_parts(mask), regions_of(zones)))


def mask_zones(
    mask: NDArray[np.integer],
    bands: Bands | ZoneReader,
    convention: Convention,
    image: NDArray[np.floating] | None = None,
) -> frozenset[str]:
    """Zones of a mask by bands or by a learned reader.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Nonzero is foreground.
    image : ndarray, shape (H, W), optional
        The film, for a reader that places zones by the lungs.
    """
    if isinstance(bands, ZoneReader):
        return bands.zones(mask, image, convention)
    return zones_of(mask, bands, convention)


def count_parts(mask: NDArray[np.integer]) -> int:
    """Number of connected parts (8-neighbors) of more than 20 pixels of a mask, shape (H, W)."""
    return sum(len(half) for half in side_parts(mask))
