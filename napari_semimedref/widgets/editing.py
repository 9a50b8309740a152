"""The mask dock: tools, undo, tidying, and what is seen of mask, proposal and the teacher's maps. What each button does
is `napari_semimedref.editing` and `looking`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
)

from napari_semimedref import keys
from napari_semimedref.fixed_layers import MASK, PROPOSAL
from napari_semimedref.overlays import OVERLAYS
from napari_semimedref.tools import TOOLS, Tool
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, sentence
from training.review import OpenCase

COLUMNS = 3
LARGEST_BRUSH = 200  # pixels; larger ones are chosen with ]
NO_OVERLAY = "None"
BUTTON_STYLE = (
    "QPushButton {padding: 2px;} QPushButton:checked {background: #2f6f9f; color: white;}"
)


class EditingDock(Dock):
    """Everything that can be done to the mask, by mouse; each tooltip names the key."""

    SCROLLS = True  # on the smallest screens

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.column.setSpacing(4)
        hands = self.workspace.editing
        self.tools: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._add_tools()
        self.brush = QSlider(Qt.Orientation.Horizontal)
        self._add_brush()
        self.undo, self.redo = self._add_pair(
            ("Undo", hands.undo, "Take the latest change back", keys.UNDO),
            ("Redo", hands.redo, "Do it again", keys.REDO),
        )
        self.islands, self.holes = self._add_pair(
            ("Remove islands", hands.remove_islands, "Take small parts away", keys.ISLANDS),
            ("Fill holes", hands.fill_holes, "Fill what the mask encloses", keys.HOLES),
        )
        self.smooth, self.zones = self._add_pair(
            ("Smooth", hands.smooth, "Smooth the mask's edge", keys.SMOOTH),
            ("Keep zones", hands.keep_zones, "Keep only what the words name", keys.ZONES),
        )
        self._add_views()
        self.news = sentence(muted=True)
        self.news.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(self.news)
        self.column.addStretch()
        self._follow()
        self.finish()

    def on_project(self) -> None:
        """Show what can be done in the case on the desk."""
        bridge = self.workspace.bridge
        bridge.brush_resized.connect(self._show_brush)
        self._show_brush(bridge.brush_size)
        self.show_case(self.workspace.session.current)

    def show_case(self, opened: OpenCase | None) -> None:
        """Another case is on the desk."""
        self.body.setEnabled(opened is not None)
        self._show_brush(self.workspace.bridge.brush_size)
        self._show_history()

    # -- rows --------------------------------------------------------------------------------------

    def _add_tools(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        for number, tool in enumerate(TOOLS):
            made = self._tool_button(tool)
            grid.addWidget(made, number // COLUMNS, number % COLUMNS)
        self.column.addLayout(grid)

    def _tool_button(self, tool: Tool) -> QPushButton:
        made = _narrow(button(tool.title, lambda: self._take(tool), tool.tip, tool.key))
        made.setCheckable(True)
        self._group.addButton(made)
        self.tools[tool.name] = made
        return made

    def _take(self, tool: Tool) -> None:
        self.workspace.editing.take(tool)

    def _add_brush(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Brush size"))
        self.brush.setRange(1, LARGEST_BRUSH)
        self.brush.setToolTip("Diameter of brush and eraser in pixels of the film ([ and ])")
        self.brush.setAccessibleName("Brush size")
        self.brush.valueChanged.connect(self._resize_brush)
        row.addWidget(self.brush, 1)
        self.brush_label = QLabel("")
        self.brush_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("000 px"))
        row.addWidget(self.brush_label)
        self.column.addLayout(row)

    def _add_pair(
        self, *pair: tuple[str, Callable[[], object], str, str]
    ) -> tuple[QPushButton, ...]:
        row = QHBoxLayout()
        row.setSpacing(4)
        made = tuple(_narrow(button(*each)) for each in pair)
        for each in made:
            row.addWidget(each, 1)
        self.column.addLayout(row)
        return made

    def _add_views(self) -> None:
        eyes = self.workspace.looking
        grid = QGridLayout()
        grid.setSpacing(4)
        shown = (("Mask", MASK, keys.MASK_CONTOUR), ("Proposal", PROPOSAL, keys.PROPOSAL_CONTOUR))
        for row, (title, layer, key) in enumerate(shown):
            grid.addWidget(self._visible_box(title.lower(), layer), row, 0)
            grid.addWidget(_narrow(self._contour_button(title.lower(), layer, key)), row, 1)
        self.column.addLayout(grid)
        self.overlay = QComboBox()
        self.overlay.addItem(NO_OVERLAY, "")
        for each in OVERLAYS:
            self.overlay.addItem(each.title, each.name)
            self.overlay.setItemData(
                self.overlay.count() - 1, each.legend, Qt.ItemDataRole.ToolTipRole
            )
        self.overlay.setToolTip(f"A map laid over the film ({keys.OVERLAY} for the next)")
        self.overlay.activated.connect(lambda _row: eyes.choose(self.overlay.currentData()))
        line = QHBoxLayout()
        line.addWidget(QLabel("Map"))
        line.addWidget(self.overlay, 1)
        self.column.addLayout(line)
        self.uncertain, self.whole = self._add_pair(
            (
                "Next unsure region",
                eyes.next_uncertain,
                "Go to the largest region the teacher is unsure of, then to the next",
                keys.UNCERTAIN,
            ),
            ("Whole film", eyes.look_at_all, "Show all of the film", keys.WHOLE_FILM),
        )

    def _visible_box(self, title: str, layer: str) -> QCheckBox:
        box = QCheckBox(f"Show {title}")
        box.setChecked(True)
        box.setToolTip(f"Show the {title}, or the film without it")
        box.toggled.connect(lambda on: self._set_visible(layer, on))
        return box

    def _contour_button(self, title: str, layer: str, key: str) -> QPushButton:
        def turn() -> None:
            self.workspace.looking.turn_contour(layer)

        tip = f"Show the {title} as a contour or filled"
        return button("Contour / fill", turn, tip, key)

    # -- news --------------------------------------------------------------------------------------

    def _follow(self) -> None:
        space = self.workspace
        space.case_shown.connect(self.show_case)
        space.editing.said.connect(self._tell)
        space.looking.said.connect(self._tell)
        space.editing.history_changed.connect(self._show_history)
        space.editing.tool_changed.connect(lambda name: self.tools[name].setChecked(True))
        space.looking.overlay_changed.connect(self._show_overlay)
        self.tools[space.editing.tool.name].setChecked(True)

    def _tell(self, words: str) -> None:
        self.news.setText(words)

    def _show_history(self) -> None:
        hands = self.workspace.editing
        for made, name, act, key in (
            (self.undo, hands.to_undo, "Take back", keys.UNDO),
            (self.redo, hands.to_redo, "Do again", keys.REDO),
        ):
            made.setEnabled(bool(name))
            made.setToolTip(
                f"{act}: {name} ({key})" if name else f"Nothing to {act.lower()} ({key})"
            )

    def _show_overlay(self, name: str) -> None:
        self.overlay.setCurrentIndex(self.overlay.findData(name))
        self._tell(next((each.legend for each in OVERLAYS if each.name == name), ""))

    def _resize_brush(self, size: int) -> None:
        self.brush_label.setText(f"{size} px")
        if self.workspace.is_open:
            self.workspace.bridge.brush_size = size

    def _show_brush(self, size: int) -> None:
        if size:
            self.brush.blockSignals(True)
            self.brush.setValue(size)
            self.brush.blockSignals(False)
            self.brush_label.setText(f"{size} px")

    def _set_visible(self, layer: str, on: bool) -> None:
        if self.workspace.is_open:
            self.workspace.bridge.set_visible(layer, on)


def _narrow(made: QPushButton) -> QPushButton:
    made.setStyleSheet(BUTTON_STYLE)
    made.setMinimumWidth(0)
    return made
