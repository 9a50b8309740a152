"""A form of settings as a page that scrolls. Knows no particular setting."""

from __future__ import annotations

from magicgui.widgets import Container, Widget
from qtpy.QtWidgets import QFormLayout, QScrollArea, QWidget


def form_page(form: Container[Widget]) -> QScrollArea:
    """The form's fields in rows, each with its tooltip."""
    page = QWidget()
    rows = QFormLayout(page)
    for widget in form:
        widget.native.setToolTip(widget.tooltip)
        rows.addRow(widget.label, widget.native)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(page)
    return area
