"""The tour: it points at every dock in turn, ends by Finish, Skip or Esc, and is then remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

import napari_semimedref
from napari_semimedref import app, commands, tour
from napari_semimedref.layout import frame_of
from napari_semimedref.preferences import note_tour_shown, preferences
from napari_semimedref.tour import FILM, STOPS
from napari_semimedref.workspace import workspace_of

pytestmark = pytest.mark.window
MANIFEST = Path(napari_semimedref.__file__).with_name("napari.yaml")


@pytest.fixture
def viewer(make_napari_viewer, npe2pm, plugin_settings):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    shown = make_napari_viewer(show=True)
    window = shown.window._qt_window
    app.open_window(shown)
    window.resize(1366, 768)
    return shown


def press(led, words):
    """Press the button of the tour that says this."""
    (found,) = [b for b in led._tooltip.findChildren(QPushButton) if b.text() == words]
    found.click()


def at(qtbot, led, number):
    """Wait until the tour stands at a stop."""
    qtbot.waitUntil(lambda: led._tooltip._counter.text() == f"{number + 1}/{len(STOPS)}")
    return led._overlay._spotlight


def test_every_stop_points_at_its_dock_and_stands_inside_the_window(qtbot, viewer):
    window = viewer.window._qt_window
    led = tour.start(viewer)
    for number, stop in enumerate(STOPS):
        spot = at(qtbot, led, number)
        target = (
            window._qt_viewer.canvas.native if stop.where == FILM else frame_of(window, stop.where)
        )
        assert not target.visibleRegion().isEmpty()
        assert spot.size() == target.size()
        assert window.rect().contains(spot.intersected(window.rect()))
        assert window.rect().contains(led._tooltip.geometry())
        if number < len(STOPS) - 1:
            press(led, "Next")
    assert not preferences().tour_shown
    press(led, "Finish")
    assert preferences().tour_shown


def test_the_way_back_is_open(qtbot, viewer):
    led = tour.start(viewer)
    at(qtbot, led, 0)
    press(led, "Next")
    at(qtbot, led, 1)
    press(led, "Previous")
    at(qtbot, led, 0)
    led.close_tour()


def test_esc_and_skip_end_it_for_good(qtbot, viewer):
    led = tour.start(viewer)
    at(qtbot, led, 0)
    qtbot.keyClick(viewer.window._qt_window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: preferences().tour_shown)
    note_tour_shown(False)
    led = tour.start(viewer)
    at(qtbot, led, 0)
    press(led, "(Esc) Skip")
    assert preferences().tour_shown


def test_the_command_starts_it_anew_and_never_twice_at_once(qtbot, viewer):
    note_tour_shown()
    commands.start_tour()
    commands.start_tour()
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: len(window.findChildren(tour.Tour)) == 1)
    window.findChildren(tour.Tour)[0].close_tour()


@pytest.mark.parametrize("shown", [False, True])
def test_the_demo_begins_with_it_until_it_was_shown(
    qtbot, viewer, taught_project, monkeypatch, shown
):
    started = []
    monkeypatch.setattr(app, "TOUR_MS", 0)
    monkeypatch.setattr(tour, "start", started.append)
    note_tour_shown(shown)
    space = workspace_of(viewer)
    app.begin_demo(viewer, space, taught_project.folder, "Ada")
    qtbot.wait(50)
    assert started == ([] if shown else [viewer])
    space.close_project()


def test_each_stop_is_said_in_one_or_two_sentences():
    assert 5 <= len(STOPS) <= 7
    for stop in STOPS:
        assert 1 <= stop.body.count(". ") + 1 <= 2
        assert len(stop.body) <= 140
