"""The tour of the window: a few short steps, each pointing at its dock. napari's guided tour draws and leads them. No
layers, no project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Not public yet; docs/decisions says why it is used all the same.
from napari._qt.widgets.qt_viewer_tour import GuidedTour, TourAnchor, TourStep
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_semimedref import keys
from napari_semimedref.layout import frame_of
from napari_semimedref.preferences import note_tour_shown

FILM = "film"


@dataclass(frozen=True)
class Stop:
    """One step: the dock it points at (or the film), and what it says."""

    where: str
    title: str
    body: str
    anchor: TourAnchor


STOPS = (
    Stop(
        "queue",
        "The queue",
        "Cases wait here, each with the reason for its place. A click opens one; “Filters” lists others.",
        TourAnchor.RIGHT,
    ),
    Stop(
        FILM,
        "The film",
        "Cyan is what the teacher proposes, orange is your mask. R and L are the patient's sides.",
        TourAnchor.CENTER,
    ),
    Stop(
        "description",
        "The words",
        "Edit them, and the proposal follows. What they mean and what is doubtful about them stands below.",
        TourAnchor.LEFT,
    ),
    Stop(
        "editing",
        "The mask",
        f"Brush, lasso and smart fill correct it; {keys.UNDO} takes any change back, even after the case was left.",
        TourAnchor.RIGHT,
    ),
    Stop(
        "review",
        "The decision",
        f"{keys.ACCEPT} accepts mask and words and opens the next case. {keys.SKIP} skips one, with a reason.",
        TourAnchor.LEFT,
    ),
    Stop(
        "trainer",
        "The rounds",
        "A round trains on what is accepted, in a process of its own. Only a teacher that is no worse replaces the "
        "old one.",
        TourAnchor.LEFT,
    ),
    Stop(
        "views",
        "A look inside",
        "Views shows what the trainer makes of a film and its words; Explain, why the teacher proposes what it does.",
        TourAnchor.LEFT,
    ),
)


class Tour(GuidedTour):
    """napari's guided tour, which stays above what it points at: a dock brought up would come to lie over it."""

    def _show_step(self, index: int) -> None:
        super()._show_step(index)
        if self._active:
            self._overlay.raise_()
            self._tooltip.raise_()


def start(viewer: Any) -> Tour:
    """Begin the tour in a window whose docks are laid out; one that is going on ends."""
    window = viewer.window._qt_window
    for before in window.findChildren(Tour):
        before.close_tour()
    tour = Tour([_step(window, stop) for stop in STOPS], window)
    tour.finished.connect(note_tour_shown)
    tour.start()
    return tour


def _step(window: Any, stop: Stop) -> TourStep:
    def target() -> QWidget | None:
        if stop.where == FILM:
            canvas: QWidget = window._qt_viewer.canvas.native
            return canvas
        frame: QWidget | None = frame_of(window, stop.where)
        return frame

    return TourStep(target, stop.title, stop.body, stop.anchor, ensure_visible=_brought_up(target))


def _brought_up(target: Callable[[], QWidget | None]) -> Callable[[], bool]:
    """Bring a dock to the front; True once, so that the tour waits until the docks have settled."""
    asked = False

    def bring() -> bool:
        nonlocal asked
        frame = target()
        hidden = isinstance(frame, QDockWidget) and frame.visibleRegion().isEmpty()
        asked = hidden and not asked
        if asked and isinstance(frame, QDockWidget):
            frame.show()
            frame.raise_()
        return asked

    return bring
