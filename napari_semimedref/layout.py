"""Lays the docks out in a napari window and binds the reader's keys. What the docks show and do is their own matter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_semimedref import keys
from napari_semimedref.fixed_layers import MASK, PROPOSAL
from napari_semimedref.keys import Keys
from napari_semimedref.tools import TOOLS
from napari_semimedref.widgets.adjudication import AdjudicationDock
from napari_semimedref.widgets.description import DescriptionDock
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.editing import EditingDock
from napari_semimedref.widgets.explain import ExplainDock
from napari_semimedref.widgets.models import ModelsDock
from napari_semimedref.widgets.progress import ProgressDock
from napari_semimedref.widgets.queue import QueueDock
from napari_semimedref.widgets.review import ReviewDock
from napari_semimedref.widgets.trainer import TrainerDock
from napari_semimedref.widgets.views import ViewsDock
from napari_semimedref.workspace import Workspace, workspace_of

RIGHT_WIDTH = 380  # the names of six tabs fit
LEFT_WIDTH = 250
SMALL_SCREEN = 1440
ADJUDICATE = "adjudication"


class Place(NamedTuple):
    """A dock, its title, and the side of the window where it stands."""

    kind: type[Dock]
    title: str
    area: str


PLACES = {
    "description": Place(DescriptionDock, "Description", "right"),
    "review": Place(ReviewDock, "Review", "right"),
    "trainer": Place(TrainerDock, "Trainer", "right"),
    "models": Place(ModelsDock, "Models", "right"),
    "views": Place(ViewsDock, "Views", "right"),
    "explain": Place(ExplainDock, "Explain", "right"),
    "progress": Place(ProgressDock, "Progress", "right"),
    "queue": Place(QueueDock, "Queue", "left"),
    "editing": Place(EditingDock, "Mask", "left"),
}
ADJUDICATION = Place(AdjudicationDock, "Adjudicate", "right")


@dataclass(frozen=True)
class Docks:
    """The docks of one window, and the frames napari put around them."""

    description: DescriptionDock
    review: ReviewDock
    trainer: TrainerDock
    models: ModelsDock
    views: ViewsDock
    explain: ExplainDock
    progress: ProgressDock
    queue: QueueDock
    editing: EditingDock
    frames: dict[str, QDockWidget]


def lay_out(viewer: Any) -> Docks:
    """Add all docks: tabs at the right, words in front, over the review; the queue and the mask's tools left."""
    docks: dict[str, Any] = {name: place.kind(viewer) for name, place in PLACES.items()}
    frames = {name: _add(viewer, name, docks[name]) for name in PLACES}
    arrange(viewer, frames)
    bind_keys(viewer)
    offer_adjudication(viewer)
    return Docks(**docks, frames=frames)


def show_docks(viewer: Any) -> None:
    """Show all docks; those that were closed, or never there, are added."""
    window = viewer.window._qt_window
    frames = {name: frame_of(window, name) for name in PLACES}
    missing = [name for name, frame in frames.items() if frame is None]
    if len(missing) == len(PLACES):
        resize_docks(viewer, lay_out(viewer).frames)
        return
    for name in missing:
        frames[name] = _add(viewer, name, PLACES[name].kind(viewer))
    if missing:
        arrange(viewer, frames)
        bind_keys(viewer)
        offer_adjudication(viewer)
    for frame in frames.values():
        frame.show()


def frame_of(window: Any, name: str) -> Any:
    """The frame that napari put around a dock; None if the dock is not there."""
    place = ADJUDICATION if name == ADJUDICATE else PLACES[name]
    for dock in window.findChildren(place.kind):
        frame = dock.parentWidget()
        while frame is not None and not isinstance(frame, QDockWidget):
            frame = frame.parentWidget()
        if frame is not None:
            return frame
    return None


def show_adjudication(viewer: Any) -> None:
    """Bring the adjudication dock to the front; it has no place before readers disagree."""
    window = viewer.window._qt_window
    frame = frame_of(window, ADJUDICATE)
    if frame is None:
        frame = _add(viewer, ADJUDICATE, AdjudicationDock(viewer))
        words = frame_of(window, "description")
        if words is not None:
            window.tabifyDockWidget(words, frame)
    frame.show()
    frame.raise_()


def offer_adjudication(viewer: Any) -> None:
    """Show the adjudication dock whenever a case is opened about which readers disagree."""
    space = workspace_of(viewer)
    if not space.offers_adjudication:
        space.offers_adjudication = True
        space.adjudicating.changed.connect(
            lambda: show_adjudication(viewer) if space.adjudicating.pair else None
        )


def _add(viewer: Any, name: str, dock: QWidget) -> QDockWidget:
    place = ADJUDICATION if name == ADJUDICATE else PLACES[name]
    frame: QDockWidget = viewer.window.add_dock_widget(dock, name=place.title, area=place.area)
    return frame


def bind_keys(viewer: Any) -> Keys:
    """Bind the reader's keys to the window, once."""
    window = viewer.window._qt_window
    found: Keys | None = window.findChild(Keys)
    if found is not None:
        return found
    space: Workspace = workspace_of(viewer)
    bound = Keys(window)
    bound.bind(keys.ACCEPT, space.accept)
    bound.bind(keys.SKIP, space.skip)
    bound.bind(keys.PREVIOUS, space.previous)
    bound.bind(keys.RESET, space.editing.reset)
    bind_editing_keys(bound, space)
    return bound


def bind_editing_keys(bound: Keys, space: Workspace) -> None:
    """Bind the keys of the mask's tools and views."""
    hands, eyes = space.editing, space.looking
    for tool in TOOLS:
        bound.bind(tool.key, partial(hands.take, tool))
    for key, act in (
        (keys.UNDO, hands.undo),
        (keys.REDO, hands.redo),
        (keys.ISLANDS, hands.remove_islands),
        (keys.HOLES, hands.fill_holes),
        (keys.SMOOTH, hands.smooth),
        (keys.ZONES, hands.keep_zones),
        (keys.TAKE_REGION, hands.take_region),
        (keys.DROP_REGION, hands.drop_region),
        (keys.UNCERTAIN, eyes.next_uncertain),
        (keys.WHOLE_FILM, eyes.look_at_all),
        (keys.OVERLAY, eyes.choose_next),
        (keys.PROPOSAL_CONTOUR, partial(eyes.turn_contour, PROPOSAL)),
        (keys.MASK_CONTOUR, partial(eyes.turn_contour, MASK)),
    ):
        bound.bind(key, act)


def arrange(viewer: Any, frames: dict[str, QDockWidget]) -> None:
    """Put the docks in their places; all of it is readable on a screen of 1366 x 768."""
    window = viewer.window._qt_window
    # Splitting comes before tabs: a split of a tabbed dock only adds another tab.
    window.splitDockWidget(frames["description"], frames["review"], Qt.Orientation.Vertical)
    for name in ("trainer", "models", "views", "explain", "progress"):
        window.tabifyDockWidget(frames["description"], frames[name])
    layer_list = getattr(window._qt_viewer, "dockLayerList", None)
    if layer_list is not None:
        window.tabifyDockWidget(layer_list, frames["queue"])
    layer_controls = getattr(window._qt_viewer, "dockLayerControls", None)
    if layer_controls is not None:
        window.tabifyDockWidget(layer_controls, frames["editing"])
    for name in ("description", "queue", "editing"):
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
