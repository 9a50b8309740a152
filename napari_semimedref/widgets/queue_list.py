"""The list of cases: its look, and reading only the rows that are on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QModelIndex, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from napari_semimedref.beside import Beside
from napari_semimedref.chips import Chip
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.queue_model import (
    CHIPS_ROLE,
    DESK_ROLE,
    PICTURE_ROLE,
    ROW_ROLE,
    QueueModel,
)
from training.pool import Project
from training.pool.listing import list_blind_rows, list_rows
from training.pool.thumbnails import Thumbnails

PICTURE, GAP = 48, 6  # pixels
AHEAD = 20  # rows read before and behind those on the screen
PICTURES_AT_ONCE = 6
FILL_MS = 30
TONES = {
    "plain": QColor(128, 138, 155, 70),
    "warn": QColor(255, 158, 28, 95),
    "done": QColor(60, 170, 110, 85),
}
DESK = QColor(64, 160, 200, 230)
MUTED = 0.65  # opacity of quiet words


class CaseDelegate(QStyledItemDelegate):
    """Draws a case: its film, its id, its words, and why it is here."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # Qt's name
        """Three lines of text, or the picture, and some air."""
        return QSize(80, row_height(option.fontMetrics.height()))

    def paint(
        self, painter: Any, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:  # Qt's name
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, option, index)
        room = option.rect.adjusted(GAP, GAP, -GAP, -GAP)
        frame = QRect(room.left(), room.center().y() - PICTURE // 2, PICTURE, PICTURE)
        _draw_picture(painter, frame, index.data(PICTURE_ROLE))
        room.setLeft(frame.right() + 1 + GAP)
        color = option.palette.text().color()
        line = option.fontMetrics.height()
        row = index.data(ROW_ROLE)
        self._line(painter, option, room, 0, index.data(), color)
        quiet = QColor(color)
        quiet.setAlphaF(MUTED)
        self._line(painter, option, room, line, row.description if row else "…", quiet)
        chips = QRect(room.left(), room.top() + 2 * line + 4, room.width(), line)
        _draw_chips(painter, chips, index.data(CHIPS_ROLE), color)
        painter.restore()

    def _background(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        state = option.state
        if index.data(DESK_ROLE):
            painter.fillRect(option.rect, QColor(64, 160, 200, 60))
            painter.fillRect(QRect(option.rect.topLeft(), QSize(3, option.rect.height())), DESK)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(128, 140, 160, 50))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(64, 160, 200, 220))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))

    def _line(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        room: QRect,
        down: int,
        text: str,
        color: QColor,
    ) -> None:
        painter.setPen(color)
        metrics = option.fontMetrics
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.left(), room.top() + down + metrics.ascent(), text)


def row_height(line: int) -> int:
    """The height of a row in pixels for a line of text of this height."""
    return max(PICTURE, 3 * line + 6) + 2 * GAP


