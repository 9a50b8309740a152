"""Whatever can be pressed or written into says what it does."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTableView,
    QTreeWidget,
    QWidget,
)

from napari_semimedref.layout import ADJUDICATION, PLACES
from napari_semimedref.widgets.import_dialog import ImportDialog
from napari_semimedref.widgets.settings_dialog import SettingsDialog
from training.config import preset

PLACED = {**PLACES, "adjudication": ADJUDICATION}
USED = (
    QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QSlider, QTableView, QTreeWidget,
)  # fmt: skip


def silent(window):
    """What says nothing when pointed at, nor does anything that it lies in; Qt's own parts left out."""
    found = []
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, USED) or widget.objectName().startswith(("qt_", "Scroll")):
            continue
        over = widget
        while over is not window and not over.toolTip():
            over = over.parentWidget()
        if over is window:
            found.append(widget)
    return found


@pytest.mark.parametrize("name", PLACED)
def test_every_button_and_field_of_a_dock_says_what_it_does(qtbot, space, name):
    dock = PLACED[name].kind(space)
    qtbot.addWidget(dock)
    assert dock.findChildren(QAbstractButton)
    assert silent(dock) == []


def test_every_button_and_field_of_the_dialogs_says_what_it_does(qtbot, space):
    for dialog in (ImportDialog(space), SettingsDialog(preset("default"))):
        qtbot.addWidget(dialog)
        assert dialog.findChildren(QAbstractButton)
        assert silent(dialog) == []
