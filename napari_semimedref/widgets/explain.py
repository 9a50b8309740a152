"""The explain dock: what the teacher looked at, and what the words changed, as layers over the film."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem

from napari_semimedref.engine_client import Answer
from napari_semimedref.explanation_layers import CAM, DIFFERENCES, title_of
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, heading, painted_once, sentence
from training.review import OpenCase

NO_TEACHER = "No teacher yet: start a round in the Trainer tab first."
NO_CASE = "Open a case to explain its proposal."
WAITING = "Looking at what the teacher saw …"
STALE = "The words have changed since: explain again."
LEGEND = (
    "Grad-CAM: orange where a layer mattered for the mask. Differences: orange where your words add foreground, blue "
    "where they take some away."
)
# Shown at first: this map if the words' sides moved the mask at all, else the Grad-CAM of a middle layer.
TELLING = "difference_mirrored"
LEAST_MOVED = 0.05
MIDDLE = 2


class ExplainDock(Dock):
    """Asks the service for an explanation of the case on the desk, and offers its maps."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.explain = button("Explain", self.ask, "Show what the teacher looked at and heard")
        self.clear = button("Remove", self.forget, "Take the explanation's layers away")
        self.maps = QListWidget()
        self.maps.setToolTip("Maps to lay over the film")
        self.maps.itemChanged.connect(lambda _item: self._choose())
        self.status = sentence(muted=True)
        self.mirrored = sentence(muted=True)
        self._wanted: set[str] | None = None  # None until the reader has chosen or a first is there
        self._lay_out()
        self.workspace.explanation_arrived.connect(self.show_explanation)
        self.workspace.case_shown.connect(self.show_case)
        self.finish()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.explain, 2)
        row.addWidget(self.clear, 1)
        self.column.addLayout(row)
        self.column.addWidget(self.status)
        self.column.addWidget(heading("Maps"))
        self.column.addWidget(self.maps, 1)
        self.column.addWidget(self.mirrored)
        self.column.addWidget(sentence(LEGEND, muted=True))

    def on_project(self) -> None:
        """Follow the words, to say when they no longer are those that were explained."""
        session = self.workspace.session
        session.description_edited.connect(self._on_words)
        self.show_case(session.current)

    def show_case(self, opened: OpenCase | None) -> None:
        """Another case: its layers are gone, and so are the rows."""
        self._drop_rows()
        self.explain.setEnabled(opened is not None)
        self.status.setText(NO_CASE if opened is None else "")

    def ask(self) -> None:
        """Ask for an explanation of the case on the desk with its present words."""
        space = self.workspace
        if not space.has_case:
            self.status.setText(NO_CASE)
        elif not space.session.has_teacher:
            self.status.setText(NO_TEACHER)
        elif reason := space.why_silent():
            self.status.setText(reason)
        elif space.ask_about_case("explain"):
            self.status.setText(WAITING)

    def show_explanation(self, answer: Answer) -> None:
        """Offer the maps that arrived, and lay those over the film that were chosen before."""
        session = self.workspace.session
        opened = session.current
        if opened is None or answer.request["case"] != opened.case.id:
            return
        if not answer.ok:
            self.status.setText(answer.error)
            return
        maps = {name: answer.arrays[name] for name in _in_order(answer)}
        if self._wanted is None or (self._wanted and not self._wanted & maps.keys()):
            self._wanted = _first_shown(maps)
        self._offer(maps)
        mirrored = answer.fields.get("texts", {}).get("mirrored", "")
        self.mirrored.setText(f"Mirrored words: {mirrored}")
        same = answer.request["description"] == session.description
        self.status.setText(
            f"Explained by the teacher {answer.fields.get('model')}." if same else STALE
        )
        self.workspace.bridge.explanation.show(maps, opened.image.shape, self._chosen())

    def forget(self) -> None:
        """Take the layers and the rows away."""
        if self.workspace.is_open:
            self.workspace.bridge.explanation.clear()
        self._drop_rows()
        self.status.setText("")

    # -- inside ------------------------------------------------------------------------------------

    def _offer(self, maps: dict[str, np.ndarray]) -> None:
        with painted_once(self.maps):
            self._drop_rows()
            self.maps.blockSignals(True)
            for name, values in maps.items():
                item = QListWidgetItem(f"{title_of(name)}{_strength(name, values)}")
                item.setData(Qt.ItemDataRole.UserRole, name)
                shown = name in (self._wanted or ())
                item.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
                self.maps.addItem(item)
            self.maps.blockSignals(False)
        self.clear.setEnabled(True)

    def _drop_rows(self) -> None:
        self.maps.blockSignals(True)
        self.maps.clear()
        self.maps.blockSignals(False)
        self.mirrored.setText("")
        self.clear.setEnabled(False)

    def _items(self) -> list[QListWidgetItem]:
        items = (self.maps.item(row) for row in range(self.maps.count()))
        return [item for item in items if item is not None]

    def _chosen(self) -> list[str]:
        checked = (item for item in self._items() if item.checkState() == Qt.CheckState.Checked)
        return [item.data(Qt.ItemDataRole.UserRole) for item in checked]

    def _choose(self) -> None:
        offered = {item.data(Qt.ItemDataRole.UserRole) for item in self._items()}
        chosen = self._chosen()
        self._wanted = ((self._wanted or set()) - offered) | set(chosen)
        self.workspace.bridge.explanation.choose(chosen)

    def _on_words(self, _words: str) -> None:
        if self.maps.count():
            self.status.setText(STALE)


def _first_shown(maps: dict[str, np.ndarray]) -> set[str]:
    if TELLING in maps and np.abs(maps[TELLING]).max() >= LEAST_MOVED:
        return {TELLING}
    seen = [name for name, values in maps.items() if name.startswith(CAM) and values.any()]
    return {seen[min(MIDDLE, len(seen) - 1)]} if seen else set()


def _strength(name: str, values: np.ndarray) -> str:
    """How much there is to see: a map may be empty, and then the film shows nothing of it."""
    if name in DIFFERENCES:
        return f": up to {100 * np.abs(values).max():.0f} %"
    return "" if values.any() else ": nothing here"


def _in_order(answer: Answer) -> list[str]:
    """Names of an answer's maps: differences first, then layers from the finest to the coarsest."""
    layers = [f"{CAM}{name}" for name in answer.fields.get("layers", ())]
    return [name for name in (*DIFFERENCES, *layers) if name in answer.arrays]
