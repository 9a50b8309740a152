"""Sample data for napari's File menu: one synthetic film with its lesion mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.phantom import PhantomConfig, make_case


def phantom_film() -> list[tuple[np.ndarray, dict[str, Any], str]]:
    """A synthetic chest film and its mask as napari layer data."""
    case = make_case(PhantomConfig(), seed=0, index=0)
    film = case.image.astype(np.float32) / 255
    look = {"name": "film", "metadata": {"description": case.description}}
    return [
        (film, look | {"contrast_limits": (0, 1)}, "image"),
        (case.mask.astype(np.uint8), {"name": "mask", "opacity": 0.35}, "labels"),
    ]
