"""What the docks of one window share: the open project's session, service, rounds and layers, and the timers that move
news between them. Docks talk to the workspace, never to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from psygnal import Signal
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from napari_semimedref.adjudicating import Adjudicating
from napari_semimedref.asking import Asking, same_mask
from napari_semimedref.closing import AskBeforeClosing
from napari_semimedref.editing import Editing
from napari_semimedref.engine_client import EngineClient
from napari_semimedref.preferences import preferences, prepare
from napari_semimedref.round_starting import RoundStarting
from napari_semimedref.run_monitor import RunMonitor
from napari_semimedref.session import LATER, ReviewSession
from napari_semimedref.timers import timer_for
from napari_semimedref.viewer_bridge import ViewerBridge
from training.pool import Project, Revision
from training.pool.listing import recent_cases
from training.review import OpenCase

DRAIN_MS = 40
WATCH_MS = 1000
LEASE_MS = 200_000  # well within the time a lease holds
AUTOSAVE_MS = 300
ASK_MS = 150
WARM_MS = 1500  # the first film is shown by then
NAME = "napari_semimedref.workspace"
CONTESTED = (
    "{case} is contested: readers disagree, your revision is kept, and the reference stays as it was until somebody "
    "decides, here under Adjudicate or with `semimedref adjudicate`."
)


class Workspace(Asking):
    """One per window; `workspace_of` finds or makes it. Signals are psygnal's, emitted in the GUI thread.

    Attributes
    ----------
    is_open : bool
        Whether a project is open; before the first one, session, monitor, engine and bridge do not exist.
    """

    project_opened = Signal()
    settings_changed = Signal()  # of the next round
    busy_changed = Signal(str, str)  # what goes on, and a sentence about it; none when it ended
    case_shown = Signal(object)  # OpenCase or None
    round_changed = Signal(object)  # RoundView

    monitor: RunMonitor
    starting: RoundStarting
    bridge: ViewerBridge
    closing: AskBeforeClosing  # a signal alone would not keep it

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(NAME)
        self.viewer = viewer
        self._bridge: ViewerBridge | None = None
        self._unprepared = True  # no film was shown yet
        self.editing, self.adjudicating = Editing(), Adjudicating()
        self.looking.asked.connect(self.ask_for_proposal)
        self.skip_reason = LATER
        self.offers_adjudication = False
        self._busy: set[str] = set()  # with what `busy_changed` told
        self.busy_changed.connect(self._note_busy)
        self._drain = timer_for(self, DRAIN_MS, self.take_answers)
        self._watch = timer_for(self, WATCH_MS, self._look_around)
        self._lease = timer_for(self, LEASE_MS, self._keep_lease)
        self._autosave = timer_for(self, AUTOSAVE_MS, self._save_draft, once=True)
        self._ask = timer_for(self, ASK_MS, self.ask_for_proposal, once=True)
        self._warm = timer_for(self, WARM_MS, self.warm_up, once=True)

    # -- project -----------------------------------------------------------------------------------

    def open_project(self, folder: Path | str, reader: str = "") -> bool:
        """Open a project in this window in place of the one that is open; False, with a sentence, if it fails."""
        with self.attempt():
            project = Project.open(folder)
            wanted = preferences()
            session = ReviewSession(project, reader or wanted.reader, rng=np.random.default_rng(0))
            session.desk.idle_seconds = wanted.idle_seconds
            self.close_project()
            self._connect(session)
            self.engine = EngineClient.for_project(project.folder, wanted.threads)
            self.monitor, self.starting = RunMonitor(project), RoundStarting(project)
            session.desk.visited = recent_cases(project, session.desk.reader)
            self.is_open = True
            self._drain.start()
            self._watch.start()
            self._lease.start()
            self._warm.start()
            self.project_opened.emit()
            self.round_changed.emit(self.monitor.view)
            session.begin()
            return True
        return False

    def _connect(self, session: ReviewSession) -> None:
        self.session = session
        if self._bridge is None:
            self._bridge = ViewerBridge(self.viewer)
            self._bridge.mask_painted.connect(self._on_paint)
        self.bridge = self._bridge
        session.opened.connect(self._show)
        session.proposal_changed.connect(self._show_proposal)
        session.description_edited.connect(self._on_words)
        session.mask_edited.connect(self._on_mask)
        session.failed.connect(self.warn)
        session.accepted.connect(self._on_accepted)
        self.editing.attach(session, self.bridge)
        self.looking.attach(session, self.bridge)
        self.adjudicating.attach(session, self.bridge)

    def take_in(self, folder: Path) -> None:
        """Cases came into the project in ``folder``: show them, opening the project if it is not the open one."""
        if not self.is_open or self.session.project.folder != folder.resolve():
            self.open_project(folder, self.session.desk.reader if self.is_open else "")
            return
        with self.attempt():
            self.session.plan()
            if self.session.current is None:
                self.session.next()

    def close_project(self) -> None:
        """Save the draft and end the service. A round goes on."""
        for timer in (self._drain, self._watch, self._lease, self._autosave, self._ask, self._warm):
            timer.stop()
        if not self.is_open:
            return
        self.is_open = False
        self.engine.close()
        with self.attempt():
            self.session.close()
        self.session.project.close()

    def eventFilter(self, watched: Any, event: Any) -> bool:  # Qt's name
        """Save the draft and end the service when the window goes; minimizing it is no such occasion."""
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.rest()
        return False

    def rest(self) -> None:
        """Put the draft on disk and free what the service holds; all goes on at the next request."""
        self._ask.stop()
        self._warm.stop()
        if self.is_open:
            with self.attempt():
                self.session.rest()
            self.engine.close()

    # -- what the reader decides -------------------------------------------------------------------

    def accept(self) -> None:
        """Accept the draft and go on."""
        if self.has_case:
            with self.attempt():
                self.session.accept()

    def skip(self) -> None:
        """Skip the case for the chosen reason and go on."""
        if self.has_case:
            with self.attempt():
                self.session.skip(self.skip_reason)

    def previous(self) -> None:
        """Go back one case."""
        if self.is_open:
            with self.attempt():
                self.session.previous()

    # -- news --------------------------------------------------------------------------------------

    def _show(self, opened: OpenCase | None) -> None:
        self._ask.stop()
        self.proposal_awaited.emit(False)
        self.bridge.show(opened, self.session.mask)
        if opened is not None and self._unprepared:
            self._unprepared = False
            prepare(self.bridge, preferences())
        self.case_shown.emit(opened)
        if (
            opened is not None
            and opened.restored
            and opened.case.description != self.session.description
        ):
            self._ask.start()  # the proposal at hand was made from other words

    def _show_proposal(self, opened: OpenCase) -> None:
        if self.session.mask is not None:
            self.bridge.show_proposal(opened, self.session.mask)

    def _on_paint(self, mask: np.ndarray, strokes: int) -> None:
        if not self.has_case:
            return
        session = self.session
        if strokes or not same_mask(mask, session.mask):
            session.edit_mask(mask, strokes=strokes)

    def _on_accepted(self, revision: Revision) -> None:
        if revision.reading == "planted":  # it counts only while readers do not know
            return
        with self.attempt():
            if self.session.project.case(revision.case_id).contested:
                self.warn(CONTESTED.format(case=revision.case_id))

    def _on_mask(self) -> None:
        self._save_soon()

    def _save_soon(self) -> None:
        # Not put off by every further change: who paints without pause is saved too.
        if not self._autosave.isActive():
            self._autosave.start()

    def _on_words(self, _words: str) -> None:
        self._save_soon()
        self._ask.start()

    def _save_draft(self) -> None:
        if not self.is_open:
            return
        self.session.autosave()
        if self.session.desk.dirty:
            self._save_soon()  # an earlier write was not done yet

    def _keep_lease(self) -> None:
        with self.attempt():
            self.session.keep_lease()

    def _note_busy(self, what: str, sentence: str) -> None:
        (self._busy.add if sentence else self._busy.discard)(what)

    def _look_around(self) -> None:
        with self.attempt():
            busy = bool(self._busy) or self.adjudicating.contest is not None
            started = self.starting.look(self.monitor, self.session.counts["labeled"], busy)
            if self.monitor.poll() or started:
                self.round_changed.emit(self.monitor.view)
            if self.session.refresh():
                self.engine.ask("reload")
                self.looking.look_anew()
                self.service_said.emit("A new teacher serves: its proposals are in.")


def workspace_of(viewer: Any) -> Workspace:
    """The workspace of a napari viewer's window, made at the first call."""
    window = viewer.window._qt_window  # napari names its main window nowhere else
    found: Workspace | None = window.findChild(Workspace, NAME)
    if found is None:
        found = Workspace(viewer, window)
        window.installEventFilter(found)
        found.closing = AskBeforeClosing(viewer.window)
        found.round_changed.connect(found.closing.follow_round)
        found.busy_changed.connect(found.closing.note)
        application: Any = QApplication.instance()
        application.aboutToQuit.connect(found.close_project)
    return found
