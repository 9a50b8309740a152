"""What the docks of one window share: the open project's session, service, rounds and layers, and the timers that move
news between them. Docks talk to the workspace, never to each other."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils.notifications import show_warning
from psygnal import Signal
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication

from napari_semimedref.engine_client import Answer, EngineClient
from napari_semimedref.run_monitor import RunMonitor
from napari_semimedref.session import LATER, ReviewSession
from napari_semimedref.viewer_bridge import ViewerBridge
from training.errors import SemiMedRefError
from training.pool import Project
from training.review import OpenCase

DRAIN_MS = 40
WATCH_MS = 1000
LEASE_MS = 200_000  # well within the time a lease holds
AUTOSAVE_MS = 300
ASK_MS = 250
NAME = "napari_semimedref.workspace"


class Workspace(QObject):
    """One per window; `workspace_of` finds or makes it. Signals are psygnal's, emitted in the GUI thread."""

    project_opened = Signal()
    case_shown = Signal(object)  # OpenCase or None
    service_said = Signal(str)
    views_arrived = Signal(object)  # Answer
    round_changed = Signal(object)  # RoundView

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(NAME)
        self.viewer = viewer
        self.session: ReviewSession | None = None
        self.monitor: RunMonitor | None = None
        self.engine: EngineClient | None = None
        self.bridge: ViewerBridge | None = None
        self.skip_reason = LATER
        self._drain = self._timer(DRAIN_MS, self._take_answers)
        self._watch = self._timer(WATCH_MS, self._look_around)
        self._lease = self._timer(LEASE_MS, self._keep_lease)
        self._autosave = self._timer(AUTOSAVE_MS, self._save_draft, once=True)
        self._ask = self._timer(ASK_MS, self.ask_for_proposal, once=True)

    def _timer(self, interval: int, act: Any, once: bool = False) -> QTimer:
        timer = QTimer(self, interval=interval, singleShot=once)
        timer.timeout.connect(act)
        return timer

    # -- project -----------------------------------------------------------------------------------

    def open_project(self, folder: Path | str, reader: str = "") -> bool:
        """Open a project in this window in place of the one that is open; False, with a sentence, if it fails."""
        with self.attempt():
            project = Project.open(folder)
            session = ReviewSession(project, reader or _login_name(), rng=np.random.default_rng(0))
            self.close_project()
            self._connect(session)
            self.engine = EngineClient.for_project(project.folder)
            self.monitor = RunMonitor(project)
            session.plan()
            self._drain.start()
            self._watch.start()
            self._lease.start()
            self.project_opened.emit()
            self.round_changed.emit(self.monitor.view)
            session.next()
            return True
        return False

    def _connect(self, session: ReviewSession) -> None:
        self.session = session
        self.bridge = self.bridge or self._new_bridge()
        session.opened.connect(self._show)
        session.proposal_changed.connect(self._show_proposal)
        session.description_edited.connect(self._on_words)
        session.mask_edited.connect(self._on_mask)
        session.failed.connect(show_warning)

    def _new_bridge(self) -> ViewerBridge:
        bridge = ViewerBridge(self.viewer)
        bridge.mask_painted.connect(self._on_paint)
        return bridge

    def close_project(self) -> None:
        """Save the draft and end the service. A round goes on."""
        for timer in (self._drain, self._watch, self._lease, self._autosave, self._ask):
            timer.stop()
        if self.engine is not None:
            self.engine.close()
        if self.session is not None:
            with self.attempt():
                self.session.close()
            self.session.project.close()
        self.engine = self.session = self.monitor = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # Qt's name
        """Save the draft and end the service when the window goes; minimizing it is no such occasion."""
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.rest()
        return False

    def rest(self) -> None:
        """Put the draft on disk and free what the service holds; all goes on at the next request."""
        self._ask.stop()
        if self.session is not None and self.engine is not None:
            with self.attempt():
                self.session.rest()
            self.engine.close()

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Do something that may fail: a reader's error becomes its sentence in a notice."""
        try:
            yield
        except SemiMedRefError as error:
            show_warning(str(error))

    # -- what the reader decides -------------------------------------------------------------------

    def accept(self) -> None:
        """Accept the draft and go on."""
        if self.session is not None and self.session.current is not None:
            with self.attempt():
                self.session.accept()

    def skip(self) -> None:
        """Put the case aside for the chosen reason and go on."""
        if self.session is not None and self.session.current is not None:
            with self.attempt():
                self.session.skip(self.skip_reason)

    def previous(self) -> None:
        """Go back one case."""
        if self.session is not None:
            with self.attempt():
                self.session.previous()

    def reset(self) -> None:
        """Make the mask the teacher's proposal again; undo brings the strokes back."""
        session = self.session
        if session is None or session.current is None or self.bridge is None:
            return
        if session.current.proposal is None:
            self.service_said.emit("There is no proposal to go back to.")
            return
        self.bridge.replace_mask(session.current.proposal)
        session.forget_strokes()

    def ask_for_proposal(self) -> None:
        """Ask the service what the teacher makes of the present words."""
        session = self.session
        if session is None or self.engine is None or not session.wants_proposals:
            return
        with self.attempt():
            case = session.current.case.id
            self.engine.ask("predict", case=case, description=session.description)
            self.service_said.emit("Reading the words …")

    def ask_for_views(self, partner: str | None, seed: int, epoch: int) -> bool:
        """Ask the service for the views of the case on the desk."""
        session = self.session
        if session is None or session.current is None or self.engine is None:
            return False
        with self.attempt():
            case = session.current.case.id
            request = {"case": case, "partner": partner, "seed": seed, "epoch": epoch}
            self.engine.ask("views", description=session.description, **request)
            return True
        return False

    # -- news --------------------------------------------------------------------------------------

    def _show(self, opened: OpenCase | None) -> None:
        self._ask.stop()
        self.bridge.show(opened, self.session.mask)
        self.case_shown.emit(opened)
        if (
            opened is not None
            and opened.restored
            and opened.case.description != self.session.description
        ):
            self._ask.start()  # the proposal at hand was made from other words

    def _show_proposal(self, opened: OpenCase) -> None:
        self.bridge.show_proposal(opened, self.session.mask)

    def _on_paint(self, mask: np.ndarray, strokes: int) -> None:
        session = self.session
        if session is None or session.current is None:
            return
        if strokes or not np.array_equal(mask, session.mask):
            session.edit_mask(mask, strokes=strokes)

    def _on_mask(self) -> None:
        self._autosave.start()

    def _on_words(self, _words: str) -> None:
        self._autosave.start()
        self._ask.start()

    def _save_draft(self) -> None:
        if self.session is None:
            return
        self.session.autosave()
        if self.session.desk.dirty:
            self._autosave.start()  # an earlier write was not done yet

    def _keep_lease(self) -> None:
        with self.attempt():
            self.session.keep_lease()

    def _take_answers(self) -> None:
        with self.attempt():
            for answer in self.engine.drain():
                {"predict": self._take_proposal, "views": self.views_arrived.emit}.get(
                    answer.do, _ignore
                )(answer)
            self.session.poll_writing()

    def _take_proposal(self, answer: Answer) -> None:
        session = self.session
        if not answer.ok:
            self.service_said.emit(answer.error)
            return
        current = session.current
        if current is None or answer.request["description"] != session.description:
            return
        probability, model = answer.arrays["probability"], answer.fields.get("model")
        if session.take_proposal(answer.request["case"], probability, model):
            took = float(answer.fields.get("milliseconds", 0.0))
            self.service_said.emit(f"Proposal follows the words ({took:.0f} ms).")

    def _look_around(self) -> None:
        with self.attempt():
            if self.monitor.poll():
                self.round_changed.emit(self.monitor.view)
            if self.session.refresh():
                self.engine.ask("reload")
                self.service_said.emit("A new teacher serves: its proposals are in.")


def _ignore(_answer: Answer) -> None:
    pass


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reader"


def workspace_of(viewer: Any) -> Workspace:
    """The workspace of a napari viewer's window, made at the first call."""
    window = viewer.window._qt_window  # napari names its main window nowhere else
    found = window.findChild(Workspace, NAME)
    if found is None:
        found = Workspace(viewer, window)
        window.installEventFilter(found)
        QApplication.instance().aboutToQuit.connect(found.close_project)
    return found
