"""The zone map: the six zones as the film shows them; a click puts a zone into the words or takes it out. What that
does to the words is the dock's matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from training.report import ZONES, zone_boxes
from training.report.zones import Convention

WORDS = {"u": "upper", "m": "middle", "l": "lower", "L": "left", "R": "right"}
SIDE = 300  # of the square the boxes are computed in
MARGIN = 18
NAMED = QColor(64, 160, 200, 150)
PAINTED = QColor(255, 158, 28, 230)


class ZoneMap(QWidget):
    """Six cells in the film's layout: filled where the words name the zone, dotted where the mask lies."""

    toggled = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._convention: Convention = "image"
        self._named: frozenset[str] = frozenset()
        self._painted: frozenset[str] = frozenset()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._pointed = ZONES[0]  # by the keyboard
        self.setAccessibleName("Zones named by the description")
        self.setAccessibleDescription("Arrow keys choose a zone, Space puts it in or takes it out")

    def sizeHint(self) -> QSize:  # Qt's name
        """Three rows of readable cells."""
        return QSize(240, 92)

    def show_zones(
        self, convention: Convention, named: Iterable[str], painted: Iterable[str]
    ) -> None:
        """Show which zones the words name and which the mask touches."""
        self._convention = convention
        self._named, self._painted = frozenset(named), frozenset(painted)
        self.update()

    def zone_at(self, x: float, y: float) -> str | None:
        """The zone under a point of the widget."""
        return next((zone for zone, cell in self.cells().items() if cell.contains(x, y)), None)

    def cells(self) -> dict[str, QRectF]:
        """Where each zone is drawn: the film's boxes, stretched to the widget."""
        width, height = self.width() - 2 * MARGIN, self.height()
        boxes = zone_boxes((SIDE, SIDE), convention=self._convention)
        return {
            zone: QRectF(
                MARGIN + x0 / SIDE * width + 1,
                y0 / SIDE * height + 1,
                (x1 - x0) / SIDE * width - 2,
                (y1 - y0) / SIDE * height - 2,
            )
            for zone, (y0, x0, y1, x1) in boxes.items()
        }

    def mousePressEvent(self, event: Any) -> None:  # Qt's name
        """Tell which zone was clicked."""
        zone = self.zone_at(event.position().x(), event.position().y())
        if zone is not None and event.button() == Qt.MouseButton.LeftButton:
            self.toggled.emit(zone)

    def keyPressEvent(self, event: Any) -> None:  # Qt's name
        """Arrow keys choose a zone as the film shows it, Space puts it into the words or takes it out."""
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if event.key() == Qt.Key.Key_Space:
            self.toggled.emit(self._pointed)
        elif event.key() in steps:
            cells = self.cells()
            cell, (across, down) = cells[self._pointed], steps[event.key()]
            to = cell.center() + QPointF(across * cell.width(), down * cell.height())
            self._pointed = self.zone_at(to.x(), to.y()) or self._pointed
            self.update()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: Any) -> None:  # Qt's name
        """Say what a click would do."""
        zone = self.zone_at(event.position().x(), event.position().y())
        if zone is not None:
            act = "Take out of" if zone in self._named else "Put into"
            place = f"{WORDS[zone[1]]} {WORDS[zone[0]]}"
            QToolTip.showText(event.globalPosition().toPoint(), f"{act} the words: {place}", self)

    def paintEvent(self, _event: Any) -> None:  # Qt's name
        """Draw the cells and the patient's sides."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for zone, cell in self.cells().items():
            self._draw_cell(painter, zone, cell)
        painter.setPen(self.palette().text().color())
        room = self.rect()
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, "R")
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "L")
        painter.end()

    def _draw_cell(self, painter: QPainter, zone: str, cell: QRectF) -> None:
        fill = NAMED if zone in self._named else QColor(128, 136, 150, 40)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(128, 136, 150, 110)))
        painter.drawRoundedRect(cell, 4, 4)
        if self.hasFocus() and zone == self._pointed:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(NAMED.lighter(130), 2))
            painter.drawRoundedRect(cell.adjusted(2, 2, -2, -2), 3, 3)
        painter.setPen(self.palette().text().color())
        words = f"{WORDS[zone[1]]} {WORDS[zone[0]]}"
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, words)
        if zone in self._painted:
            painter.setBrush(PAINTED)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(QRectF(cell.right() - 13, cell.top() + 5, 8, 8))
