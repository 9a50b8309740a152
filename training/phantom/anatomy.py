"""The body of one patient: outline, thorax, lungs with their zones, heart, mediastinum.

Shapes are drawn once per patient in body coordinates and evaluated at any film size. Bones and
vessels live in `skeleton`, lesions in `lesions`; `tissue` evaluates it all on a film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from training.phantom.canvas import Floats

TABLE = 8192
LEVELS = 3
BLEND = 0.02  # over which the corners between parts of one organ are rounded
Side = Literal[-1, 1]

# Shapes by depth from apex (0) to costophrenic angle (1), in units of the lung's width.
DEPTH = np.linspace(0, 1, TABLE)


def _curve(*knots: tuple[float, float]) -> NDArray[np.float64]:
    depth, value = np.array(knots).T
    curve: NDArray[np.float64] = PchipInterpolator(depth, value)(DEPTH)
    return curve


WALL = _curve(
    (0, 0),
    (0.008, 0.3),
    (0.03, 0.52),
    (0.08, 0.76),
    (0.2, 1.12),
    (0.45, 1.6),
    (0.7, 1.86),
    (1, 1.93),
)
MEDIAL = _curve((0, 0), (0.008, -0.2), (0.03, -0.33), (0.08, -0.44), (0.25, -0.5), (1, -0.58))


@dataclass(frozen=True)
class Lung:
    """One pleural cavity; ``side`` -1 is on the picture's left, +1 on its right."""

    side: Side
    apex: float
    angle: float
    dome: float
    dome_x: float
    wall: Floats
    medial: Floats

    def _row(self, y: Floats) -> NDArray[np.int32]:
        depth = (y - self.apex) / (self.angle - self.apex)
        row: NDArray[np.int32] = (np.clip(depth, 0, 1) * (TABLE - 1)).astype(np.int32)
        return row

    def edges(self, y: Floats) -> tuple[Floats, Floats]:
        """Distances from the midline of the chest wall and of the mediastinal side at ``y``, each of its shape."""
        row = self._row(np.asarray(y, dtype=np.float32))
        return self.wall[row], self.medial[row]

    def floor(self, x: Floats) -> Floats:
        """Height (y) of the diaphragm above which the lung ends at ``x``, of its shape."""
        out = self.side * x - np.float32(self.dome_x)
        lateral = np.float32(self.angle - self.dome) / (self.wall[-1] - self.dome_x) ** 2
        curve = np.where(out > 0, lateral * out**2, np.float32(1.1) * out**2)
        return np.float32(self.dome) + curve

    def margin(self, x: Floats, y: Floats) -> Floats:
        """Signed distance (about) to the cavity's border, positive inside, of the shape of ``x`` and ``y``."""
        wall, medial = self.edges(y)
        across = np.float32(self.side) * x
        margin = np.minimum(wall - across, across - medial)
        margin = np.minimum(margin, (self.floor(x) - y) * np.float32(0.8))
        above = y - np.float32(self.apex)
        inside: Floats = np.where(above < 0, np.minimum(margin, above), margin)
        return inside

    def level(self, y: Floats) -> Floats:
        """Position along the lung's axis in zones, of the shape of ``y``: 0..1 upper, 1..2 middle, 2..3 lower."""
        return (y - np.float32(self.apex)) * np.float32(LEVELS / (self.angle - self.apex))


@dataclass(frozen=True)
class Blob:
    """A tilted ellipse in body coordinates, or with ``boxy`` a superellipse of power four."""

    x: float
    y: float
    half_x: float
    half_y: float
    tilt: float
    boxy: bool = False

    def margin(self, x: Floats, y: Floats) -> Floats:
        """Signed distance (about) to the border, positive inside, of the shape of ``x`` and ``y``."""
        c, s = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        dx, dy = x - np.float32(self.x), y - np.float32(self.y)
        a = (c * dx + s * dy) * np.float32(1 / self.half_x)
        b = (c * dy - s * dx) * np.float32(1 / self.half_y)
        a *= a
        b *= b
        radius = np.sqrt(np.sqrt(a * a + b * b)) if self.boxy else np.sqrt(a + b)
        return (1 - radius) * np.float32(min(self.half_x, self.half_y))


@dataclass(frozen=True)
class Body:
    """Everything soft in one patient."""

    lungs: tuple[Lung, Lung]
    heart: tuple[Blob, ...]
    great_vessels: tuple[Blob, ...]
    outline: Floats
    arms: tuple[Blob, ...]
    hila: tuple[Blob, ...]
    breast: tuple[Blob, ...]
    fat: float

    def cavity(self, x: Floats, y: Floats) -> Floats:
        """Signed margin of the two pleural cavities, (H, W) float32."""
        left, right = self.lungs
        return np.where(x < 0, left.margin(x, y), right.margin(x, y))

    def shadow(self, x: Floats, y: Floats) -> Floats:
        """Signed margin of heart and great vessels together, (H, W) float32."""
        return np.maximum(merged(self.heart, x, y), merged(self.great_vessels, x, y))

    def trunk(self, x: Floats, y: Floats) -> Floats:
        """Signed margin of the body's outline without the arms, (H, W) float32."""
        row = (np.clip(y, 0, 1) * (TABLE - 1)).astype(np.int32)
        return self.outline[row] - np.abs(x)

    def diaphragm(self, x: Floats, y: Floats) -> Floats:
        """Signed depth below the diaphragm, positive in the abdomen, (H, W) float32."""
        left, right = self.lungs
        return y - np.where(x < 0, left.floor(x), right.floor(x))

    def level(self, x: Floats, y: Floats) -> Floats:
        """Position along the axis of the lung on that side, in zones (see `Lung.level`), of the shape of both."""
        left, right = self.lungs
        return np.where(x < 0, left.level(y), right.level(y))


