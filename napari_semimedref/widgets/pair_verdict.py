"""A reader's word on a mixed pair: nonsense, so that training never mixes the two again, or fine after all."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from napari_semimedref.widgets.parts import button
from napari_semimedref.workspace import Workspace
from training.pool.pairs import pairs_apart, report_pair, withdraw_pair

NONSENSE, FINE = "This pair is nonsense", "This pair is fine again"
LONGEST_REASON = 200


class PairVerdict(QWidget):
    """One row: why, and the button that reports the pair or takes the report back."""

    decided = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._pair: tuple[str, str] | None = None
        self._apart = False
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Why (optional)")
        self.reason.setMaxLength(LONGEST_REASON)
        self.reason.setToolTip(
            "Kept with the report, for other readers (Enter: the keys are the film's again)"
        )
        self.reason.returnPressed.connect(self.reason.clearFocus)  # the keys are the film's again
        self.button = button(
            NONSENSE, self.decide, "From the next round on these two films are never mixed"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.reason, 1)
        row.addWidget(self.button)
        self.show_pair(None)

    def show_pair(self, pair: tuple[str, str] | None) -> None:
        """Offer a verdict on a case and its partner; None, or twice one case, offers nothing."""
        self._pair = pair if pair is not None and pair[0] != pair[1] else None
        self._apart = False
        if self._pair is not None:
            with self._workspace.attempt():
                known = pairs_apart(self._workspace.session.project)
                self._apart = tuple(sorted(self._pair)) in known
        self.button.setText(FINE if self._apart else NONSENSE)
        for each in (self.reason, self.button):
            each.setEnabled(self._pair is not None)

    def decide(self) -> None:
        """Report the pair, or take the report back."""
        if self._pair is None:
            return
        session, act = self._workspace.session, withdraw_pair if self._apart else report_pair
        with self._workspace.attempt():
            act(session.project, *self._pair, session.desk.reader, self.reason.text())
            self.reason.clear()
            self.show_pair(self._pair)
            self.decided.emit()
