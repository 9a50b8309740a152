"""How a stored picture must be turned to be seen as films and slices are read, and how to turn a mask back.

Read means: the patient's right on the picture's left, the head or the front of the body up; side views face left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_AXIS = {"L": 0, "R": 0, "P": 1, "A": 1, "H": 2, "F": 2}
_WANTED = {0: "L", 1: "P", 2: "F"}
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True)
class Turn:
    """A transposition, then flips."""

    transpose: bool = False
    flip_columns: bool = False
    flip_rows: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """From the stored grid ``(H, W)`` to the picture as it is read."""
        turned = pixels.T if self.transpose else pixels
        turned = turned[:, ::-1] if self.flip_columns else turned
        return np.ascontiguousarray(turned[::-1] if self.flip_rows else turned)

    def undo(self, pixels: np.ndarray) -> np.ndarray:
        """From the picture ``(H, W)`` as it is read back to the stored grid."""
        turned = pixels[::-1] if self.flip_rows else pixels
        turned = turned[:, ::-1] if self.flip_columns else turned
        return np.ascontiguousarray(turned.T if self.transpose else turned)


def turn_for(columns: str, rows: str) -> Turn | None:
    """The turn for a picture whose columns run toward ``columns`` and whose rows run toward ``rows``.

    Parameters
    ----------
    columns, rows : str
        Directions as DICOM's Patient Orientation gives them: L, R, A, P, H, F, the first letter counts.

    Returns
    -------
    Turn or None
        None where the letters are unknown or contradict each other.
    """
    across, down = columns[:1].upper(), rows[:1].upper()
    if across not in _AXIS or down not in _AXIS or _AXIS[across] == _AXIS[down]:
        return None
    # head to foot always runs down; without it, left to right runs across
    transpose = _AXIS[across] == 2 or (_AXIS[down] == 0 and _AXIS[across] == 1)
    if transpose:
        across, down = down, across
    return Turn(transpose, across != _WANTED[_AXIS[across]], down != _WANTED[_AXIS[down]])


def letter_of(direction: np.ndarray) -> str:
    """The letter nearest to a direction ``(3,)`` in DICOM's patient coordinates (x to the left, y back, z up)."""
    axis = int(np.argmax(np.abs(direction)))
    positive, negative = _LETTERS[axis]
    return positive if direction[axis] > 0 else negative