def merged(blobs: tuple[Blob, ...], x: Floats, y: Floats) -> Floats:
    """Union of blobs whose corners are rounded over about `BLEND`: a margin of the shape of ``x`` and ``y``."""
    union = blobs[0].margin(x, y)
    for blob in blobs[1:]:
        other = blob.margin(x, y)
        apart = np.clip(np.float32(BLEND) - np.abs(union - other), 0, None)
        union = np.maximum(union, other) + apart * apart * np.float32(0.25 / BLEND)
    return union


def grow_body(rng: np.random.Generator) -> Body:
    """Draw a patient's soft anatomy. ``rng`` is the patient's own stream."""
    width, apex = rng.uniform(0.92, 1.06), rng.uniform(0.085, 0.125)
    angle = rng.uniform(0.79, 0.86)
    left = _lung(rng, -1, width, apex, angle - rng.uniform(0.0, 0.02))
    right = _lung(rng, 1, width, apex + rng.uniform(-0.008, 0.008), angle)
    base = right.dome
    heart = _heart(rng, width, base)
    breast: tuple[Blob, ...] = ()
    if rng.random() < 0.4:
        y, drop = rng.uniform(0.66, 0.76), rng.uniform(0.13, 0.19)
        breast = tuple(Blob(s * 0.27 * width, y, 0.19, drop, s * -0.25) for s in (-1, 1))
    waist = rng.uniform(0.43, 0.53)
    arms = _arms(rng, waist)
    great = _great_vessels(rng)
    outline = _outline(rng, waist)
    hila = (Blob(-0.085, 0.43, 0.05, 0.085, 0.1), Blob(0.095, 0.41, 0.05, 0.08, -0.1))
    return Body((left, right), heart, great, outline, arms, hila, breast, rng.uniform(0.0, 0.10))


def _lung(rng: np.random.Generator, side: Side, width: float, apex: float, angle: float) -> Lung:
    center = 0.118 * width
    wide = 0.132 * width * rng.uniform(0.97, 1.03)
    # The liver lifts the patient's right dome, which is the picture's left one.
    dome = angle - rng.uniform(0.075, 0.12) - (0.02 if side < 0 else 0.0)
    return Lung(
        side=side,
        apex=apex,
        angle=angle,
        dome=dome,
        dome_x=rng.uniform(0.17, 0.21) * width,
        wall=(center + wide * WALL).astype(np.float32),
        medial=(center + 0.125 * width * MEDIAL).astype(np.float32),
    )


def _heart(rng: np.random.Generator, width: float, base: float) -> tuple[Blob, ...]:
    size = rng.uniform(0.86, 1.12) * width
    tilt = rng.uniform(0.5, 0.8)
    ventricle = Blob(0.068 * size, base - 0.06, 0.17 * size, 0.115 * size, tilt)
    atrium = Blob(-0.022 * size, base - 0.085, 0.068 * size, 0.13 * size, 0.0)
    waist = Blob(0.028 * size, base - 0.19, 0.07 * size, 0.13 * size, -0.2)
    return ventricle, atrium, waist


def _great_vessels(rng: np.random.Generator) -> tuple[Blob, ...]:
    knob = Blob(0.042, rng.uniform(0.30, 0.34), 0.036, 0.052, -0.2)
    descending = Blob(0.036, 0.56, 0.034, 0.26, 0.0, boxy=True)
    cava = Blob(-0.032, 0.32, 0.034, 0.26, 0.04, boxy=True)
    column = Blob(0.0, 0.4, 0.056, 0.62, 0.0, boxy=True)
    return column, knob, descending, cava


def _arms(rng: np.random.Generator, waist: float) -> tuple[Blob, ...]:
    away = rng.uniform(0.02, 0.12)
    return tuple(
        Blob(s * (waist + 0.10 + away / 2), 0.46, 0.085, 0.36, s * (0.05 - away), boxy=True)
        for s in (-1, 1)
    )


def _outline(rng: np.random.Generator, waist: float) -> Floats:
    neck, lift = rng.uniform(0.125, 0.155), rng.uniform(-0.03, 0.015)
    y = np.array([-0.1, 0.0, 0.03, 0.055, 0.085, 0.13, 0.2, 0.3, 0.42, 0.6, 1.1]) + lift
    shoulder = waist + 0.05
    x = [neck, neck + 0.015, neck + 0.06, 0.29, 0.39, 0.47, shoulder, shoulder, waist + 0.01]
    curve = PchipInterpolator(y, [*x, waist - 0.01, waist + 0.03], extrapolate=True)
    outline: Floats = curve(DEPTH).astype(np.float32)
    return outline
