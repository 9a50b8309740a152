"""The reader's keys: shortcuts of the whole window that keep silent while somebody types. What each key does is the
matter of `layout`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QShortcut,
    QTextEdit,
    QWidget,
)

ACCEPT = "Ctrl+Return"
SKIP = "Alt+Right"
PREVIOUS = "Alt+Left"
RESET = "Ctrl+Backspace"
UNDO, REDO = "Ctrl+Z", "Ctrl+Shift+Z"
ISLANDS, HOLES, SMOOTH, ZONES = "Alt+I", "Alt+G", "Alt+S", "Alt+Z"
TAKE_REGION, DROP_REGION = "Alt+A", "Alt+R"
UNCERTAIN, WHOLE_FILM = "Alt+U", "Alt+0"
PROPOSAL_CONTOUR, MASK_CONTOUR, OVERLAY = "Alt+C", "Alt+M", "Alt+O"

TYPED_INTO = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)


class Keys(QObject):
    """Shortcuts on the main window that are off while a text field has the focus.

    napari ignores keybindings of manifests, and layer keys would win over viewer keys; window shortcuts do neither.

    Parameters
    ----------
    window : QWidget
        The main window.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.shortcuts: dict[str, QShortcut] = {}
        application: Any = QApplication.instance()
        application.focusChanged.connect(self._on_focus)

    def bind(self, sequence: str, act: Callable[[], object]) -> None:
        """Bind a chord."""
        shortcut = QShortcut(QKeySequence(sequence), self._window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda: act())
        self.shortcuts[sequence] = shortcut

    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        typing = is_typed_into(now)
        for shortcut in self.shortcuts.values():
            shortcut.setEnabled(not typing)


def is_typed_into(widget: QWidget | None) -> bool:
    """Whether keys pressed on a widget are text."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    if isinstance(widget, (QPlainTextEdit, QTextEdit)):
        return not widget.isReadOnly()
    return isinstance(widget, TYPED_INTO)
