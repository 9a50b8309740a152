"""Opacities in known zones: where they lie, their ragged shape, their mask and their brightness.

A lesion fills a run of neighboring zones on one side, so the areas that a description counts are
the connected components of the mask. Words live in `words`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.phantom.anatomy import LEVELS, Body
from training.phantom.canvas import Floats, Pose, smooth_field, soft_step

CUT = 0.35
CANDIDATES = 48
TEXTURE_GRID = 48
ROOM = 0.035
BLUR = 0.005


@dataclass(frozen=True)
class Spot:
    """A Gaussian bump around the segment from ``start`` to ``end`` (body coordinates)."""

    start: tuple[float, float]
    end: tuple[float, float]
    spread_x: float
    spread_y: float


@dataclass(frozen=True)
class Lesion:
    """One area: its run of zones (picture's side 0 or 1, first and last level) and its make."""

    side: int
    first: int
    last: int
    spots: tuple[Spot, ...]
    contrast: float
    texture: NDArray[np.float64]


def runs(zones: list[int]) -> list[tuple[int, int, int]]:
    """Group zone indices (picture's Lu Lm Ll Ru Rm Rl) into (side, first, last) neighbors."""
    found: list[tuple[int, int, int]] = []
    for zone in sorted(zones):
        side, level = divmod(zone, LEVELS)
        if found and found[-1][0] == side and found[-1][2] == level - 1:
            found[-1] = (side, found[-1][1], level)
        else:
            found.append((side, level, level))
    return found


def grow_lesion(
    rng: np.random.Generator,
    run: tuple[int, int, int],
    centers: NDArray[np.float64],
    contrast: tuple[float, float],
) -> Lesion:
    """Draw one lesion in a run of zones around their ``centers`` (6, 2), body coordinates."""
    side, first, last = run
    spots: list[Spot] = []
    own = centers[side * LEVELS + first : side * LEVELS + last + 1]
    for center in own:
        spread = rng.uniform(0.026, 0.046)
        count = rng.integers(2, 5)
        away = rng.normal(0, 0.8 * spread, (count, 2))
        away[0] = 0
        shapes = spread * rng.uniform(0.55, 1.1, (count, 2))
        for (x, y), (wide, tall) in zip(center + away, shapes, strict=True):
            spots.append(Spot((x, y), (x, y), wide, tall))
    for one, two in itertools.pairwise(own):
        spread = rng.uniform(0.022, 0.032)
        spots.append(Spot(tuple(one), tuple(two), spread, spread))
    texture = rng.normal(0, 1, (TEXTURE_GRID, TEXTURE_GRID))
    return Lesion(side, first, last, tuple(spots), float(rng.uniform(*contrast)), texture)


def find_room(rng: np.random.Generator, body: Body) -> NDArray[np.float64]:
    """Draw in each of the six zones a point well inside the lung field: (6, 2), body coordinates."""
    x, y = np.empty((2, 2 * LEVELS, CANDIDATES), np.float32)
    for zone in range(2 * LEVELS):
        lung, level = body.lungs[zone // LEVELS], zone % LEVELS
        height = (lung.angle - lung.apex) / LEVELS
        y[zone] = lung.apex + height * (level + rng.uniform(0.22, 0.78, CANDIDATES))
        wall, medial = lung.edges(y[zone])
        x[zone] = lung.side * (medial + (wall - medial) * rng.uniform(0.1, 0.9, CANDIDATES))
    room = np.minimum(body.cavity(x, y), -body.shadow(x, y))
    # The first candidate with room enough, or else the one with the most.
    chosen = np.argmax(np.minimum(room, ROOM), axis=1)
    rows = np.arange(2 * LEVELS)
    return np.stack((x[rows, chosen], y[rows, chosen]), axis=-1).astype(np.float64)


@dataclass(frozen=True)
class Drawing:
    """Lesions on a film: ``mask`` (H, W) bool and ``glow`` (H, W) float32, added brightness."""

    mask: NDArray[np.bool_]
    glow: Floats


def draw_lesions(
    lesions: list[Lesion], body: Body, pose: Pose, x: Floats, y: Floats, lung_field: Floats
) -> Drawing:
    """Rasterize lesions.

    ``x`` and ``y`` are the body coordinates of the film's pixels, ``lung_field`` their signed
    margin inside the lung field; each (H, W) float32.
    """
    drawing = Drawing(np.zeros(x.shape, bool), np.zeros(x.shape, np.float32))
    for lesion in lesions:
        window = _window(lesion, pose, x.shape[0])
        texture = smooth_field(lesion.texture, x.shape[0], window)
        room = _room(lesion, body, y[window], lung_field[window])
        inside, glow = _draw_one(lesion, x[window], y[window], texture, room)
        drawing.mask[window] |= inside
        glow = ndimage.gaussian_filter(glow, BLUR * x.shape[0], truncate=3.0) * (room > 0)
        np.maximum(drawing.glow[window], glow, out=drawing.glow[window])
    return drawing


def _window(lesion: Lesion, pose: Pose, size: int) -> tuple[slice, slice]:
    ends = np.array([end for spot in lesion.spots for end in (spot.start, spot.end)])
    pad = 2.6 * max(max(spot.spread_x, spot.spread_y) for spot in lesion.spots)
    (x0, y0), (x1, y1) = ends.min(0) - pad, ends.max(0) + pad
    corners = pose.pixels(np.array(((x0, y0), (x0, y1), (x1, y0), (x1, y1))), size)
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, size)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, size)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _draw_one(
    lesion: Lesion, x: Floats, y: Floats, texture: Floats, room: Floats
) -> tuple[NDArray[np.bool_], Floats]:
    bump = np.maximum.reduce([_bump(spot, x, y) for spot in lesion.spots])
    bump *= (1 + np.float32(0.4) * texture) * room
    above = bump > CUT
    labels, count = ndimage.label(above)
    inside = above
    if count > 1:
        sizes = np.bincount(labels.ravel())[1:]
        inside = labels == int(np.argmax(sizes)) + 1
        bump = np.where(above & ~inside, np.float32(0), bump)
    inside = ndimage.binary_fill_holes(inside)
    glow = soft_step(bump - np.float32(0.5), 0.8) * (1 + np.float32(0.15) * texture)
    return inside, np.float32(lesion.contrast) * np.clip(glow, 0, None)


def _bump(spot: Spot, x: Floats, y: Floats) -> Floats:
    (x0, y0), (x1, y1) = spot.start, spot.end
    dx, dy = np.float32(x1 - x0), np.float32(y1 - y0)
    far = max(float(dx * dx + dy * dy), 1e-12)
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / np.float32(far), 0, 1)
    a = (x - np.float32(x0) - along * dx) / np.float32(spot.spread_x)
    b = (y - np.float32(y0) - along * dy) / np.float32(spot.spread_y)
    return np.exp(np.float32(-0.5) * (a * a + b * b))


def _room(lesion: Lesion, body: Body, y: Floats, lung_field: Floats) -> Floats:
    """1 well inside the lesion's zones of the lung field, 0 on their border."""
    lung = body.lungs[lesion.side]
    level = lung.level(y)
    gap = np.minimum(level - lesion.first, lesion.last + 1 - level)
    inside = soft_step(lung_field - np.float32(0.010), 0.020)
    return inside * soft_step(gap - np.float32(0.06), 0.12)
