"""The commands of napari's command palette. Each works on the current window; one that needs an open project, or a
case on the desk, says so in a sentence where there is none. What they do is the workspace's matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_info, show_warning
from qtpy.QtWidgets import QFileDialog, QInputDialog, QWidget

from napari_semimedref import layout
from napari_semimedref.waiting import Waiting
from napari_semimedref.widgets.import_dialog import open_import
from napari_semimedref.workspace import Workspace, workspace_of
from training.errors import PoolError
from training.exports import EXPORTS, Exported, export
from training.pool import Project

NO_WINDOW = "There is no napari window: open one first."
NO_PROJECT = "No project is open: choose “Open project” or “Import cases” first."
NO_CASE = "No case is on the desk: choose one in the queue first."
NO_ROUND = "No round is under way: there is nothing to stop or to pause."
NOT_PAUSED = "No round is paused: there is nothing to continue."
NOT_LEFT = "No round was left before its end: start a new one."


# -- docks and projects ----------------------------------------------------------------------------


def show_docks() -> None:
    """Show all docks of the review."""
    viewer = _viewer()
    if viewer is not None:
        layout.show_docks(viewer)


def open_project() -> None:
    """Ask for a project's folder, open it and show the docks."""
    viewer = _viewer()
    if viewer is None:
        return
    folder = QFileDialog.getExistingDirectory(_window(viewer), "Open a project's folder")
    if folder:
        layout.show_docks(viewer)
        workspace_of(viewer).open_project(folder)


def open_demo() -> None:
    """Open the demo project, drawing its films first if they are missing, and start its first round."""
    from napari_semimedref.app import begin_demo, demo_project

    viewer = _viewer()
    if viewer is None:
        return
    space = workspace_of(viewer)

    def begin(folder: Path) -> None:
        layout.show_docks(viewer)
        with space.attempt():
            begin_demo(viewer, space, folder)

    Waiting("Drawing the demo's films", lambda _tell: demo_project(), begin, space)


def import_cases() -> None:
    """Show the import dialog."""
    viewer = _viewer()
    if viewer is not None:
        open_import(workspace_of(viewer), _window(viewer))


def export_project() -> None:
    """Ask for a format and an empty folder, and export what is accepted."""
    space = _open()
    if space is None:
        return
    window = _window(space.viewer)
    name, chosen = QInputDialog.getItem(window, "Export", "Format", list(EXPORTS), 0, False)
    if chosen:
        folder = QFileDialog.getExistingDirectory(window, "Choose a new or empty folder")
        if folder:
            export_to(space, name, Path(folder))


def export_to(space: Workspace, name: str, folder: Path) -> Waiting:
    """Export the open project beside the window."""
    source = space.session.project.folder

    def act(_tell: Any) -> Exported:
        project = Project.open(source)  # a thread needs a connection of its own
        try:
            return export(name, project, folder)
        finally:
            project.close()

    return Waiting("Exporting", act, _say_exported, space)


def _say_exported(done: Exported) -> None:
    show_info(done.sentence())
    if done.left_out:
        show_warning(done.left_out[0][1])


# -- the case on the desk --------------------------------------------------------------------------


def accept() -> None:
    """Accept the draft and go on."""
    space = _with_case()
    if space is not None:
        space.accept()


def skip() -> None:
    """Skip the case and go on."""
    space = _with_case()
    if space is not None:
        space.skip()


def next_case() -> None:
    """Open the next case of the queue; the one on the desk keeps its draft."""
    space = _open()
    if space is not None:
        with space.attempt():
            space.session.next()


def previous_case() -> None:
    """Go back one case."""
    space = _open()
    if space is not None:
        space.previous()


def reset_mask() -> None:
    """Make the mask the proposal again."""
    space = _with_case()
    if space is not None:
        space.editing.reset()


def adjudicate() -> None:
    """Show where readers disagree."""
    space = _open()
    if space is not None:
        layout.show_adjudication(space.viewer)
        space.adjudicating.next()


# -- rounds ----------------------------------------------------------------------------------------


def start_round() -> None:
    """Start a round."""
    space = _open()
    if space is not None:
        labeled = space.session.counts["labeled"]
        _round(space, space.monitor.start, space.starting.why_not(space.monitor.view, labeled))


def resume_round() -> None:
    """Go on with the round that was left."""
    space = _open()
    if space is not None:
        _round(space, space.monitor.resume, "" if space.monitor.view.resumable else NOT_LEFT)


def pause_round() -> None:
    """Let the round wait after its current step."""
    space = _open()
    if space is not None:
        _round(space, space.monitor.pause, "" if space.monitor.view.alive else NO_ROUND)


def continue_round() -> None:
    """Let the paused round go on."""
    space = _open()
    if space is not None:
        _round(space, space.monitor.go_on, "" if space.monitor.view.paused else NOT_PAUSED)


def stop_round() -> None:
    """Stop the round after its current step."""
    space = _open()
    if space is not None:
        _round(space, space.monitor.stop, "" if space.monitor.view.alive else NO_ROUND)


def _round(space: Workspace, act: Any, refusal: str = "") -> None:
    with space.attempt():
        if refusal:
            raise PoolError(refusal)
        act()
        space.round_changed.emit(space.monitor.view)


# -- the tour --------------------------------------------------------------------------------------


def start_tour() -> None:
    """Show the docks and go through them."""
    from napari_semimedref import tour

    viewer = _viewer()
    if viewer is not None:
        layout.show_docks(viewer)
        tour.start(viewer)


# -- inside ----------------------------------------------------------------------------------------


def _viewer() -> Any:
    viewer = napari.current_viewer()
    if viewer is None:
        show_warning(NO_WINDOW)
    return viewer


def _window(viewer: Any) -> QWidget:
    window: QWidget = viewer.window._qt_window
    return window


def _open() -> Workspace | None:
    viewer = _viewer()
    if viewer is None:
        return None
    space = workspace_of(viewer)
    if not space.is_open:
        show_warning(NO_PROJECT)
        return None
    return space


def _with_case() -> Workspace | None:
    space = _open()
    if space is not None and not space.has_case:
        show_warning(NO_CASE)
        return None
    return space
