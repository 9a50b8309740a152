"""Where a picture's pixels lie in the patient, in NIfTI's terms (millimeters, RAS+)."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.formats.turning import Turn

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def grid_of(source: dict[str, Any] | None, shape: tuple[int, int]) -> np.ndarray:
    """The affine ``(4, 4)`` from (column, row, 0) of a picture to millimeters.

    Parameters
    ----------
    source : dict or None
        The case's record of origin.
    shape : (height, width)

    Returns
    -------
    (4, 4) float64
        The source's own grid where it is known. Otherwise pixels of one millimeter, columns toward the patient's
        left and rows toward the back, which viewers show as the picture was.
    """
    if source is not None and source.get("kind") == "nifti":
        return np.array(source["affine"], dtype=np.float64)
    if source is not None and source.get("kind") == "dicom":
        return _dicom_grid(source, shape)
    return _LPS_TO_RAS.copy()


def _dicom_grid(source: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    from training.formats.dicom_header import header_from

    header = header_from(source)
    spacing = header.get("PixelSpacing") or header.get("ImagerPixelSpacing") or (1.0, 1.0)
    down, across = (float(value) if float(value) > 0 else 1.0 for value in spacing)
    directions = header.get("ImageOrientationPatient")
    corner = header.get("ImagePositionPatient")
    if directions is None or corner is None:
        return _film_grid(across, down)
    axes = np.array([float(value) for value in directions]).reshape(2, 3)
    stored = np.eye(4)
    stored[:3, 0], stored[:3, 1] = axes[0] * across, axes[1] * down
    stored[:3, 2] = np.cross(axes[0], axes[1])
    stored[:3, 3] = [float(value) for value in corner]
    grid: np.ndarray = _LPS_TO_RAS @ stored @ _to_stored(Turn(**source["turn"]), shape)
    return grid


def _film_grid(across: float, down: float) -> np.ndarray:
    """A film seen from the front: columns toward the patient's left, rows toward the feet."""
    grid = np.zeros((4, 4))
    grid[0, 0], grid[2, 1], grid[1, 2], grid[3, 3] = -across, -down, 1.0, 1.0
    return grid


def _to_stored(turn: Turn, shape: tuple[int, int]) -> np.ndarray:
    """From (column, row) of the picture as it is read to those of the stored grid."""
    height, width = shape
    back = np.eye(4)
    if turn.flip_columns:
        back[0, 0], back[0, 3] = -1.0, width - 1
    if turn.flip_rows:
        back[1, 1], back[1, 3] = -1.0, height - 1
    return back[[1, 0, 2, 3]] if turn.transpose else back
