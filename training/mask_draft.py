"""The mask that a reader is drawing: strokes are counted, changes are steps that can be undone. Nothing here knows of
projects or files."""

from __future__ import annotations

import numpy as np

from training.editing import History

STROKE = "stroke"
NEW_PROPOSAL = "new proposal"


class MaskDraft:
    """A mask in the making.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    strokes : int
        How many were made so far; none means that the reader has not touched it.
    history : History, optional
        How the mask came about.

    Attributes
    ----------
    mask : (H, W) uint8, 0 or 1
        Replaced by every change and never written to, so that it can be handed to a thread as it is.
    """

    def __init__(self, mask: np.ndarray, strokes: int = 0, history: History | None = None) -> None:
        self.mask = mask
        self.strokes = strokes
        self.history = history or History(mask)
        self._counted_ahead = 0
        self._owed = False

    def edit(self, mask: np.ndarray, *, strokes: int = 1, name: str = STROKE) -> None:
        """Replace the mask, foreground wherever it is not 0.

        Parameters
        ----------
        mask : (H, W) of numbers
        strokes : int
            How many strokes end with this. A change within a stroke comes with 0 and is no step yet; the first such
            change counts, so that no proposal can replace the mask meanwhile, and the stroke's end is then not
            counted again.
        name : str
            What the reader did.
        """
        self.mask = (mask > 0).astype(np.uint8)
        if strokes or self._owed:
            # The end of a stroke may be told before its pixels are.
            self._owed = not self.history.record(self.mask, name) and bool(strokes)
        if strokes == 0 and self.strokes == 0:
            strokes = self._counted_ahead = 1
        elif strokes and self._counted_ahead:
            strokes, self._counted_ahead = strokes - 1, 0
        self.strokes += strokes

    def undo(self) -> str:
        """Take the latest change back; returns its name, empty if there was none."""
        self.history.record(self.mask, STROKE)  # a stroke that has not ended
        name = self.history.to_undo
        return self._go_to(self.history.undo(), name)

    def redo(self) -> str:
        """Do the change that was undone last again; returns its name, empty if there was none."""
        self.history.record(self.mask, STROKE)
        name = self.history.to_redo
        return self._go_to(self.history.redo(), name)

    def forget_strokes(self) -> None:
        """Count the mask as untouched again: new proposals may replace it."""
        self.strokes = self._counted_ahead = 0

    def follow(self, proposal: np.ndarray) -> None:
        """Become a new proposal ``(H, W) uint8, 0 or 1``; what was there before can be brought back by undo."""
        self.mask = proposal.copy()
        if self.history.is_empty:
            self.history = History(self.mask)
        else:
            self.history.record(self.mask, NEW_PROPOSAL)

    def _go_to(self, mask: np.ndarray | None, name: str) -> str:
        if mask is None:
            return ""
        self.mask = mask
        self.strokes = max(1, self.strokes)  # what the reader went back to is theirs
        self._owed = False
        return name
