"""A real napari window: docks in place, keys, several cases, and what closing leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_semimedref import app
from napari_semimedref.engine_client import EngineClient
from napari_semimedref.layout import lay_out
from napari_semimedref.run_monitor import RunMonitor
from napari_semimedref.viewer_bridge import MARKERS, MASK
from napari_semimedref.widgets.review import ReviewDock

pytestmark = pytest.mark.window

HERE = Path(__file__).parent
PATIENCE_MS = 30_000


@pytest.fixture
def desk(make_napari_viewer, qtbot, taught_project):
    viewer = make_napari_viewer(show=True)
    docks = app.open_window(viewer)
    space = docks.review.workspace
    space.open_project(taught_project.folder, "Ada")
    folder = space.session.project.folder
    service = [sys.executable, str(HERE / "small_service.py"), str(folder)]
    space.engine = EngineClient(service, folder / "service.log")
    space.monitor = RunMonitor(
        space.session.project, (sys.executable, str(HERE / "small_round.py"))
    )
    window = viewer.window._qt_window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE_MS)
    yield viewer, docks, space
    space.close_project()


def press(qtbot, viewer, key, modifier):
    canvas = viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus, timeout=PATIENCE_MS)
    qtbot.keyClick(canvas, key, modifier)


def test_a_reader_works_through_cases_with_keys_alone(qtbot, desk):
    viewer, _docks, space = desk
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    first = space.session.current.case.id
    press(qtbot, viewer, Qt.Key.Key_Return, control)
    assert space.session.project.case(first).pool == "labeled"
    second = space.session.current.case.id
    press(qtbot, viewer, Qt.Key.Key_Right, alt)
    assert space.session.project.case(second).skipped
    press(qtbot, viewer, Qt.Key.Key_Left, alt)
    assert space.session.current.case.id == second


def test_typing_in_the_words_accepts_nothing(qtbot, desk):
    _viewer, docks, space = desk
    before = space.session.current.case.id
    docks.description.edit.setFocus()
    qtbot.waitUntil(docks.description.edit.hasFocus, timeout=PATIENCE_MS)
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(docks.description.edit, Qt.Key.Key_Return, control)
    qtbot.keyClicks(docks.description.edit, "a1e2p")
    assert space.session.current.case.id == before
    assert space.session.project.case(before).pool == "unlabeled"


def test_undo_after_the_next_case_changes_nothing_of_it(qtbot, desk):
    viewer, _docks, space = desk
    layer = viewer.layers[MASK]
    layer.selected_label = 1
    layer.paint((3, 60), 1)
    space.skip()
    before = layer.data.copy()
    press(qtbot, viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(layer.data, before)
    assert np.array_equal(space.session.mask, before)


def test_the_patients_sides_are_drawn_on_the_canvas(desk):
    viewer, _docks, _space = desk
    drawn = viewer.window._qt_viewer.canvas._viewer_overlay_to_visual
    for name, text in zip(MARKERS, "RL", strict=True):
        overlay = viewer.canvas.overlays[name]
        assert overlay.text == text
        assert drawn[overlay]


def test_the_window_fits_a_small_screen(desk):
    viewer, _docks, _space = desk
    size = viewer.window._qt_window.minimumSizeHint()
    assert size.width() <= 1366
    assert size.height() <= 768


def test_docks_opened_one_by_one_share_one_workspace(make_napari_viewer):
    viewer = make_napari_viewer()
    first, second = ReviewDock(viewer), ReviewDock(viewer)
    assert first.workspace is second.workspace
    for dock in (first, second):
        dock.close()


def test_laying_out_twice_binds_the_keys_once(make_napari_viewer):
    from napari_semimedref.keys import Keys

    viewer = make_napari_viewer()
    lay_out(viewer)
    lay_out(viewer)
    assert len(viewer.window._qt_window.findChildren(Keys)) == 1


def test_closing_the_window_ends_the_service_and_not_the_round(qtbot, desk):
    viewer, docks, space = desk
    space.session.edit_description("words that were not saved yet")
    case, project = space.session.current.case.id, space.session.project
    docks.trainer.start.click()
    qtbot.waitUntil(lambda: bool(space.monitor.view.losses), timeout=PATIENCE_MS)
    space.engine.ask("reload")
    service = space.engine._process
    viewer.window._qt_window.hide()  # what closing does first
    assert service.poll() is not None
    assert project.draft(case, "Ada").description == "words that were not saved yet"
    again = RunMonitor(project)
    assert again.view.alive
    again.stop()
    qtbot.waitUntil(lambda: bool(again.poll() and not again.view.alive), timeout=PATIENCE_MS)
