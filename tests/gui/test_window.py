"""A real napari window: docks in place, keys, several cases, and what closing leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_semimedref import app
from napari_semimedref.engine_client import EngineClient
from napari_semimedref.fixed_layers import MASK
from napari_semimedref.layout import RIGHT_WIDTH, lay_out
from napari_semimedref.run_monitor import RunMonitor
from napari_semimedref.sides import MARKERS
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


def test_undo_and_redo_have_their_keys_and_come_back_with_the_case(qtbot, desk):
    viewer, _docks, space = desk
    layer, first = viewer.layers[MASK], space.session.case_id
    before = layer.data.copy()
    layer.paint((3, 60), 1)
    painted = layer.data.copy()
    space.skip()
    press(qtbot, viewer, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert space.session.case_id == first
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    press(qtbot, viewer, Qt.Key.Key_Z, control)
    assert np.array_equal(layer.data, before)
    press(qtbot, viewer, Qt.Key.Key_Z, control | shift)
    assert np.array_equal(layer.data, painted)


def mouse(viewer, kind, point, *, down):
    """Send a mouse event at a place ``(row, column)`` of the film."""
    canvas = viewer.window._qt_viewer.canvas.native
    camera = viewer.scene.camera
    center = np.array([canvas.width(), canvas.height()]) / 2
    place = QPointF(*(center + (np.array(point) - camera.center[-2:])[::-1] * camera.zoom))
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    state = left if down else none
    event = QMouseEvent(
        kind, place, canvas.mapToGlobal(place), button, state, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(canvas, event)


def drag(qtbot, viewer, points):
    mouse(viewer, QEvent.Type.MouseMove, points[0], down=False)
    mouse(viewer, QEvent.Type.MouseButtonPress, points[0], down=True)
    for point in points:
        mouse(viewer, QEvent.Type.MouseMove, point, down=True)
        qtbot.wait(25)  # the canvas heeds a few moves a second, and not at once
    mouse(viewer, QEvent.Type.MouseButtonRelease, points[-1], down=False)


CIRCLE = [
    (32 + 14 * np.sin(angle), 40 + 14 * np.cos(angle)) for angle in np.linspace(0, 2 * np.pi, 24)
]


def test_a_brush_stroke_of_the_mouse_is_one_step_of_undo(qtbot, desk):
    viewer, _docks, space = desk
    layer = viewer.layers[MASK]
    before = layer.data.copy()
    press(qtbot, viewer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    drag(qtbot, viewer, [(10, column) for column in range(20, 45, 4)])
    assert layer.data[10, 20:44].all()
    assert space.editing.to_undo == "stroke"
    space.editing.undo()
    assert np.array_equal(layer.data, before)
    assert space.editing.to_undo == ""


def test_a_lasso_of_the_mouse_adds_what_it_surrounds(qtbot, desk):
    viewer, _docks, space = desk
    before = space.session.mask
    press(qtbot, viewer, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    drag(qtbot, viewer, CIRCLE)
    mask = space.session.mask
    assert mask[32, 28:52].all()
    assert np.array_equal(mask[:, :20], before[:, :20])
    assert np.array_equal(viewer.layers[MASK].data, mask)
    press(qtbot, viewer, Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier)
    drag(qtbot, viewer, CIRCLE)
    assert not space.session.mask[32, 28:52].any()


def test_a_click_with_the_region_tool_takes_the_region_out_and_in(qtbot, desk):
    viewer, _docks, space = desk
    mask = space.session.mask
    inside = tuple(np.argwhere(mask).mean(axis=0))
    press(qtbot, viewer, Qt.Key.Key_8, Qt.KeyboardModifier.AltModifier)
    for expected in (0, 1):
        mouse(viewer, QEvent.Type.MouseMove, inside, down=False)
        mouse(viewer, QEvent.Type.MouseButtonPress, inside, down=True)
        mouse(viewer, QEvent.Type.MouseButtonRelease, inside, down=False)
        assert space.session.mask[round(inside[0]), round(inside[1])] == expected


def test_the_mask_dock_fits_a_small_screen_without_scrolling(qtbot, desk):
    _viewer, docks, _space = desk
    area = docks.editing.findChild(QScrollArea)
    area.resize(250, 330)
    assert docks.editing.body.minimumSizeHint().height() <= 330
    assert docks.editing.body.minimumSizeHint().width() <= 250


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


@pytest.mark.parametrize("tab", app.TABS)
def test_no_tab_makes_the_window_outgrow_a_small_screen(desk, qtbot, tab):
    viewer, docks, _space = desk
    frame = docks.frames[tab]
    frame.raise_()
    qtbot.waitUntil(frame.widget().isVisible)
    size = viewer.window._qt_window.minimumSizeHint()
    assert size.height() <= 768
    assert frame.widget().minimumSizeHint().width() <= RIGHT_WIDTH


def test_the_pictures_of_views_lie_below_each_other_with_their_captions(desk, qtbot):
    _viewer, docks, _space = desk
    docks.frames["views"].raise_()
    views = docks.views
    views.gate.setText("Many words about a patch that was refused. " * 6)
    qtbot.waitUntil(views.isVisible)
    pictures = list(views.pictures.values())

    def apart():
        pairs = zip(pictures, pictures[2:], strict=False)
        below = all(two.geometry().top() > one.geometry().bottom() for one, two in pairs)
        return below and views.gate.geometry().top() > pictures[-1].geometry().bottom()

    qtbot.waitUntil(apart)
    assert all(each.height() >= each.minimumHeight() for each in pictures)


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