def _draw_picture(painter: QPainter, frame: QRect, picture: Any) -> None:
    painter.fillRect(frame, QColor(16, 17, 20))
    if picture is None:
        return
    size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
    target = QRect(0, 0, size.width(), size.height())
    target.moveCenter(frame.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(target, picture)


def _draw_chips(painter: QPainter, room: QRect, chips: Sequence[Chip], color: QColor) -> None:
    font = painter.font()
    font.setPointSizeF(max(6.5, font.pointSizeF() - 1.5))
    painter.setFont(font)
    metrics, left = painter.fontMetrics(), room.left()
    for chip in chips:
        space = room.right() - left - 8
        if space < 24:
            break
        text = metrics.elidedText(chip.text, Qt.TextElideMode.ElideRight, space)
        box = QRectF(left, room.top(), metrics.horizontalAdvance(text) + 8, metrics.height() + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(TONES[chip.tone])
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(color)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        left += round(box.width()) + 4


class CaseList(QTableView):
    """Shows the model's cases; reads rows and makes pictures only for what is on the screen.

    A table of one column with rows of one height, because a list view asks the model about every single row.
    """

    chosen = Signal(QModelIndex)
    _places: Any = None  # the header that knows how high rows are

    def __init__(self, model: QueueModel) -> None:
        super().__init__()
        self.cases = model
        self.setModel(model)
        self.setItemDelegate(CaseDelegate(self))
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        across: Any = self.horizontalHeader()
        across.hide()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._places = self.verticalHeader()
        self._places.hide()
        self._places.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._size_rows()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard to the film
        self.setAccessibleName("Cases")
        self.setToolTip("A click opens a case (Enter, where the arrow keys are)")
        self._rows, self._pictures = Beside(self), Beside(self)
        self._project: Project | None = None
        self._thumbnails: Thumbnails | None = None
        self.blind = False
        self._fill_soon = timer_for(self, FILL_MS, self.fill, once=True)
        # Bound methods: Qt drops them with the view, and the model and its changes may outlive that.
        bar: Any = self.verticalScrollBar()
        bar.valueChanged.connect(self._begin_fill)
        model.modelReset.connect(self._begin_fill)
        model.dataChanged.connect(self._begin_fill)

    def look_at(self, project: Project) -> None:
        """Read from this project from now on."""
        for beside in (self._rows, self._pictures):
            beside.forget("rows")
            beside.forget("pictures")
        self._project, self._thumbnails = project, Thumbnails(project)

    def places(self) -> tuple[int, int]:
        """The first and the last place on the screen."""
        last = self.cases.rowCount() - 1
        viewport: Any = self.viewport()
        top = self.indexAt(viewport.rect().topLeft())
        bottom = self.indexAt(viewport.rect().bottomLeft())
        return max(0, top.row()), bottom.row() if bottom.isValid() else last

    def fill(self) -> None:
        """Ask for what the screen lacks."""
        if self._project is None or not self.isVisible() or not self.cases.rowCount():
            return
        first, last = self.places()
        missing = self.cases.without_row(first, last)
        if missing and not self._rows.busy("rows"):
            missing = self.cases.without_row(max(0, first - AHEAD), last + AHEAD)
            project, read = self._project, list_blind_rows if self.blind else list_rows
            self._rows.ask(
                "rows",
                lambda: read(project, missing),
                lambda rows: self.cases.take_rows(missing, rows),
            )
        images = self.cases.without_picture(first, last)[:PICTURES_AT_ONCE]
        if images and not self._pictures.busy("pictures"):
            self._pictures.ask(
                "pictures", _making(self._thumbnails, images), self.cases.take_pictures
            )

    def _begin_fill(self, *_what: Any) -> None:
        # Not started anew, or scrolling would put it off for ever.
        if not self._fill_soon.isActive():
            self._fill_soon.start()

    def _size_rows(self) -> None:
        height = row_height(self.fontMetrics().height())
        if self._places.defaultSectionSize() != height:
            self._places.setMinimumSectionSize(height)
            self._places.setDefaultSectionSize(height)

    def changeEvent(self, event: Any) -> None:  # Qt's name
        """Rows follow the font."""
        super().changeEvent(event)
        if self._places is not None and event.type() in (
            QEvent.Type.FontChange,
            QEvent.Type.StyleChange,
        ):
            self._size_rows()

    def showEvent(self, event: Any) -> None:  # Qt's name
        """Fill what was not read while nobody saw it."""
        super().showEvent(event)
        self._begin_fill()

    def resizeEvent(self, event: Any) -> None:  # Qt's name
        """Fill what came into sight."""
        super().resizeEvent(event)
        self._begin_fill()

    def keyPressEvent(self, event: Any) -> None:  # Qt's name
        """Enter opens the case; letters are not searched for, they belong to the film."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        elif event.text().strip():
            event.ignore()
        else:
            super().keyPressEvent(event)


def _making(thumbnails: Thumbnails | None, images: list[str]) -> Any:
    def make() -> dict[str, np.ndarray | None]:
        assert thumbnails is not None
        return {image: thumbnails.picture(image) for image in images}

    return make
