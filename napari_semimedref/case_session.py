"""Work on the case that lies on the desk, with signals, and its draft saved off the GUI thread. Which case that is
belongs to `napari_semimedref.session`. No Qt, no napari."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from napari_semimedref.draft_writer import DraftWriter
from training.mask_draft import STROKE
from training.pool import Project
from training.pool.leases import give_back, take_lease
from training.pool.rounds import serving_model
from training.review import OpenCase, ReviewDesk


class CaseSession:
    """What a reader does to one case. Signals are emitted in the calling (GUI) thread only.

    Parameters
    ----------
    desk : ReviewDesk
    """

    proposal_changed = Signal(object)  # OpenCase
    mask_edited = Signal()
    description_edited = Signal(str)
    draft_saved = Signal()
    failed = Signal(str)

    def __init__(self, desk: ReviewDesk) -> None:
        self.desk = desk
        self._writer = DraftWriter(desk, self.draft_saved.emit, self.failed.emit)
        self._serving = self._serving_id()

    @property
    def project(self) -> Project:
        """The project under review."""
        return self.desk.project

    @property
    def current(self) -> OpenCase | None:
        """The case on the desk."""
        return self.desk.current

    @property
    def case_id(self) -> str:
        """Id of the case on the desk; empty when there is none."""
        return "" if self.current is None else self.current.case.id

    @property
    def mask(self) -> np.ndarray | None:
        """The draft's mask, ``(H, W) uint8, 0 or 1``."""
        return self.desk.mask

    @property
    def description(self) -> str:
        """The draft's description."""
        return self.desk.description

    @property
    def has_teacher(self) -> bool:
        """Whether a teacher serves proposals."""
        return self._serving is not None

    # -- working on the case -----------------------------------------------------------------------

    def edit_mask(self, mask: np.ndarray, *, strokes: int = 1, name: str = STROKE) -> None:
        """Replace the draft's mask, ``(H, W)``; `training.mask_draft.MaskDraft.edit` says what the rest means."""
        self.desk.edit_mask(mask, strokes=strokes, name=name)
        self.mask_edited.emit()

    def undo(self) -> str:
        """Take the latest change of the mask back; returns its name, empty if there was none."""
        return self._turned(self.desk.undo() if self.desk.draft else "")

    def redo(self) -> str:
        """Do the change that was undone last again; returns its name, empty if there was none."""
        return self._turned(self.desk.redo() if self.desk.draft else "")

    def edit_description(self, description: str) -> None:
        """Replace the draft's description."""
        if self.current is not None and description != self.desk.description:
            self.desk.edit_description(description)
            self.description_edited.emit(description)

    def forget_strokes(self) -> None:
        """Count the mask as untouched again: new proposals may replace it."""
        if self.desk.draft is not None:
            self.desk.draft.forget_strokes()

    @property
    def wants_proposals(self) -> bool:
        """Whether the service may be asked about the case on the desk; never about the holdout or a lost film."""
        opened = self.current
        return opened is not None and opened.takes_proposals and self.has_teacher

    def take_proposal(self, case_id: str, probability: np.ndarray, model_id: str | None) -> bool:
        """Lay a new proposal ``(h, w) float32 in [0, 1]`` on the desk if its case is still there.

        A mask that the reader touched stays as it is.
        """
        if self.case_id != case_id or self.current is None or not self.current.takes_proposals:
            return False
        self.proposal_changed.emit(self.desk.take_proposal(probability, model_id))
        return True

    # -- drafts ------------------------------------------------------------------------------------

    def autosave(self) -> None:
        """Begin to write the draft, if it changed, without waiting for the disk."""
        self._writer.begin()

    def poll_writing(self) -> bool:
        """Take note of a finished write; True when none is going on."""
        return self._writer.poll()

    def settle(self) -> None:
        """Wait for a write that is going on, so that what comes next is written after it."""
        self._writer.settle()

    def rest(self) -> None:
        """Put the draft on disk and let others have the case, which stays on the desk."""
        self.settle()
        self.desk.save_draft()
        if self.current is not None:
            give_back(self.project, self.current.case.id, self.desk.reader)

    def keep_lease(self) -> None:
        """Renew the hold on the case on the desk; raises CaseLeased if another reader has it by now."""
        if self.current is not None:
            take_lease(self.project, self.current.case.id, self.desk.reader)

    # -- inside ------------------------------------------------------------------------------------

    def _turned(self, name: str) -> str:
        if name:
            self.mask_edited.emit()
        return name

    def _serving_id(self) -> str | None:
        model = serving_model(self.project)
        return None if model is None else model.id
