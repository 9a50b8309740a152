"""Small pieces that several docks are built of: quiet labels, buttons with their key, pictures of arrays. Nothing of a
project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPixmap
from qtpy.QtWidgets import QLabel, QMenu, QPushButton, QSizePolicy, QWidget
from superqt import QElidingLabel


class Sentence(QLabel):
    """A label for whole sentences: wraps to the width it gets and has room for ``lines`` of them at least."""

    def __init__(self, text: str = "", lines: int = 1) -> None:
        super().__init__(text)
        self._lines = lines
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:  # Qt's name
        """Few lines: Qt's own hint supposes a narrow label and asks for many."""
        return QSize(0, self._lines * self.fontMetrics().lineSpacing())

    def heightForWidth(self, width: int) -> int:  # Qt's name
        """What the text needs, but no less than the least number of lines."""
        return max(super().heightForWidth(width), self.minimumSizeHint().height())


def sentence(text: str = "", *, muted: bool = False, lines: int = 1) -> Sentence:
    """A label for sentences, quiet if muted."""
    label = Sentence(text, lines)
    if muted:
        mute(label)
    return label


QUIET = {True: "color: rgb(92, 98, 110);", False: "color: rgb(150, 155, 165);"}  # light, dark


def mute(label: QLabel) -> None:
    """Make a label quieter than its neighbors; in a dock it follows the theme."""
    label.setProperty("quiet", True)
    label.setStyleSheet(QUIET[False])


def follow_theme(parent: QWidget, light: bool) -> None:
    """Color all muted labels within so that they can be read on a light or a dark ground."""
    for label in parent.findChildren(QLabel):
        if label.property("quiet"):
            label.setStyleSheet(QUIET[light])


def heading(text: str = "") -> QElidingLabel:
    """A short title inside a dock; a long one is elided and shown whole in its tooltip."""
    label = QElidingLabel(text)
    font = label.font()
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    return label


def button(text: str, act: Callable[[], object], tooltip: str, key: str = "") -> QPushButton:
    """A push button; its tooltip names the key."""
    made = QPushButton(text)
    made.setToolTip(f"{tooltip} ({key})" if key else tooltip)
    made.clicked.connect(lambda _checked=False: act())
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def menu_button(text: str, menu: QMenu, tooltip: str) -> QPushButton:
    """A push button that opens a menu."""
    made = QPushButton(f"{text} ▾")
    made.setToolTip(tooltip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setMenu(menu)
    # The theme's own sign would lie upon the words.
    made.setStyleSheet("QPushButton::menu-indicator {image: none; width: 0px;}")
    return made


def cases(count: int) -> str:
    """A number of cases in words."""
    return f"{count:,} case{'s' * (count != 1)}"


@contextmanager
def painted_once(widget: QWidget) -> Iterator[None]:
    """Paint a widget once for all that changes within; each painting costs a frame of the whole window."""
    widget.setUpdatesEnabled(False)
    try:
        yield
    finally:
        widget.setUpdatesEnabled(True)


class Picture(QWidget):
    """Shows an array as a picture, keeping its proportions, with the patient's sides marked.

    Parameters
    ----------
    caption : str
        Stands below the picture.
    """

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._caption = caption
        self._pixmap: QPixmap | None = None
        self.setMinimumSize(96, 84)  # three rows of them fit a screen of 768 lines
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_array(self, pixels: np.ndarray | None) -> None:
        """Show ``(H, W, 3) uint8``, or nothing."""
        self._pixmap = None if pixels is None else _pixmap(pixels)
        self.update()

    def paintEvent(self, _event: Any) -> None:  # Qt's name
        """Draw the picture as large as fits, and the caption."""
        painter = QPainter(self)
        line = painter.fontMetrics().height() + 2
        room = self.rect().adjusted(0, 0, 0, -line)
        painter.fillRect(room, QColor(16, 17, 20))
        painter.setPen(QColor(150, 155, 165))
        caption_room = self.rect().adjusted(0, room.height(), 0, 0)
        painter.drawText(caption_room, Qt.AlignmentFlag.AlignCenter, self._caption)
        if self._pixmap is not None:
            mode = Qt.TransformationMode.SmoothTransformation
            ratio = Qt.AspectRatioMode.KeepAspectRatio
            scaled = self._pixmap.scaled(room.size(), ratio, mode)
            left = room.left() + (room.width() - scaled.width()) // 2
            top = room.top() + (room.height() - scaled.height()) // 2
            painter.drawPixmap(left, top, scaled)
            painter.setPen(QColor(255, 255, 255))
            letters = room.adjusted(left + 4, top + 2, -left - 4, 0)
            painter.drawText(letters, Qt.AlignmentFlag.AlignLeft, "R")
            painter.drawText(letters, Qt.AlignmentFlag.AlignRight, "L")
        painter.end()


def _pixmap(pixels: np.ndarray) -> QPixmap:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())
