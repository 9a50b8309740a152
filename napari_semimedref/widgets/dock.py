"""What every dock has: the workspace it looks at, and an empty state that says how to open a project."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QFrame, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from napari_semimedref.widgets.import_dialog import open_import
from napari_semimedref.widgets.parts import button, follow_theme, heading, sentence
from napari_semimedref.workspace import Workspace, workspace_of

EMPTY = (
    "No project is open. Import your own films to make one; `semimedref phantom` makes one of synthetic films to try "
    "out."
)


class Dock(QWidget):
    """Base of the docks: shows ``self.body`` while a project is open, else how to open one.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        napari hands it in by this name; a `Workspace` is taken as it is.
    """

    SCROLLS = False  # whether the body may be taller than the dock

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        given = isinstance(napari_viewer, Workspace)
        self.workspace: Workspace = napari_viewer if given else workspace_of(napari_viewer)
        self.body = Body()
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(8, 6, 8, 6)
        self.column.setSpacing(6)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty())
        self._stack.addWidget(_scrolled(self.body) if self.SCROLLS else self.body)
        self.workspace.project_opened.connect(self._on_project)
        self.workspace.viewer.events.theme.connect(self._on_theme)

    def _empty(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.addWidget(heading("Open a project"))
        column.addWidget(sentence(EMPTY, muted=True))
        column.addWidget(button("Open project…", self._choose, "Choose the project's folder"))
        column.addWidget(button("Import…", self.open_import, "Make a project of films of your own"))
        column.addStretch()
        return page

    def open_import(self, dropped: list[Path] | None = None) -> None:
        """Show the import dialog, with what was dropped as its source."""
        open_import(self.workspace, self, dropped)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a project's folder")
        if folder:
            self.workspace.open_project(folder)

    def _on_project(self) -> None:
        self._stack.setCurrentIndex(1)
        self.on_project()

    def finish(self) -> None:
        """To be called at the end of a dock's constructor: catch up with a project that is open already."""
        self._on_theme()
        if self.workspace.is_open:
            self._on_project()

    @property
    def light(self) -> bool:
        """Whether the window's ground is light."""
        ground = get_theme(self.workspace.viewer.theme).background.as_rgb_tuple(alpha=False)
        return sum(float(part) for part in ground) > 3 * 127

    def _on_theme(self, _event: Any = None) -> None:
        with contextlib.suppress(RuntimeError):  # the viewer outlives a dock that was closed
            follow_theme(self, self.light)
            self.on_theme()

    def on_theme(self) -> None:
        """The window's colors changed; for what a dock draws itself."""

    def on_project(self) -> None:
        """A project was opened: connect to its session and show it."""
        raise NotImplementedError


class Body(QWidget):
    """What a dock shows: in a scroll area as high as there is room, and high enough that nothing overlaps."""

    def heightForWidth(self, width: int) -> int:  # Qt's name
        """The least height at a width, where Qt's own answer would be the one that its parts like best."""
        layout = self.layout()
        return -1 if layout is None else layout.minimumHeightForWidth(width)


def _scrolled(body: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(body)
    return area
