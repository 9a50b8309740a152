"""The review dock: accept, skip, go back, start over; and what the draft is at the moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QGridLayout

from napari_semimedref import keys
from napari_semimedref.session import LATER, UNUSABLE
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, sentence
from training.review import OpenCase

SOON_MS = 350
LONGEST_REASON = 120
LEAST_HEIGHT = 160  # pixels; Qt's own hint forgets that sentences wrap
REASONS = (LATER, UNUSABLE, "words unclear", "film unreadable", "unsure", "not for this project")


class ReviewDock(Dock):
    """The buttons of the review and the state of the draft."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        space = self.workspace
        self.accept = button(
            f"Accept   {keys.ACCEPT}",
            space.accept,
            "Keep mask and words, open the next",
            keys.ACCEPT,
        )
        self.accept.setStyleSheet(
            "QPushButton:enabled {background: #1f7a4d; color: white; font-weight: 600;}"
            "QPushButton:enabled:hover {background: #259a60;}"
        )
        self.accept.setMinimumHeight(34)
        self.skip = button(
            f"Skip   {keys.SKIP}", space.skip, "Skip for the reason beside", keys.SKIP
        )
        self.previous = button(
            f"Previous   {keys.PREVIOUS}", space.previous, "Back to the case before", keys.PREVIOUS
        )
        self.reset = button(
            "Reset to proposal", space.editing.reset, "Make the mask the proposal again", keys.RESET
        )
        self.reason = _reason_box()
        self.reason.currentTextChanged.connect(self._choose_reason)
        # Two lines from the start, or the docks above would jump when the second one comes.
        self.state = sentence(muted=True, lines=2)
        self.state.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._news = ""
        self._soon = timer_for(self, SOON_MS, self._show_state, once=True)
        self._lay_out()
        self.setMinimumHeight(LEAST_HEIGHT)
        space.case_shown.connect(self.show_case)
        self.finish()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(6)
        grid.addWidget(self.accept, 0, 0, 1, 2)
        grid.addWidget(self.skip, 1, 0)
        grid.addWidget(self.reason, 1, 1)
        grid.addWidget(self.previous, 2, 0)
        grid.addWidget(self.reset, 2, 1)
        self.column.addLayout(grid)
        self.column.addWidget(self.state)
        self.column.addStretch()

    def on_project(self) -> None:
        """Follow the session's draft."""
        session = self.workspace.session
        session.mask_edited.connect(self._on_edit)
        session.description_edited.connect(lambda _words: self._on_edit())
        session.proposal_changed.connect(self._on_proposal)
        session.draft_saved.connect(lambda: self._tell("Draft saved."))
        session.accepted.connect(self._on_accepted)
        self.show_case(session.current)

    def show_case(self, opened: OpenCase | None) -> None:
        """Show the state of another case."""
        for each in (self.accept, self.skip, self.reset, self.reason):
            each.setEnabled(opened is not None)
        self.accept.setEnabled(opened is not None and opened.readable)
        self._offer_rejection(opened is not None and opened.proposal is not None)
        self.previous.setEnabled(bool(self.workspace.session.desk.visited))
        if opened is not None and opened.restored:
            self._news = "Your draft of an earlier time is back."
        self._show_state()

    # -- inside ------------------------------------------------------------------------------------

    def _offer_rejection(self, offered: bool) -> None:
        """A proposal can only be unusable where there is one."""
        model: Any = self.reason.model()
        model.item(REASONS.index(UNUSABLE)).setEnabled(offered)
        if not offered and self.reason.currentText() == UNUSABLE:
            self.reason.setCurrentText(LATER)

    def _choose_reason(self, reason: str) -> None:
        self.workspace.skip_reason = reason.strip() or LATER

    def _on_proposal(self, _opened: OpenCase) -> None:
        self._offer_rejection(True)
        self._soon.start()

    def _on_edit(self) -> None:
        self._tell("")

    def _on_accepted(self, revision: Any) -> None:
        how = {"as is": "as proposed", "edited": "after corrections", "redrawn": "as drawn"}
        manner = how.get(revision.outcome, revision.outcome)
        self._tell(f"Accepted {revision.case_id} {manner}.")

    def _tell(self, news: str) -> None:
        self._news = news
        self._soon.start()  # a stroke tells several times

    def _show_state(self) -> None:
        session = self.workspace.session
        opened, mask = session.current, session.mask
        if opened is None or mask is None:
            self.state.setText(f"{self._news} No case is open: choose one in the queue.")
            return
        words = [f"Mask {np.count_nonzero(mask) / mask.size:.1%} of the film"]
        if opened.proposal is not None:
            changed = int(np.count_nonzero(opened.proposal != mask))
            words.append(f"{changed} px changed" if changed else "as proposed")
        if opened.case.mask is not None:
            words.append(f"{opened.case.revisions} revision{'s' * (opened.case.revisions != 1)}")
        self.reset.setEnabled(opened.proposal is not None)
        self.state.setText(" · ".join(words) + f". {self._news}")


def _reason_box() -> QComboBox:
    """Reasons to choose from or to write; the keys are the film's again as soon as there is one."""
    box = QComboBox()
    box.addItems(REASONS)
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.setToolTip("Why a case is skipped: choose, or write your own and press Enter")
    line: Any = box.lineEdit()
    line.setMaxLength(LONGEST_REASON)
    line.returnPressed.connect(box.clearFocus)
    box.activated.connect(lambda _row: box.clearFocus())
    return box
