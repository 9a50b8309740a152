"""Teachers that are nothing but what they say of phantom films: good ones by degrees, and ones spoiled on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from training.phantom import PhantomConfig, make_case

SIDE = 64
Rng = np.random.Generator


def phantom_masks(count: int, seed: int = 0) -> np.ndarray:
    """Reference masks of phantom films, ``(count, SIDE, SIDE) uint8, 0 or 1``."""
    config = PhantomConfig(size=SIDE)
    return np.stack([make_case(config, seed, index).mask > 0 for index in range(count)]).astype(
        np.uint8
    )


@dataclass(frozen=True)
class Films:
    """Reference masks ``(N, SIDE, SIDE)`` and what is the same for whoever marks them: how hard each is, and how."""

    masks: np.ndarray
    depth: np.ndarray  # distance to the border in pixels, positive within
    wave: np.ndarray
    difficulty: np.ndarray

    @classmethod
    def of(cls, masks: np.ndarray) -> Films:
        """Draw difficulties and waves, the same for the same number of masks."""
        rng = np.random.default_rng(0)
        away = ndimage.distance_transform_edt
        depth = np.stack([away(mask) - away(mask == 0) for mask in masks])
        return cls(masks, depth, smooth(rng, len(masks)), rng.lognormal(0, 0.4, len(masks)))

    def predicted(self, error: float, rng: Rng) -> np.ndarray:
        """What a teacher with an error in pixels of the border says: wavy borders, some lesions missed.

        Half of the waves are the films' own: teachers err alike, as those of one project do.
        """
        waves = (self.wave + smooth(rng, len(self.masks))) / np.sqrt(2)
        said = self.depth + waves * (error * self.difficulty)[:, None, None] > 0
        for each in said[rng.random(len(said)) < 0.1 * error]:
            labels, found = ndimage.label(each)
            if found > 1:
                each &= labels != rng.integers(1, found + 1)
        return said.astype(np.uint8)


def smooth(rng: Rng, count: int, width: float = 5) -> np.ndarray:
    """Smooth random fields ``(count, SIDE, SIDE)`` of standard deviation 1."""
    fields = rng.normal(size=(count, SIDE, SIDE)).astype(np.float32)
    fields = ndimage.gaussian_filter(fields, (0, width, width), mode="wrap")
    return fields / fields.std(axis=(1, 2), keepdims=True)


def _random_weights(said: np.ndarray, rng: Rng) -> np.ndarray:
    return (smooth(rng, len(said)) > 0.8).astype(np.uint8)


def _mirrored(said: np.ndarray, rng: Rng) -> np.ndarray:
    return said[:, :, ::-1]


def _shifted(said: np.ndarray, rng: Rng) -> np.ndarray:
    away = rng.integers(5, 9) * rng.choice([-1, 1])  # 8 to 13 % of the film
    return np.roll(said, away, axis=int(rng.integers(1, 3)))


def _empty(said: np.ndarray, rng: Rng) -> np.ndarray:
    return np.zeros_like(said)


def _over_segmenting(said: np.ndarray, rng: Rng) -> np.ndarray:
    return ndimage.maximum_filter(said, (1, 11, 11))


SPOILED: dict[str, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "random weights": _random_weights,
    "mirrored": _mirrored,
    "shifted": _shifted,
    "empty": _empty,
    "over-segmenting": _over_segmenting,
}
