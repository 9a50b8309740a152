"""Preferences that napari keeps: their defaults, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari.components import ViewerModel
from napari.settings import get_plugin_settings
from npe2 import PluginManifest

import napari_semimedref
from napari_semimedref import preferences as module
from napari_semimedref.fixed_layers import MASK
from napari_semimedref.preferences import PLUGIN, Preferences, note_tour_shown, preferences
from napari_semimedref.workspace import Workspace
from training.active_time import IDLE_SECONDS, ActiveTime

MANIFEST = Path(napari_semimedref.__file__).with_name("napari.yaml")


@pytest.fixture
def kept(npe2pm, plugin_settings):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    return get_plugin_settings(PLUGIN)


@pytest.fixture
def opened(qtbot, taught_project, monkeypatch):
    def open_with(wanted):
        monkeypatch.setattr("napari_semimedref.workspace.preferences", lambda: wanted)
        space = Workspace(ViewerModel())
        made.append(space)
        assert space.open_project(taught_project.folder)
        return space

    made = []
    yield open_with
    for space in made:
        space.close_project()


def test_the_manifests_defaults_are_the_programs(kept, monkeypatch):
    monkeypatch.setattr(module.getpass, "getuser", lambda: "reader")
    assert preferences() == Preferences()
    assert preferences().idle_seconds == IDLE_SECONDS


def test_without_the_manifest_the_defaults_hold(plugin_settings, monkeypatch):
    monkeypatch.setattr(module.getpass, "getuser", lambda: "reader")
    assert preferences() == Preferences()
    note_tour_shown()  # and nothing fails


def test_what_is_chosen_in_napari_is_what_holds(kept):
    kept.reading.reader = " Ada "
    kept.mask.look = "contour"
    kept.mask.brush_size = 7
    kept.service.threads = 3
    found = preferences()
    assert (found.reader, found.mask_outlined) == ("Ada", True)
    assert (found.brush_size, found.threads) == (7, 3)


def test_the_tour_that_was_shown_is_remembered_on_disk(kept):
    note_tour_shown()
    assert preferences().tour_shown
    assert "shown: true" in kept.config_path.read_text()


def test_impossible_values_are_refused(kept):
    with pytest.raises(ValueError, match="threads"):
        kept.service.threads = 0


def test_a_project_opens_under_the_preferred_name_and_idle_limit(opened):
    space = opened(Preferences(reader="Ada", idle_seconds=99.0, threads=2))
    assert space.session.desk.reader == "Ada"
    assert space.session.desk.idle_seconds == 99.0
    assert space.engine._command[-2:] == ["--threads", "2"]


def test_brush_and_contour_begin_as_preferred_and_are_then_the_readers(opened):
    space = opened(Preferences(brush_size=9, mask_outlined=True))
    layer = space.viewer.layers[MASK]
    assert space.bridge.brush_size == 9
    assert layer.contour > 0
    space.bridge.brush_size = 4
    space.looking.turn_contour(MASK)
    space.skip()
    assert space.bridge.brush_size == 4
    assert layer.contour == 0


def test_pauses_count_up_to_the_limit():
    times = iter([0.0, 50.0, 250.0])
    active = ActiveTime(lambda: next(times), idle_seconds=100.0)
    active.touch()
    active.touch()
    assert active.seconds == 150.0
