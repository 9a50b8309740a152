"""Sample data for napari's File menu: synthetic films with their lesion masks. The same seed makes the same films."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.phantom import PhantomConfig, make_case

SEED = 0
FILMS = 6


def phantom_film() -> list[tuple[np.ndarray, dict[str, Any], str]]:
    """A synthetic chest film ``(H, W) float32 in [0, 1]`` and its mask ``(H, W) uint8, 0 or 1`` as layer data."""
    case = make_case(PhantomConfig(), seed=SEED, index=0)
    return _layers(_shown(case.image), case.mask, "film", "mask", case.description)


def phantom_films() -> list[tuple[np.ndarray, dict[str, Any], str]]:
    """Several synthetic films, one upon the other, and their masks; one description for each slice.

    Returns
    -------
    list of layer data
        Films ``(N, H, W) float32 in [0, 1]`` and masks ``(N, H, W) uint8, 0 or 1``.
    """
    cases = [make_case(PhantomConfig(), seed=SEED, index=2 * number) for number in range(FILMS)]
    images = np.stack([_shown(case.image) for case in cases])
    masks = np.stack([case.mask for case in cases])
    return _layers(images, masks, "films", "masks", [case.description for case in cases])


def _shown(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / 255


def _layers(
    image: np.ndarray, mask: np.ndarray, film: str, labels: str, words: str | list[str]
) -> list[tuple[np.ndarray, dict[str, Any], str]]:
    about = {"metadata": {"description": words}}
    return [
        (image, about | {"name": film, "contrast_limits": (0, 1)}, "image"),
        (mask.astype(np.uint8), about | {"name": labels, "opacity": 0.35}, "labels"),
    ]
