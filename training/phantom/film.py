"""The scanner: how attenuation becomes an 8-bit film. Nothing of the patient is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.phantom.canvas import Floats, Pose, Strokes, blur, draw, smooth_field


@dataclass(frozen=True)
class Exposure:
    """One exposure: pose, tone curve, unevenness, noise, collimation, marker, polarity."""

    pose: Pose
    gamma: float
    black: float
    white: float
    sharpness: float
    noise: float
    unevenness: NDArray[np.float64]
    borders: tuple[float, float, float, float]
    marker: bool
    inverted: bool


def set_up(rng: np.random.Generator, shift: float) -> Exposure:
    """Draw an exposure; ``shift`` 0..1 moves gamma, noise and polarity away from the usual."""
    pose = Pose(
        rng.normal(0, 0.022), rng.uniform(0.92, 1.04), rng.normal(0, 0.012), rng.normal(0, 0.012)
    )
    gamma = float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    away = rng.choice((-1.0, 1.0)) * shift
    borders = rng.uniform(0.02, 0.09, 4) * (rng.random(4) < 0.7) * (rng.random() < 0.22)
    left, right, top, bottom = (float(border) for border in borders)
    return Exposure(
        pose=pose,
        gamma=gamma * float(np.exp(away * 0.75)),
        black=rng.uniform(0.0, 0.06),
        white=rng.uniform(0.97, 1.16),
        sharpness=rng.uniform(0.0019, 0.0030),
        noise=rng.uniform(0.008, 0.022) * (1 + 2.5 * shift),
        unevenness=rng.normal(0, 0.05, (5, 5)),
        borders=(left, right, top, bottom),
        marker=bool(rng.random() < 0.4),
        inverted=bool(rng.random() < 0.5 * shift),
    )


def expose(exposure: Exposure, attenuation: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn attenuation ``(N, N)`` (about 0..1.2) into an 8-bit film ``(N, N) uint8``; ``rng`` draws the grain only."""
    size = attenuation.shape[0]
    film = blur(attenuation, exposure.sharpness) - np.float32(exposure.black)
    film *= (1 + smooth_field(exposure.unevenness, size)) / np.float32(exposure.white)
    film = np.clip(film, 0, None)
    film = film / (1 + film**4) ** np.float32(0.25) * np.float32(1.08)
    film = film ** np.float32(exposure.gamma)
    grain = rng.standard_normal((size, size), dtype=np.float32)
    film += np.float32(exposure.noise) * grain * (np.float32(0.35) + film) ** np.float32(0.5)
    if exposure.marker:
        film += 0.8 * np.minimum(
            blur(draw(_letter(exposure.borders[0], exposure.borders[2]), _STILL, size), 0.0015), 1
        )
    film = np.clip(film, 0, 1)
    if exposure.inverted:
        film = 1 - film
    _collimate(film, exposure.borders)
    exposed: NDArray[np.uint8] = np.round(film * 255).astype(np.uint8)
    return exposed


_STILL = Pose(0.0, 1.0, 0.0, 0.0)


def _letter(left: float, top: float) -> Strokes:
    """An R beside the patient's right shoulder, which is on the picture's left."""
    stem = np.array(((0, 1), (0, 0.5), (0, 0.25), (0, 0), (0, 0), (0, 0)), float)
    bowl = np.array(((0, 0), (0.45, 0), (0.6, 0.25), (0.45, 0.5), (0, 0.5), (0.6, 1)), float)
    lines = np.stack((stem, bowl)) * (0.035, 0.045) + (left + 0.045 - 0.5, top + 0.045)
    return Strokes(lines, np.full((2, 6), 0.0035), np.ones((2, 6)))


def _collimate(film: Floats, borders: tuple[float, float, float, float]) -> None:
    size = film.shape[0]
    left, right, top, bottom = (round(border * size) for border in borders)
    film[:, :left] = 0
    film[:, size - right :] = 0
    film[:top] = 0
    film[size - bottom :] = 0
