"""Explanations as pictures: maps of attention and of differences laid over the film. Nothing is computed here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.engine.explain import Explanation
from training.errors import EngineError
from training.files import sentence_for, write_atomically

HOT = np.array([1.0, 0.35, 0.0], np.float32)  # More with the words, or much looked at.
COLD = np.array([0.0, 0.45, 1.0], np.float32)  # Less with the words.
OPAQUE = 0.75


def write_pictures(folder: Path, said: Explanation, texts: dict[str, str]) -> list[Path]:
    """Write one PNG a map, and ``explanation.json`` with the texts and how far the mask moved.

    ``cam_LAYER.png`` is orange where the layer mattered; ``difference_*.png`` is orange where the
    description adds probability and blue where it takes some away.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    EngineError
        If the folder cannot be written.
    """
    pictures = {
        "film": _gray(said.film),
        "probability": _laid_over(said.film, said.probability),
        "difference_wordless": _laid_over(said.film, said.difference_wordless),
        "difference_mirrored": _laid_over(said.film, said.difference_mirrored),
        **{f"cam_{name}": _laid_over(said.film, map_) for name, map_ in said.layers.items()},
    }
    moved = {
        "mean_change_wordless": round(float(np.abs(said.difference_wordless).mean()), 6),
        "mean_change_mirrored": round(float(np.abs(said.difference_mirrored).mean()), 6),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            Image.fromarray(picture).save(folder / f"{name}.png")
    except OSError as error:
        raise EngineError(sentence_for(error, folder)) from error
    about = {"texts": {**texts, "mirrored": said.mirrored_text}, **moved}
    write_atomically(folder / "explanation.json", json.dumps(about, indent=1))
    return [folder / f"{name}.png" for name in pictures]


def _gray(film: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (film.clip(0, 1) * 255).round().astype(np.uint8)


def _laid_over(film: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A film ``(S, S)`` under values ``(S, S) in [-1, 1]``: ``(S, S, 3) uint8``."""
    color = np.where(values[..., None] >= 0, HOT, COLD)
    share = (OPAQUE * np.abs(values).clip(0, 1))[..., None]
    mixed = (1 - share) * film[..., None] + share * color
    return (mixed.clip(0, 1) * 255).round().astype(np.uint8)
