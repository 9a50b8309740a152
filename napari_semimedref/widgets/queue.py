"""The queue dock: which cases wait and why in this order, any other list of cases, and how far the reader has come."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex
from qtpy.QtWidgets import QHBoxLayout, QProgressBar

from napari_semimedref.beside import Beside
from napari_semimedref.session import ReviewSession
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.drops import Drops
from napari_semimedref.widgets.parts import button, cases, painted_once, sentence
from napari_semimedref.widgets.queue_filters import NEXT, SECOND, FilterBar
from napari_semimedref.widgets.queue_list import CaseList
from napari_semimedref.widgets.queue_model import QueueModel
from training.pool.listing import CaseFilter, list_ids, list_readers
from training.review import OpenCase
from training.review_queue import QUEUE_LENGTH

EMPTY_QUEUE = "Every case has been reviewed. Start a round, or go back with Alt+Left."
NO_CASES = "This project has no cases yet. Import some, or drop a folder of films here."
LEFT_OVER = "Skipped or on other desks: {cases}. Choose an order under Filters to see them again."
NONE_FITS = "No case fits. Clear the filters, or list other cases."
NO_SECOND = (
    "No second reading is wanted of you. `semimedref second PROJECT --count N` asks for some."
)
LOOKING = "Looking …"
DROP_HINT = "Or drop a folder, a table, DICOM or NIfTI here"


class QueueDock(Dock):
    """Lists cases; a click opens one."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.pools = sentence()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName("Share of training cases that are labeled")
        self.sitting = sentence(muted=True)
        self.filters = FilterBar()
        self.order = self.filters.order
        self.model = QueueModel()
        self.list = CaseList(self.model)
        self.found = sentence(muted=True)
        self.empty = sentence(EMPTY_QUEUE, muted=True, lines=2)
        self._beside = Beside(self)
        self._session: ReviewSession | None = None
        self.list.clicked.connect(self._open)
        self.list.chosen.connect(self._open)
        self.filters.changed.connect(self._on_filters)
        self.filters.reordered.connect(self._reorder)
        self.workspace.case_shown.connect(self._on_case)
        self._lay_out()
        Drops(self, self.open_import)
        self.finish()

    def _lay_out(self) -> None:
        for widget in (self.pools, self.progress, self.sitting, self.filters):
            self.column.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.found, 1)
        self.bring = button("Import…", self.open_import, f"Bring cases in. {DROP_HINT}")
        row.addWidget(self.bring)
        self.column.addWidget(self.empty)
        self.column.addWidget(self.list, 1)
        self.column.addLayout(row)

    def on_project(self) -> None:
        """Follow the session's queue."""
        session = self._session = self.workspace.session
        session.queue_changed.connect(self.refresh)
        session.accepted.connect(lambda revision: self._on_done(revision.case_id))
        session.skipped.connect(self._on_done)
        self.order.setCurrentIndex(self.order.findData(session.strategy))
        self.list.look_at(session.project)
        self.model.forget_all()
        self.filters.state.setCurrentIndex(0)
        self.filters.reset()
        project = session.project
        self._beside.ask("readers", lambda: list_readers(project), self.filters.offer_readers)

    def refresh(self) -> None:
        """Show the list and the pools as they are."""
        with painted_once(self):
            self._show_counts()
            self._show_list()

    # -- what is shown -----------------------------------------------------------------------------

    def _show_counts(self) -> None:
        session = self.workspace.session
        counts, tally = session.counts, session.tally
        labeled, waiting = counts["labeled"], counts["unlabeled"]
        holdout = counts["gate"] + counts["report"]
        self.pools.setText(f"<b>{labeled}</b> labeled · {waiting} unlabeled · {holdout} held out")
        self.progress.setRange(0, max(1, labeled + waiting))
        self.progress.setValue(labeled)
        self.progress.setToolTip(f"{labeled} of {labeled + waiting} training cases are labeled")
        done = f"{tally['accepted']} accepted, {tally['skipped']} skipped"
        self.sitting.setText(f"This sitting: {done}, {self._left()} left")

    def _left(self) -> int:
        """Cases to come, the one on the desk included if it waits for a mask."""
        session = self.workspace.session
        if len(session.desk.queue) >= QUEUE_LENGTH:  # the queue is only the beginning
            return session.counts["unlabeled"] - session.tally["skipped"]
        current = session.current
        waits = current is not None and current.case.mask is None
        return len(session.desk.queue) + waits

    def _show_list(self) -> None:
        session, shown = self.workspace.session, self.filters.shown
        if shown in (NEXT, SECOND):
            self._beside.forget("ids")
            choices = session.queue()
            reasons = {choice.case_id: choice.reason for choice in choices}
            self._take(list(reasons), reasons)
            return
        project, wanted = session.project, self.filters.wanted
        if not self.model.ids:
            self._say(LOOKING)
        self._beside.ask("ids", lambda: list_ids(project, wanted), lambda ids: self._take(ids, {}))

    def _take(self, ids: list[str], reasons: dict[str, str]) -> None:
        bar: Any = self.list.verticalScrollBar()
        before = bar.value()
        self.model.replace(ids, reasons)
        bar.setValue(min(before, bar.maximum()))
        narrowed = self.filters.wanted.narrows
        self.found.setText(cases(len(ids)) + (" fit" if narrowed else ""))
        self._say("" if ids else self._why_empty())

    def _say(self, words: str) -> None:
        self.empty.setText(words)
        self.empty.setVisible(bool(words))

    def _why_empty(self) -> str:
        session, shown = self.workspace.session, self.filters.shown
        if session.planner.busy:
            return LOOKING
        if not session.counts.total():
            return NO_CASES
        if shown == SECOND:
            return NO_SECOND if session.current is None else "This is the last one."
        if shown != NEXT or self.filters.wanted.narrows:
            return NONE_FITS
        waiting = session.counts["unlabeled"]
        left = waiting - (session.current is not None and session.current.case.pool == "unlabeled")
        return LEFT_OVER.format(cases=cases(left)) if left > 0 else EMPTY_QUEUE

    # -- what the reader does ----------------------------------------------------------------------

    def _on_filters(self) -> None:
        if not self.workspace.is_open:
            return
        session, shown = self.workspace.session, self.filters.shown
        with self.workspace.attempt():
            if (shown == SECOND) != session.desk.blind:
                self.list.blind = shown == SECOND
                self.model.forget_all()
                session.read_blind(shown == SECOND)
            wanted = self.filters.wanted if shown == NEXT else CaseFilter()
            if wanted != session.planner.wanted:
                session.plan_soon(wanted=wanted)
        self.refresh()

    def _on_case(self, opened: OpenCase | None) -> None:
        self.model.on_desk = "" if opened is None else opened.case.id
        viewport: Any = self.list.viewport()
        viewport.update()

    def _on_done(self, case_id: str) -> None:
        self.model.forget(case_id)

    def _open(self, index: QModelIndex) -> None:
        with self.workspace.attempt():
            self.workspace.session.open(self.model.case_id(index))

    def _reorder(self, strategy: str) -> None:
        with self.workspace.attempt():
            self.workspace.session.plan_soon(strategy)
