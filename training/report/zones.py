"""Zones and pixels by bands: where the six zones of an image lie, which zones a mask touches, and bands fitted to
labeled cases. Learning from more than bands lives in `zonereader`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.report.finding import LEVELS, SIDES, ZONES, ReportError, zone_vector

Convention = Literal["image", "patient"]
CONVENTIONS = ("image", "patient")
STEPS = (0.08, 0.04, 0.02, 0.01)


@dataclass(frozen=True)
class Bands:
    """Where the levels and the two halves lie, as fractions of the image.

    Attributes
    ----------
    upper, middle, lower : tuple of float
        ``(top, bottom)`` of each level, 0 = top row, 1 = bottom; bands may overlap or leave gaps.
    first, second : tuple of float
        ``(left, right)`` of the picture-left and the picture-right half.
    least : float
        Share in [0, 1) of a half's lesion that must lie in a band before its zone counts as affected.
    """

    upper: tuple[float, float] = (0.0, 1 / 3)
    middle: tuple[float, float] = (1 / 3, 2 / 3)
    lower: tuple[float, float] = (2 / 3, 1.0)
    first: tuple[float, float] = (0.0, 0.5)
    second: tuple[float, float] = (0.5, 1.0)
    least: float = 0.05

    def __post_init__(self) -> None:
        for name in ("upper", "middle", "lower", "first", "second"):
            low, high = getattr(self, name)
            if not 0 <= low < high <= 1:
                raise ReportError(
                    f"The band '{name}' runs from {low} to {high}: give 0 <= start < end <= 1."
                )
        if not 0 <= self.least < 1:
            raise ReportError(
                f"The least share of a band is {self.least}: give 0 or more, below 1."
            )

    @property
    def levels(self) -> tuple[tuple[float, float], ...]:
        """Upper, middle and lower band."""
        return self.upper, self.middle, self.lower


THIRDS = Bands()


def refuse_unknown(convention: str) -> None:
    """Refuse what is no laterality convention.

    Raises
    ------
    ReportError
        It is not one of `CONVENTIONS`.
    """
    if convention not in CONVENTIONS:
        raise ReportError(f"'{convention}' is no laterality convention: choose image or patient.")


def halves_of(bands: Bands, convention: str) -> dict[str, tuple[float, float]]:
    """Columns of the sides ``"L"`` and ``"R"`` under a convention.

    Raises
    ------
    ReportError
        If the convention is unknown.
    """
    refuse_unknown(convention)
    pair = (bands.first, bands.second)
    return dict(zip(SIDES, pair if convention == "image" else pair[::-1], strict=True))


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
    columns = {s: _pixels(shape[1], half) for s, half in halves_of(bands, convention).items()}
    rows = {lv: _pixels(shape[0], band) for lv, band in zip(LEVELS, bands.levels, strict=True)}
    return {
        side + level: (rows[level][0], columns[side][0], rows[level][1], columns[side][1])
        for side in SIDES
        for level in LEVELS
    }


def zones_of(
    mask: NDArray[np.integer],
    bands: Bands = THIRDS,
    convention: Convention = "image",
) -> frozenset[str]:
    """Zones that a mask affects.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Nonzero where there is a finding.
    bands : Bands
        Where levels and halves lie; `Bands.least` is the share of a half's lesion a zone must hold.
    convention : {"image", "patient"}
        Which side of the picture is called left.

    Returns
    -------
    frozenset of str
        Empty for an empty mask.
    """
    boxes = zone_boxes(mask.shape, bands, convention)
    held = {zone: np.count_nonzero(mask[y0:y1, x0:x1]) for zone, (y0, x0, y1, x1) in boxes.items()}
    affected = set()
    for side, half in halves_of(bands, convention).items():
        left, right = _pixels(mask.shape[1], half)
        total = np.count_nonzero(mask[:, left:right])
        enough = max(1, bands.least * total)
        affected |= {side + level for level in LEVELS if held[side + level] >= enough}
    return frozenset(affected)


def learn_bands(
    masks: Sequence[NDArray[np.integer]],
    zones: Sequence[Iterable[str]],
    convention: Convention = "image",
) -> Bands:
    """Bands, and the share that counts, that agree best with labeled cases.

    Coordinate search from `THIRDS` on the share of exactly right cases plus half the share of right zones;
    deterministic.

    Parameters
    ----------
    masks : sequence of ndarray, shape (H, W)
        Masks of the labeled pool.
    zones : sequence of iterable of str
        The zones their texts name.
    convention : {"image", "patient"}
        Convention of the texts.

    Returns
    -------
    Bands

    Raises
    ------
    ReportError
        If there is no case, or the two sequences differ in length.
    """
    if not masks or len(masks) != len(zones):
        raise ReportError(
            f"Bands are learned from pairs, not {len(masks)} masks and {len(zones)} sets of zones: give one of each."
        )
    profiles = np.stack([_row_shares(mask, THIRDS, convention) for mask in masks])
    wanted = np.stack([zone_vector(named) for named in zones]).astype(bool)
    values = [THIRDS.upper[1], *THIRDS.middle, THIRDS.lower[0], 0.1]
    best = _agreement(values, profiles, wanted)
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for changed in _neighbors(values, step):
                if (score := _agreement(changed, profiles, wanted)) > best + 1e-9:
                    values, best, improved = changed, score, True
    return _bands(values)


def _pixels(size: int, band: tuple[float, float]) -> tuple[int, int]:
    start = min(round(band[0] * size), size - 1)
    return start, max(start + 1, round(band[1] * size))


def _bands(values: Sequence[float]) -> Bands:
    upper, top, bottom, lower, least = (round(value, 4) for value in values)
    return replace(
        THIRDS, upper=(0.0, upper), middle=(top, bottom), lower=(lower, 1.0), least=least
    )


def _neighbors(values: list[float], step: float) -> list[list[float]]:
    options = []
    for at in range(len(values)):
        for by in (-step, step):
            changed = values.copy()
            changed[at] += by if at < 4 else by / 2
            upper, top, bottom, lower, least = changed
            if (
                0 < upper <= 1
                and 0 <= top < bottom - 0.02
                and bottom <= 1
                and 0 <= lower < 1
                and 0 < least < 0.5
            ):
                options.append(changed)
    return options


def _row_shares(mask: NDArray[np.integer], bands: Bands, convention: str) -> NDArray[np.float64]:
    """Cumulated share of each side's lesion by height, shape (2, 101); zeros where a side has none."""
    shares = np.zeros((2, 101))
    for at, half in enumerate(halves_of(bands, convention).values()):
        left, right = _pixels(mask.shape[1], half)
        rows = np.count_nonzero(mask[:, left:right], axis=1)
        if total := rows.sum():
            heights = np.arange(len(rows) + 1) / len(rows)
            cumulated = np.concatenate([[0], np.cumsum(rows)]) / total
            shares[at] = np.interp(np.linspace(0, 1, 101), heights, cumulated)
    return shares


def _agreement(
    values: Sequence[float], profiles: NDArray[np.float64], wanted: NDArray[np.bool_]
) -> float:
    upper, top, bottom, lower, least = (np.clip(value, 0, 1) for value in values)
    held = (
        _at(profiles, upper),
        _at(profiles, bottom) - _at(profiles, top),
        profiles[..., -1] - _at(profiles, lower),
    )
    found = (np.stack(held, axis=-1) >= max(float(least), 1e-9)).reshape(len(profiles), len(ZONES))
    right = found == wanted
    return float(right.all(axis=1).mean() + 0.5 * right.mean())


def _at(profiles: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    place = height * 100
    low = int(place)
    high = min(low + 1, 100)
    return profiles[..., low] + (place - low) * (profiles[..., high] - profiles[..., low])
