"""The queue dock: which cases wait, why in this order, and how far the pools are."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.drops import Drops
from napari_semimedref.widgets.parts import button, painted_once, sentence
from training.acquisition import STRATEGIES, Choice

ORDERS = {"zones": "Rare zones and unsure first", "random": "At random"}
EMPTY_QUEUE = "Every case has been reviewed. Start a round, or go back with Alt+Left."
NO_CASES = "This project has no cases yet. Import some, or drop a folder of films here."
LEFT_OVER = "{count} cases were put aside or lie on other desks. Choose an order to see them again."
DROP_HINT = "Drop a folder, a table, DICOM or NIfTI here to import it"
REASON_ROLE = Qt.ItemDataRole.UserRole + 1


class QueueModel(QAbstractListModel):
    """The waiting cases as rows; thousands cost nothing until they are scrolled to."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: list[Choice] = []

    def replace(self, choices: list[Choice]) -> None:
        """Show other choices."""
        self.beginResetModel()
        self._choices = choices
        self.endResetModel()

    def case_id(self, index: QModelIndex) -> str:
        """The case of a row."""
        return self._choices[index.row()].case_id

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        """How many cases wait."""
        return 0 if parent is not None and parent.isValid() else len(self._choices)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The case's id, its reason, or both."""
        if not index.isValid():
            return None
        choice = self._choices[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return choice.case_id
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{choice.case_id}: {choice.reason}"
        return choice.reason if role == REASON_ROLE else None


class CaseDelegate(QStyledItemDelegate):
    """Draws a case in two lines: its id, and quietly the reason for its place."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # Qt's name
        """Two lines of text and some air."""
        return QSize(80, 2 * option.fontMetrics.height() + 8)

    def paint(
        self, painter: Any, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:  # Qt's name
        """Draw one row."""
        painter.save()
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(128, 140, 160, 50))
        room = option.rect.adjusted(6, 4, -6, -4)
        line, metrics = option.fontMetrics.height(), option.fontMetrics
        elide = Qt.TextElideMode.ElideRight
        painter.setPen(option.palette.text().color())
        name = metrics.elidedText(index.data(), elide, room.width())
        painter.drawText(room.left(), room.top() + metrics.ascent(), name)
        painter.setPen(QColor(140, 146, 158))
        reason = metrics.elidedText(index.data(REASON_ROLE), elide, room.width())
        painter.drawText(room.left(), room.top() + line + metrics.ascent(), reason)
        painter.restore()


class QueueDock(Dock):
    """Lists the waiting cases; a click opens one."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.pools = sentence()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.order = QComboBox()
        for name in STRATEGIES:
            self.order.addItem(ORDERS.get(name, name), name)
        self.order.setToolTip("How the waiting cases are ordered")
        self.order.activated.connect(self._reorder)
        self.model = QueueModel()
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(CaseDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.clicked.connect(self._open)
        self.empty = sentence(EMPTY_QUEUE, muted=True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Order"))
        row.addWidget(self.order, 1)
        for widget in (self.pools, self.progress):
            self.column.addWidget(widget)
        self.column.addLayout(row)
        self.column.addWidget(self.empty)
        self.column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.addWidget(sentence(DROP_HINT, muted=True), 1)
        self.bring = button("Import…", self.open_import, "Bring cases into this project or another")
        row.addWidget(self.bring)
        self.column.addLayout(row)
        Drops(self, self.open_import)
        self.finish()

    def on_project(self) -> None:
        """Follow the session's queue."""
        self.workspace.session.queue_changed.connect(self.refresh)
        self.order.setCurrentIndex(self.order.findData(self.workspace.session.strategy))
        self.refresh()

    def refresh(self) -> None:
        """Show the queue and the pools as they are."""
        with painted_once(self):
            self._refresh()

    def _refresh(self) -> None:
        session = self.workspace.session
        choices, counts = session.queue(), session.counts
        self.model.replace(choices)
        labeled, waiting = counts["labeled"], counts["unlabeled"]
        self.empty.setVisible(not choices)
        left = waiting - (session.current is not None and session.current.case.pool == "unlabeled")
        words = LEFT_OVER.format(count=left) if left > 0 else EMPTY_QUEUE
        self.empty.setText(words if counts.total() else NO_CASES)
        holdout = counts["gate"] + counts["report"]
        self.pools.setText(f"<b>{labeled}</b> labeled · {waiting} unlabeled · {holdout} held out")
        self.progress.setRange(0, max(1, labeled + waiting))
        self.progress.setValue(labeled)
        self.progress.setToolTip(f"{labeled} of {labeled + waiting} training cases are labeled")

    def _open(self, index: QModelIndex) -> None:
        with self.workspace.attempt():
            self.workspace.session.open(self.model.case_id(index))

    def _reorder(self, _row: int) -> None:
        with self.workspace.attempt():
            self.workspace.session.plan(self.order.currentData())
