"""Bones, airways and lung vessels of one patient, as ribbons in body coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.phantom.anatomy import Body
from training.phantom.canvas import Strokes

RIBS = 10


@dataclass(frozen=True)
class Skeleton:
    """Ribbons by layer; each layer is one bundle with one rasterization."""

    ribs: Strokes
    girdle: Strokes
    spine: Strokes
    airway: Strokes
    vessels: Strokes


def grow_skeleton(rng: np.random.Generator, body: Body) -> Skeleton:
    """Draw a patient's bones and vessels around ``body``. ``rng`` is the patient's own stream."""
    return Skeleton(_ribs(rng, body), _girdle(rng), _spine(rng), _airway(rng), _vessels(rng, body))


def _ribs(rng: np.random.Generator, body: Body) -> Strokes:
    """Each rib is a tilted hoop: up from the spine, down the wall, forward to the cartilage."""
    phi = np.linspace(0.16, 0.80 * np.pi, 40)
    slope, rise = rng.uniform(0.20, 0.27), rng.uniform(0.015, 0.035)
    number = np.arange(RIBS)
    drop = slope * np.minimum(1.0, 0.45 + 0.11 * number)
    points = []
    for lung in body.lungs:
        pitch = (lung.angle - lung.apex) / (RIBS - 0.6) * 0.92
        top = lung.apex - 0.015 + pitch * number + rng.uniform(-0.004, 0.004, RIBS)
        wall, _ = lung.edges(np.minimum(top + drop / 2 - rise, lung.angle).astype(np.float32))
        x = np.maximum(np.outer(wall + 0.006, np.sin(phi)), 0.03)
        fall = np.outer(drop, (1 - np.cos(phi)) / 2) - rise * np.sin(phi)
        points.append(np.stack((lung.side * x, top[:, None] + fall), -1))
    fade = np.where(phi < np.pi / 2, 1.0, 0.8) * np.clip((2.55 - phi) / 0.35, 0, 1)
    half = np.full((2 * RIBS, len(phi)), 0.0125 * rng.uniform(0.85, 1.1))
    return Strokes(np.concatenate(points), half, np.tile(fade, (2 * RIBS, 1)), rim=0.6)


def _girdle(rng: np.random.Generator) -> Strokes:
    """Clavicles, medial borders of the scapulae and the upper arms."""
    y, tip = rng.uniform(0.17, 0.205), rng.uniform(0.115, 0.145)
    clavicle = np.array(((0.035, y), (0.15, y + 0.005), (0.22, tip - 0.03), (0.38, tip)))
    arm = np.array(((0.435, tip + 0.04), (0.47, tip + 0.06), (0.49, 0.3), (0.53, 0.50)))
    blade = np.array(((0.37, tip + 0.05), (0.345, 0.26), (0.355, 0.36), (0.40, 0.46)))
    t = np.linspace(0, 1, 40)
    # The ends lie over thick tissue and fade, or they would look cut off.
    medial, lateral = np.clip(t / 0.3, 0, 1), np.clip((1 - t) / 0.25, 0, 1)
    parts = (
        (clavicle, np.full(len(t), 0.0115), (0.35 + 0.65 * medial) * lateral),
        (arm, np.linspace(0.034, 0.018, len(t)), 0.7 * medial),
        (blade, np.full(len(t), 0.006), 0.5 * medial * lateral),
    )
    lines, halves, weights = [], [], []
    for side in (-1, 1):
        jitter = rng.uniform(-0.006, 0.006)
        for knots, half, weight in parts:
            curve = _bezier(knots + np.array((0.0, jitter)), t)
            lines.append(curve * (side, 1.0))
            halves.append(half)
            weights.append(weight)
    return Strokes(np.array(lines), np.array(halves), np.array(weights), rim=0.5)


def _spine(rng: np.random.Generator) -> Strokes:
    """Vertebral end plates and the line of spinous processes."""
    top, sway = rng.uniform(-0.02, 0.02), rng.uniform(-0.006, 0.006)
    x = np.linspace(-1, 1, 9)
    level = np.arange(16)[:, None]
    y = top + 0.062 * level * (1 + 0.006 * level)
    center = sway * np.sin(y * 5)
    plates = np.stack((center + 0.031 * x, y + 0.003 * x**2), -1)
    spines = np.stack((center + 0 * x, y + 0.034 + 0.012 * x), -1)
    lines = np.concatenate((plates, spines))
    half = np.repeat((0.005, 0.007), 16)[:, None] + 0 * x
    return Strokes(lines, half, np.full(lines.shape[:2], 0.65))


def _airway(rng: np.random.Generator) -> Strokes:
    """Trachea and main bronchi, as air (the caller subtracts them)."""
    carina, lean = rng.uniform(0.33, 0.37), rng.uniform(-0.012, 0.004)
    t = np.linspace(0, 1, 30)
    trachea = _bezier(np.array(((0, -0.05), (0, 0.1), (lean, 0.2), (lean, carina))), t)
    right = _bezier(np.array(((lean, carina), (-0.02, 0.37), (-0.045, 0.40), (-0.07, 0.43))), t)
    left = _bezier(np.array(((lean, carina), (0.02, 0.37), (0.05, 0.39), (0.085, 0.41))), t)
    half = np.stack((np.full(30, 0.016), np.full(30, 0.011), np.full(30, 0.010)))
    weight = np.stack((np.full(30, 1.0), 1 - t * 0.8, 1 - t * 0.8))
    return Strokes(np.stack((trachea, right, left)), half, weight)


def _bezier(knots: np.ndarray, t: np.ndarray) -> np.ndarray:
    s = 1 - t
    basis = np.stack((s**3, 3 * s * s * t, 3 * s * t * t, t**3), axis=-1)
    points: np.ndarray = basis @ knots
    return points


def _vessels(rng: np.random.Generator, body: Body) -> Strokes:
    """Four generations of branches from each hilum, thinning outward."""
    roots, angles = [], []
    for lung in body.lungs:
        count = 7
        spread = np.linspace(-1.15, 1.25, count) + rng.normal(0, 0.14, count)
        hilum_y = 0.40 + 0.09 * (spread / 1.25) + (0.0 if lung.side < 0 else -0.02)
        hilum_x = 0.055 if lung.side < 0 else 0.065
        roots.append(np.stack((np.full(count, lung.side * hilum_x), hilum_y), -1))
        angles.append(np.where(lung.side > 0, spread, np.pi - spread))
    start, angle = np.concatenate(roots), np.concatenate(angles)
    generations = []
    length, width = 0.14, 0.0062
    for _ in range(4):
        strokes, start, angle = _branch(rng, start, angle, length, width)
        generations.append(strokes)
        length, width = length * 0.75, width * 0.62
    return Strokes(
        np.concatenate([strokes.points for strokes in generations]),
        np.concatenate([strokes.half_width for strokes in generations]),
        np.concatenate([strokes.density for strokes in generations]),
    )


def _branch(
    rng: np.random.Generator,
    start: np.ndarray,
    angle: np.ndarray,
    length: float,
    width: float,
) -> tuple[Strokes, np.ndarray, np.ndarray]:
    knots, count = 10, len(start)
    bend = np.cumsum(rng.normal(0, 0.13, (count, knots)), axis=1)
    heading = angle[:, None] + bend
    step = length / knots * rng.uniform(0.7, 1.3, (count, 1))
    moves = np.stack((np.cos(heading), np.sin(heading)), -1) * step[..., None]
    line = start[:, None] + np.cumsum(moves, axis=1) - moves[:, :1]
    taper = np.linspace(1, 0.55, knots)
    half = np.tile(width * taper, (count, 1))
    strokes = Strokes(line, half, np.tile(np.linspace(1, 0.75, knots), (count, 1)))
    fork = rng.uniform(0.2, 0.55, (count, 1)) * (-1, 1)
    middle = line[:, knots // 2 + rng.integers(0, 2)]
    tips = np.stack((line[:, -1], middle), axis=1).reshape(-1, 2)
    return strokes, tips, (heading[:, -1:] + fork).reshape(-1)
