"""The reader's keys act on the film and keep silent while somebody types."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_semimedref import keys
from napari_semimedref.keys import Keys, is_typed_into


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    body = QWidget()
    column = QVBoxLayout(body)
    window.text, window.film = QPlainTextEdit(), QWidget()
    window.film.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    column.addWidget(window.text)
    column.addWidget(window.film)
    window.setCentralWidget(body)
    qtbot.addWidget(window)
    window.pressed = []
    bound = Keys(window)
    for chord in (keys.ACCEPT, keys.SKIP, keys.PREVIOUS, keys.RESET):
        bound.bind(chord, lambda chord=chord: window.pressed.append(chord))
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def press_all(qtbot, widget):
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(widget, Qt.Key.Key_Return, control)
    qtbot.keyClick(widget, Qt.Key.Key_Right, alt)
    qtbot.keyClick(widget, Qt.Key.Key_Left, alt)
    qtbot.keyClick(widget, Qt.Key.Key_Backspace, control)


@pytest.mark.window
def test_every_key_acts_while_the_film_has_the_focus(qtbot, window):
    press_all(qtbot, window.film)
    assert window.pressed == [keys.ACCEPT, keys.SKIP, keys.PREVIOUS, keys.RESET]


@pytest.mark.window
def test_no_key_acts_while_the_words_are_edited(qtbot, window):
    window.text.setPlainText("lower left lung")
    window.text.moveCursor(window.text.textCursor().MoveOperation.End)
    press_all(qtbot, window.text)
    assert window.pressed == []
    assert "lung" not in window.text.toPlainText()  # Ctrl+Backspace went to the text


@pytest.mark.window
def test_the_keys_act_again_after_typing(qtbot, window):
    press_all(qtbot, window.text)
    press_all(qtbot, window.film)
    assert len(window.pressed) == 4


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (QLineEdit, True),
        (QPlainTextEdit, True),
        (QSpinBox, True),
        (QComboBox, False),
        (QLabel, False),
        (QTextBrowser, False),
    ],
)
def test_what_counts_as_typing(qtbot, kind, typed):
    widget = kind()
    qtbot.addWidget(widget)
    assert is_typed_into(widget) is typed
    assert not is_typed_into(None)
