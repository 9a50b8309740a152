"""Small pictures of films, kept in the project's folder so that they are made once. They can always be made again: the
folder is bounded, and losing it costs nothing but time."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from training.errors import SemiMedRefError
from training.files import write_atomically
from training.pool.images import read_image
from training.pool.project import Project

SIDE = 64  # pixels of the longer side
FOLDER = "thumbnails"
MOST = 20_000  # files of about 2 KB
LOOK_EVERY = 500  # pictures made between two looks at how many there are


class Thumbnails:
    """The small pictures of one project. For one thread at a time.

    Parameters
    ----------
    project : Project
    most : int
        How many pictures are kept on disk; beyond that the oldest go.
    """

    def __init__(self, project: Project, *, most: int = MOST) -> None:
        self._root = project.folder
        self._folder = project.folder / FOLDER
        self._most = most
        self._since = LOOK_EVERY  # the first picture made looks

    def picture(self, image: str) -> np.ndarray | None:
        """The small picture of a film, ``(h, w) uint8``, longer side `SIDE`; None if the film cannot be read.

        Parameters
        ----------
        image : str
            The film's path relative to the project's folder (`Case.image`).
        """
        kept = self._folder / Path(image).stem[:2] / f"{Path(image).stem}.jpg"
        with contextlib.suppress(OSError), Image.open(kept, formats=("JPEG",)) as picture:
            return np.asarray(picture.convert("L"))
        try:
            small = shrink(read_image(self._root / image))
        except SemiMedRefError:
            return None
        self._keep(kept, small)
        return small

    def _keep(self, path: Path, small: np.ndarray) -> None:
        """A disk that refuses must not stop anybody from looking at films."""
        buffer = io.BytesIO()
        Image.fromarray(small).save(buffer, format="JPEG", quality=80)
        with contextlib.suppress(OSError, SemiMedRefError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue(), durable=False)
            self._since += 1
            if self._since >= min(LOOK_EVERY, self._most):
                self._since = 0
                self._prune()

    def _prune(self) -> None:
        found = [(entry.stat().st_mtime, entry.path) for entry in _files(self._folder)]
        for _, path in sorted(found)[: max(0, len(found) - self._most)]:
            with contextlib.suppress(OSError):
                os.remove(path)


def _files(folder: Path) -> list[os.DirEntry[str]]:
    return [
        entry
        for part in os.scandir(folder)
        if part.is_dir()
        for entry in os.scandir(part.path)
        if entry.name.endswith(".jpg")
    ]


def shrink(image: np.ndarray) -> np.ndarray:
    """Reduce a film ``(H, W) float32 in [0, 1]`` to ``(h, w) uint8`` whose longer side is `SIDE` at most.

    Gray values are stretched between their 1st and 99th percentile: 16-bit films would be black otherwise.
    """
    height, width = image.shape
    # Twice the size first: cheap, and free of moiré.
    step = max(1, max(height, width) // (2 * SIDE))
    coarse = image[::step, ::step]
    low, high = np.percentile(coarse, (1, 99))
    gray = np.clip((coarse - low) / max(float(high - low), 1e-6), 0, 1)
    picture = Image.fromarray((gray * 255).astype(np.uint8))
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(picture)
