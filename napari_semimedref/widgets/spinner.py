"""A small sign that something is awaited. What that is, its owner says."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_semimedref.timers import timer_for

SIDE = 14  # pixels
PATIENCE_MS = 150  # what is answered sooner needs no sign
TURN_MS = 160  # each turn paints the whole window: few are enough


class Spinner(QWidget):
    """Turns while something is awaited; its room stays when it rests, so that nothing jumps."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setFixedSize(SIDE, SIDE)
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.awaited = False
        self._turned = 0
        self._timer = timer_for(self, PATIENCE_MS, self._turn)

    def set_awaited(self, awaited: bool) -> None:
        """Begin to turn after a moment, or rest at once."""
        if awaited == self.awaited:
            return
        self.awaited = awaited
        self._turned = 0
        if awaited:
            self._timer.start(PATIENCE_MS)
        else:
            self._timer.stop()
            self.update()

    @property
    def turning(self) -> bool:
        """Whether it can be seen."""
        return self.awaited and self._turned > 0

    def sizeHint(self) -> QSize:  # Qt's name
        """Small."""
        return QSize(SIDE, SIDE)

    def paintEvent(self, _event: Any) -> None:  # Qt's name
        """Draw an arc, or nothing."""
        if not self.turning:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(64, 160, 200), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        room = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.drawArc(room, -self._turned * 60 * 16, 250 * 16)
        painter.end()

    def _turn(self) -> None:
        self._timer.setInterval(TURN_MS)
        self._turned += 1
        self.update()
