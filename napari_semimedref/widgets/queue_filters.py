"""What the list of cases shows: a search in the descriptions, a state, and a few filters in a menu. It lists nothing
itself."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from napari_semimedref.chips import ZONE_WORDS
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.parts import button, menu_button
from training.acquisition import STRATEGIES
from training.pool.listing import LONGEST_SEARCH, CaseFilter

NEXT, SECOND = "next", "second"
SHOWN = {
    NEXT: ("Next up", "The queue: what comes next, and why"),
    "waiting": ("Waiting", "Without a reference mask, in the order of import"),
    "skipped": ("Skipped", "Each with its reason"),
    "labeled": ("Labeled", "With a reference mask; open one to correct it"),
    "contested": ("Readers disagree", "Contested until somebody adjudicates"),
    "holdout": ("Held out", "Pinned for evaluation, never trained on"),
    "any": ("All cases", "Everything, in the order of import"),
    SECOND: ("Second readings", "Blind: you see neither the first reader's mask nor their words"),
}
TYPING_MS = 250
ANY_ZONE, ANY_READER = "Any zone", "Any reader"


class FilterBar(QWidget):
    """Says what to list."""

    changed = Signal()
    reordered = Signal(str)  # a strategy

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search descriptions and cases")
        self.search.setClearButtonEnabled(True)
        self.search.setMaxLength(LONGEST_SEARCH)
        self.search.setToolTip("Every word must be there; capitals do not matter")
        self.search.setAccessibleName("Search descriptions and cases")
        self._soon = timer_for(self, TYPING_MS, self.changed.emit, once=True)
        self.search.textChanged.connect(lambda _text: self._soon.start())
        self.state = QComboBox()
        for place, (name, (title, tooltip)) in enumerate(SHOWN.items()):
            self.state.addItem(title, name)
            self.state.setItemData(place, tooltip, Qt.ItemDataRole.ToolTipRole)
        self.state.setToolTip("Which cases are listed")
        self.state.setAccessibleName("Which cases are listed")
        self.state.activated.connect(self._on_state)
        self._make_fields()
        self.menu = QMenu(self)  # the list needs the room more than filters that are rarely changed
        self.fold = menu_button("Filters", self.menu, "Order, zone, reader and problems")
        self._lay_out()
        self._count()

    def _make_fields(self) -> None:
        self.order = QComboBox()
        for place, (name, strategy) in enumerate(STRATEGIES.items()):
            self.order.addItem(strategy.title, name)
            self.order.setItemData(place, strategy.sentence, Qt.ItemDataRole.ToolTipRole)
        self.order.setToolTip("How the waiting cases are ordered")
        self.order.activated.connect(lambda _row: self.reordered.emit(self.order.currentData()))
        self.zone = QComboBox()
        self.zone.addItem(ANY_ZONE, "")
        for zone, words in ZONE_WORDS.items():
            self.zone.addItem(words, zone)
        self.zone.setToolTip("Cases whose words name this zone")
        self.reader = QComboBox()
        self.reader.setToolTip("Cases that this reader has read")
        self.reader.addItem(ANY_READER, "")
        self.at_odds = QCheckBox("Words ≠ proposal")
        self.at_odds.setToolTip("Words that name another side than the teacher's pseudo-mask")
        self.doubtful = QCheckBox("Problem in words")
        self.doubtful.setToolTip("Words that were repaired, contradict themselves or are unclear")
        for box in (self.zone, self.reader):
            box.activated.connect(lambda _row: self._on_field())
        for check in (self.at_odds, self.doubtful):
            check.clicked.connect(lambda _on: self._on_field())
        self.clear = button("Clear filters", self.reset, "List everything of this state again")

    def _lay_out(self) -> None:
        self.panel = QWidget()
        grid = QGridLayout(self.panel)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setSpacing(6)
        fields = (("Order", self.order), ("Zone", self.zone), ("Reader", self.reader))
        for row, (words, field) in enumerate(fields):
            label = QLabel(words)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.at_odds, 3, 0, 1, 2)
        grid.addWidget(self.doubtful, 4, 0, 1, 2)
        grid.addWidget(self.clear, 5, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        action = QWidgetAction(self.menu)
        action.setDefaultWidget(self.panel)
        self.menu.addAction(action)
        for box in (self.state, self.order, self.zone, self.reader):
            box.setMinimumContentsLength(8 if box is self.state else 20)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        row_of_state = QHBoxLayout()
        row_of_state.addWidget(self.state, 1)
        row_of_state.addWidget(self.fold)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.search)
        column.addLayout(row_of_state)

    # -- what it says ------------------------------------------------------------------------------

    @property
    def shown(self) -> str:
        """Which cases are listed; a key of `SHOWN`."""
        chosen: str = self.state.currentData()
        return chosen

    @property
    def wanted(self) -> CaseFilter:
        """The filters; for the queue and second readings without a state."""
        state: Any = "any" if self.shown in (NEXT, SECOND) else self.shown
        return CaseFilter(
            state=state,
            reader=self.reader.currentData() or "",
            zone=self.zone.currentData(),
            at_odds=self.at_odds.isChecked(),
            doubtful=self.doubtful.isChecked(),
            words=self.search.text(),
        )

    def show_state(self, state: str) -> None:
        """List these cases."""
        self.state.setCurrentIndex(self.state.findData(state))
        self._on_state()

    def offer_readers(self, names: list[str]) -> None:
        """Offer these readers to choose from; a choice that is still possible stays."""
        chosen = self.reader.currentData()
        self.reader.clear()
        self.reader.addItem(ANY_READER, "")
        for name in names:
            self.reader.addItem(name, name)
        self.reader.setCurrentIndex(max(0, self.reader.findData(chosen)))

    def reset(self) -> None:
        """Take all filters away; the state stays."""
        self.search.clear()
        self._soon.stop()
        for box in (self.zone, self.reader):
            box.setCurrentIndex(0)
        for check in (self.at_odds, self.doubtful):
            check.setChecked(False)
        self._on_field()

    # -- inside ------------------------------------------------------------------------------------

    def _on_state(self, _row: int = 0) -> None:
        blind = self.shown == SECOND
        if blind:  # to find a case by what a reader made of it would not be blind
            self.search.clear()
            for box in (self.zone, self.reader):
                box.setCurrentIndex(0)
            for check in (self.at_odds, self.doubtful):
                check.setChecked(False)
            self._soon.stop()
        self.search.setEnabled(not blind)
        self.fold.setEnabled(not blind)
        self.order.setEnabled(self.shown == NEXT)
        self._on_field()

    def _on_field(self) -> None:
        self._count()
        self.changed.emit()

    def _count(self) -> None:
        fields = (self.zone.currentData(), self.reader.currentData())
        checks = (self.at_odds.isChecked(), self.doubtful.isChecked())
        number = sum(map(bool, (*fields, *checks)))
        self.fold.setText(f"Filters ({number}) ▾" if number else "Filters ▾")
