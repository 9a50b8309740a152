"""What a window asks its engine service, and what becomes of the answers. No layers, no timers: `Workspace`, which is
one of these, adds the project, what the reader decides, and when to look for answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning
from psygnal import Signal
from qtpy.QtCore import QObject

from napari_semimedref.engine_client import Answer, EngineClient
from napari_semimedref.looking import Looking
from napari_semimedref.session import ReviewSession
from training.arms import why_silent
from training.errors import SemiMedRefError

UNREADABLE = "The shares of the queue (arms.json) cannot be read, so nothing is shown: the notice says the way out."


class Asking(QObject):
    """Questions to the service about the case on the desk.

    Attributes
    ----------
    is_open : bool
        Whether a project is open; before the first one, session and engine do not exist.
    """

    service_said = Signal(str)
    proposal_awaited = Signal(bool)
    proposal_kept_aside = Signal()  # a new proposal came, and the mask stays the reader's
    views_arrived = Signal(object)  # Answer
    explanation_arrived = Signal(object)  # Answer
    mix_looked_for = Signal(object)  # Answer
    words_counted = Signal(object)  # Answer

    session: ReviewSession
    engine: EngineClient

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_open = False
        self.looking = Looking()

    @property
    def has_case(self) -> bool:
        """Whether a project is open and a case on the desk."""
        return self.is_open and self.session.current is not None

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Do something that may fail: a reader's error becomes its sentence in a notice."""
        try:
            yield
        except SemiMedRefError as error:
            self.warn(str(error))

    def warn(self, sentence: str) -> None:
        """Say a sentence in one of napari's notices."""
        show_warning(sentence)

    # -- questions ---------------------------------------------------------------------------------

    def ask_for_proposal(self) -> None:
        """Ask the service what the teacher makes of the present words."""
        if not self.has_case or not self.session.wants_proposals:
            return
        with self.attempt():
            request: dict[str, Any] = {"case": self.session.case_id}
            request["description"] = self.session.description
            if self.looking.wanted:
                request["also"] = self.looking.wanted
            self.engine.ask("predict", **request)
            self.service_said.emit("Reading the words …")
            self.proposal_awaited.emit(True)

    def warm_up(self) -> None:
        """Start the service before it is needed, where a teacher could answer: its start takes seconds."""
        if self.is_open and self.session.has_teacher:
            with self.attempt():
                self.engine.ask("warm")

    def why_silent(self, *, with_others: bool = False) -> str:
        """Why the teacher is not asked to show what it sees in the case on the desk; empty if it may be."""
        session = self.session
        if session.current is None:
            return ""
        with self.attempt():
            return why_silent(session.project, session.current.case, with_others=with_others)
        return UNREADABLE

    def ask_about_case(self, do: str, **fields: Any) -> bool:
        """Ask the service something about the case on the desk and its present words; False if there is no case."""
        if not self.has_case:
            return False
        with self.attempt():
            case, words = self.session.case_id, self.session.description
            self.engine.ask(do, case=case, description=words, **fields)
            return True
        return False

    # -- answers -----------------------------------------------------------------------------------

    def take_answers(self) -> None:
        """Hand on what the service said since the last time, and what the session's threads finished."""
        told = {
            "views": self.views_arrived,
            "explain": self.explanation_arrived,
            "next_mix": self.mix_looked_for,
            "words": self.words_counted,
        }
        with self.attempt():
            for answer in self.engine.drain():
                if answer.do == "predict":
                    self._take_proposal(answer)
                elif answer.do in told:
                    told[answer.do].emit(answer)
            self.session.poll_writing()
            self.session.poll_planning()

    def _take_proposal(self, answer: Answer) -> None:
        session = self.session
        self.proposal_awaited.emit(self.engine.awaits("predict"))
        if not answer.ok:
            self.service_said.emit(answer.error)
            return
        current = session.current
        if current is None or answer.request["description"] != session.description:
            return
        probability, model = answer.arrays["probability"], answer.fields.get("model")
        before = current.proposal
        if session.take_proposal(answer.request["case"], probability, model):
            took = float(answer.fields.get("milliseconds", 0.0))
            self.looking.take(dict(answer.arrays))
            self.service_said.emit(f"Proposal follows the words ({took:.0f} ms).")
            if session.current is not None and not same_mask(session.current.proposal, before):
                self._say_if_aside()

    def _say_if_aside(self) -> None:
        opened, mask = self.session.current, self.session.mask
        if (
            opened is not None
            and opened.proposal is not None
            and not same_mask(opened.proposal, mask)
        ):
            self.service_said.emit("Your mask stays; the new proposal is the contour.")
            self.proposal_kept_aside.emit()


def same_mask(mask: np.ndarray | None, draft: np.ndarray | None) -> bool:
    """Whether there are two masks ``(H, W)`` and they are equal."""
    return mask is not None and draft is not None and np.array_equal(mask, draft)
