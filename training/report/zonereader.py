"""Zones of a mask as a pool's own annotators name them: for each side a small classifier over the seven sets of levels,
from the lesion's extent, its parts, and where the film's lungs lie. Needs a few hundred labeled cases; below that,
use bands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.report.finding import LEVELS, SIDES, ReportError
from training.report.lungs import LungModel, learn_lungs
from training.report.zones import Convention, refuse_unknown

LEAST_PIXELS = 20
LEAST_SIDES = 100
RIDGE = 0.01  # weight decay
SQUARE = np.ones((3, 3))


@dataclass(frozen=True)
class ZoneReader:
    """Learned map from a mask (and its film) to zones.

    Attributes
    ----------
    weights : ndarray, shape (features, 8), float64
        Softmax over sets of levels: bit 0 upper, bit 1 middle, bit 2 lower.
    mean, spread : ndarray, float64
        Standardization of the raw features.
    lungs : LungModel or None
        Where lungs lie; None for a reader that was learned from masks alone.
    """

    weights: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    lungs: LungModel | None

    def zones(
        self,
        mask: NDArray[np.integer],
        image: NDArray[np.floating] | None = None,
        convention: Convention = "image",
    ) -> frozenset[str]:
        """Zones of one mask.

        Parameters
        ----------
        mask : ndarray, shape (H, W)
            Nonzero where there is a finding; parts of up to 20 pixels are noise.
        image : ndarray, shape (H, W), optional
            Its film; a reader with a lung model needs it.
        convention : {"image", "patient"}
            Which side of the picture is called left.

        Returns
        -------
        frozenset of str

        Raises
        ------
        ReportError
            If the film is missing or the convention unknown.
        """
        refuse_unknown(convention)
        names = SIDES if convention == "image" else SIDES[::-1]
        found = set()
        for name, raw in zip(names, _features(mask, image, self.lungs), strict=True):
            if raw is not None:
                scores = _expanded(raw[None], self.mean, self.spread) @ self.weights
                code = int(scores[0, 1:].argmax()) + 1
                found |= {name + level for bit, level in enumerate(LEVELS) if code >> bit & 1}
        return frozenset(found)


def learn_zone_reader(
    masks: Sequence[NDArray[np.integer]],
    zones: Sequence[Iterable[str]],
    images: Sequence[NDArray[np.floating]] | None = None,
) -> ZoneReader:
    """Learn how a pool's texts name zones (texts in the image convention).

    Parameters
    ----------
    masks : sequence of ndarray, shape (H, W)
        Masks of the labeled pool.
    zones : sequence of iterable of str
        The zones their texts name.
    images : sequence of ndarray, shape (H, W), optional
        Their films: levels are then read relative to the lungs too.

    Returns
    -------
    ZoneReader

    Raises
    ------
    ReportError
        If fewer than 100 sides hold a lesion that a text names.
    """
    lungs = learn_lungs(images, masks, zones) if images is not None else None
    rows, codes = [], []
    for at, (mask, named) in enumerate(zip(masks, zones, strict=True)):
        sides = _features(mask, None if images is None else images[at], lungs)
        for side, raw in zip(SIDES, sides, strict=True):
            code = sum(1 << bit for bit, level in enumerate(LEVELS) if side + level in set(named))
            if raw is not None and code:
                rows.append(raw)
                codes.append(code)
    if len(rows) < LEAST_SIDES:
        raise ReportError(
            f"Only {len(rows)} sides hold a named lesion, and learning takes {LEAST_SIDES}: use bands."
        )
    raw_rows = np.array(rows)
    mean, spread = raw_rows.mean(axis=0), raw_rows.std(axis=0) + 1e-9
    weights = _softmax(_expanded(raw_rows, mean, spread), np.array(codes))
    return ZoneReader(weights, mean, spread, lungs)


def _features(
    mask: NDArray[np.integer], image: NDArray[np.floating] | None, lungs: LungModel | None
) -> list[NDArray[np.float64] | None]:
    if lungs is not None and image is None:
        raise ReportError(
            "This reader places zones by the lungs: give it the film beside the mask."
        )
    fields = lungs.locate(image) if lungs is not None and image is not None else None
    parts = side_parts(mask)
    return [
        _side_features(np.array(side), None if fields is None else fields[at]) if side else None
        for at, side in enumerate(parts)
    ]


def side_parts(
    mask: NDArray[np.integer],
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Connected parts (8-neighbors, more than 20 pixels) of the picture-left and picture-right half of a mask.

    Each is ``(top, bottom, center, share of the image)``, all as fractions; a part belongs to the half of its center.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Nonzero is foreground.
    """
    labels, _ = ndimage.label(np.asarray(mask) > 0, SQUARE)
    halves: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
    height, width = mask.shape
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        ys, xs = np.nonzero(labels[box] == number)
        if len(ys) <= LEAST_PIXELS:
            continue
        center = (ys.mean() + box[0].start) / height
        part = (box[0].start / height, box[0].stop / height, center, len(ys) / mask.size)
        halves[int(xs.mean() + box[1].start >= width / 2)].append(part)
    return halves


def _side_features(
    parts: NDArray[np.float64], lung: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    top, bottom, share = parts[:, 0].min(), parts[:, 1].max(), parts[:, 3]
    center = (parts[:, 2] * share).sum() / share.sum()
    largest = parts[share.argmax()]
    values = [top, bottom, center, *largest[:3], np.log(share.sum()), len(parts) / 3, bottom - top]
    if lung is not None:
        height = max(lung[1] - lung[0], 0.3)
        values += [*lung, *((np.array([top, bottom, center]) - lung[0]) / height)]
    return np.array(values)


def _expanded(
    rows: NDArray[np.float64], mean: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    unit = (rows - mean) / spread
    first, second = np.triu_indices(unit.shape[1])
    products = np.clip(unit[:, first] * unit[:, second], -6, 6)
    return np.hstack([np.ones((len(unit), 1)), unit, products])


def _softmax(rows: NDArray[np.float64], codes: NDArray[np.integer]) -> NDArray[np.float64]:
    # Imported here: only learning needs it, and it would slow the start of every window and command.
    from scipy.optimize import minimize

    shape = (rows.shape[1], 8)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        scores = rows @ weights
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        picked = chances[np.arange(len(codes)), codes]
        value = -np.log(picked + 1e-12).mean() + RIDGE * (weights**2).sum()
        chances[np.arange(len(codes)), codes] -= 1
        return value, (rows.T @ chances / len(codes) + 2 * RIDGE * weights).ravel()

    start = np.zeros(shape[0] * shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights: NDArray[np.float64] = found.x.reshape(shape)
    return weights
