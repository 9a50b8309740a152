"""Lays the docks out in a napari window and binds the reader's keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from napari_semimedref import keys
from napari_semimedref.keys import Keys
from napari_semimedref.widgets.description import DescriptionDock
from napari_semimedref.widgets.explain import ExplainDock
from napari_semimedref.widgets.queue import QueueDock
from napari_semimedref.widgets.review import ReviewDock
from napari_semimedref.widgets.trainer import TrainerDock
from napari_semimedref.widgets.views import ViewsDock
from napari_semimedref.workspace import Workspace, workspace_of

RIGHT_WIDTH = 366
LEFT_WIDTH = 250
SMALL_SCREEN = 1440


@dataclass(frozen=True)
class Docks:
    """The docks of one window, and the frames napari put around them."""

    description: DescriptionDock
    review: ReviewDock
    trainer: TrainerDock
    views: ViewsDock
    explain: ExplainDock
    queue: QueueDock
    frames: dict[str, QDockWidget]


def lay_out(viewer: Any) -> Docks:
    """Add all docks: tabs at the right (words, trainer, views, explanations) over the review, the queue left."""
    docks: dict[str, Any] = {
        "description": DescriptionDock(viewer),
        "review": ReviewDock(viewer),
        "trainer": TrainerDock(viewer),
        "views": ViewsDock(viewer),
        "explain": ExplainDock(viewer),
        "queue": QueueDock(viewer),
    }
    places = {
        "description": ("Description", "right"),
        "review": ("Review", "right"),
        "trainer": ("Trainer", "right"),
        "views": ("Views", "right"),
        "explain": ("Explain", "right"),
        "queue": ("Queue", "left"),
    }
    frames = {
        name: viewer.window.add_dock_widget(docks[name], name=title, area=area)
        for name, (title, area) in places.items()
    }
    arrange(viewer, frames)
    bind_keys(viewer)
    return Docks(**docks, frames=frames)


def bind_keys(viewer: Any) -> Keys:
    """Bind the reader's keys to the window, once."""
    window = viewer.window._qt_window
    found = window.findChild(Keys)
    if found is not None:
        return found
    space: Workspace = workspace_of(viewer)
    bound = Keys(window)
    bound.bind(keys.ACCEPT, space.accept)
    bound.bind(keys.SKIP, space.skip)
    bound.bind(keys.PREVIOUS, space.previous)
    bound.bind(keys.RESET, space.reset)
    return bound


def arrange(viewer: Any, frames: dict[str, QDockWidget]) -> None:
    """Put the docks in their places; all of it is readable on a screen of 1366 x 768."""
    window = viewer.window._qt_window
    # Splitting comes before tabs: a split of a tabbed dock only adds another tab.
    window.splitDockWidget(frames["description"], frames["review"], Qt.Orientation.Vertical)
    for name in ("trainer", "views", "explain"):
        window.tabifyDockWidget(frames["description"], frames[name])
    layer_list = getattr(window._qt_viewer, "dockLayerList", None)
    if layer_list is not None:
        window.tabifyDockWidget(layer_list, frames["queue"])
    for name in ("description", "queue"):
        frames[name].raise_()


def resize_docks(viewer: Any, frames: dict[str, QDockWidget]) -> None:
    """Share the window's room; Qt heeds this only once the window is shown."""
    window = viewer.window._qt_window
    screen = window.screen().availableGeometry()
    if screen.width() <= SMALL_SCREEN:
        window.setGeometry(screen)
    horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    sides = [frames["queue"], frames["description"]]
    window.resizeDocks(sides, [LEFT_WIDTH, RIGHT_WIDTH], horizontal)
    window.resizeDocks([frames["description"], frames["review"]], [480, 200], vertical)
