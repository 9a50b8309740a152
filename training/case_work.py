"""Work on the one case that lies on a reader's desk: its mask, its words, its proposal, and the draft of them. Which
case that is, and what becomes of it, is `training.review`'s business."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.active_time import IDLE_SECONDS, ActiveTime
from training.drafts import Work, write_draft
from training.errors import PoolError
from training.mask_draft import STROKE, MaskDraft
from training.models.measuring import DEFAULT_THRESHOLD, threshold_of
from training.open_case import OpenCase
from training.pool import Project
from training.pool.images import pseudo_mask, resize_probability
from training.pool.models import serving_model


class CaseWork:
    """A case, a reader, and the reader's draft.

    Parameters
    ----------
    project : Project
    reader : str
        Name under which drafts and revisions are kept.

    Raises
    ------
    PoolError
        The reader has no name.
    """

    def __init__(self, project: Project, reader: str) -> None:
        if not reader.strip():
            raise PoolError("A reader needs a name: every accepted mask is kept under it.")
        self.project = project
        self.reader = reader.strip()
        self._threshold: tuple[str, float] = ("", DEFAULT_THRESHOLD)  # of the model named
        self.current: OpenCase | None = None
        self.draft: MaskDraft | None = None
        self.description = ""
        self.dirty = False
        self.idle_seconds = IDLE_SECONDS  # longer pauses are no work
        self.active_time = ActiveTime()

    @property
    def mask(self) -> np.ndarray | None:
        """The draft's mask, ``(H, W) uint8, 0 or 1``; never written to."""
        return None if self.draft is None else self.draft.mask

    @property
    def strokes(self) -> int:
        """How many strokes the draft has; none means that proposals may replace it."""
        return 0 if self.draft is None else self.draft.strokes

    def edit_mask(self, mask: np.ndarray, *, strokes: int = 1, name: str = STROKE) -> None:
        """Replace the draft's mask, ``(H, W)``, foreground wherever it is not 0.

        `MaskDraft.edit` says what ``strokes`` and ``name`` mean.

        Raises
        ------
        PoolError
            No case lies on the desk, or the mask is not of the case's size.
        """
        case = self._on_desk().case
        if mask.shape != (case.height, case.width):
            raise PoolError(
                f"The mask is {mask.shape[1]} x {mask.shape[0]} pixels but {case.id} is "
                f"{case.width} x {case.height}: nothing was changed."
            )
        self._drafted().edit(mask, strokes=strokes, name=name)
        self._touched()

    def undo(self) -> str:
        """Take the latest change of the mask back; returns its name, empty if there was none."""
        return self._turned(self._drafted().undo())

    def redo(self) -> str:
        """Do the change that was undone last again; returns its name, empty if there was none."""
        return self._turned(self._drafted().redo())

    def edit_description(self, description: str) -> None:
        """Replace the draft's description."""
        self._on_desk()
        if description != self.description:
            self.description = description
            self._touched()

    def take_proposal(self, probability: np.ndarray, model_id: str | None) -> OpenCase:
        """Lay a new proposal ``(h, w) float32 in [0, 1]`` on the desk; a mask the reader has touched stays as it is."""
        opened = self._on_desk()
        if not opened.takes_proposals:
            return opened
        untouched = self.strokes == 0 and opened.case.mask is None
        full = resize_probability(probability, (opened.case.height, opened.case.width))
        proposal = pseudo_mask(full, self.confidence_threshold())
        self.current = replace(opened, probability=full, proposal=proposal, model_id=model_id)
        if untouched:
            self._drafted().follow(proposal)
        return self.current

    def confidence_threshold(self) -> float:
        """Probability in (0, 1) from which a pixel is foreground, as the serving teacher was trained and judged."""
        model = serving_model(self.project)
        if model is None:
            return DEFAULT_THRESHOLD
        if self._threshold[0] != model.id:
            self._threshold = model.id, threshold_of(model)
        return self._threshold[1]

    def work(self) -> Work:
        """The draft as a value that can be written elsewhere while the reader goes on."""
        case, draft = self._on_desk().case, self._drafted()
        trail = draft.history.trail(draft.mask, STROKE)
        return Work(case.id, self.reader, draft.mask, self.description, draft.strokes, trail)

    def save_draft(self) -> bool:
        """Write the draft to the project if it changed; return whether it did."""
        if not self.dirty or self.current is None:
            return False
        write_draft(self.project, self.work())
        self.dirty = False
        return True

    # -- inside ------------------------------------------------------------------------------------------------

    def _on_desk(self) -> OpenCase:
        if self.current is None:
            raise PoolError("There is no case on the desk: open one first.")
        return self.current

    def _drafted(self) -> MaskDraft:
        assert self.draft is not None, "a case on the desk always has a mask"
        return self.draft

    def _touched(self) -> None:
        self.dirty = True
        self.active_time.touch()

    def _turned(self, name: str) -> str:
        if name:
            self._touched()
        return name
