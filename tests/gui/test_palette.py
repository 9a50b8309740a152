"""The commands of the palette: they are there, they work on the current window, and without a project they say so."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import napari
import pytest
from docking import use_small_processes
from napari._app_model import get_app_model
from npe2 import PluginManifest

import napari_semimedref
from napari_semimedref import commands, layout
from napari_semimedref.layout import PLACES, frame_of
from napari_semimedref.workspace import workspace_of

pytestmark = pytest.mark.window
MANIFEST = Path(napari_semimedref.__file__).with_name("napari.yaml")
NEED_PROJECT = [
    "accept",
    "skip",
    "next_case",
    "previous_case",
    "reset_mask",
    "adjudicate",
    "start_round",
    "resume_round",
    "pause_round",
    "continue_round",
    "stop_round",
    "export_project",
]


@pytest.fixture
def told(monkeypatch):
    heard = []
    for module in ("commands", "asking", "waiting"):
        monkeypatch.setattr(f"napari_semimedref.{module}.show_warning", heard.append)
    monkeypatch.setattr("napari_semimedref.commands.show_info", heard.append)
    return heard


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def space(viewer, taught_project):
    found = workspace_of(viewer)
    found.open_project(taught_project.folder, "Ada")
    use_small_processes(found)
    yield found
    found.close_project()


def test_every_action_is_in_naparis_palette(make_napari_viewer, npe2pm):
    make_napari_viewer()
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    actions = dict(get_app_model().commands)
    for name in (*NEED_PROJECT, "open_project", "import_cases", "show_docks", "start_tour"):
        found = actions[f"napari-semimedref.{name}"]
        assert "SemiMedRef review" in found.title
        assert found.run_injected is not None


def test_titles_differ_so_that_they_can_be_told_apart():
    manifest = PluginManifest.from_file(MANIFEST)
    titles = [command.title for command in manifest.contributions.commands]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", NEED_PROJECT)
def test_without_a_project_a_command_says_so_in_one_sentence(viewer, told, name):
    getattr(commands, name)()
    assert told == [commands.NO_PROJECT]


def test_without_a_window_a_command_says_so(told, monkeypatch):
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    for name in (*NEED_PROJECT, "show_docks", "open_project", "import_cases", "start_tour"):
        getattr(commands, name)()
    assert set(told) == {commands.NO_WINDOW}


def test_the_commands_of_the_review_do_what_the_keys_do(space, told):
    first = space.session.case_id
    commands.next_case()
    second = space.session.case_id
    commands.previous_case()
    assert (first, second != first) == (space.session.case_id, True)
    commands.accept()
    assert space.session.project.case(first).pool == "labeled"
    here = space.session.case_id
    commands.skip()
    assert space.session.project.case(here).skipped
    assert told == []


def test_with_an_empty_desk_accepting_says_what_to_do(space, told):
    space.session.desk.set_queue([])
    space.session.desk.next()
    commands.accept()
    assert told == [commands.NO_CASE]


def test_a_round_is_started_and_stopped_and_what_is_impossible_is_said(qtbot, space, told):
    commands.stop_round()
    commands.resume_round()
    assert told == [commands.NO_ROUND, commands.NOT_LEFT]
    commands.start_round()
    assert space.monitor.view.alive
    qtbot.waitUntil(lambda: bool(space.monitor.view.losses), timeout=30_000)
    commands.stop_round()
    qtbot.waitUntil(lambda: not space.monitor.view.alive, timeout=30_000)
    assert len(told) == 2


def test_a_folder_that_is_chosen_is_opened_with_all_docks(
    viewer, taught_project, told, monkeypatch
):
    folder = str(taught_project.folder)
    monkeypatch.setattr(commands.QFileDialog, "getExistingDirectory", lambda *_arguments: folder)
    commands.open_project()
    space = workspace_of(viewer)
    assert space.session.project.folder == taught_project.folder
    assert all(frame_of(viewer.window._qt_window, name) for name in PLACES)
    space.close_project()


def test_showing_the_docks_adds_only_those_that_are_missing(viewer):
    commands.show_docks()
    window = viewer.window._qt_window
    kinds = [place.kind for place in PLACES.values()]
    viewer.window.remove_dock_widget(window.findChildren(PLACES["views"].kind)[0])
    commands.show_docks()
    assert [len(window.findChildren(kind)) for kind in kinds] == [1] * len(kinds)
    assert layout.frame_of(window, layout.ADJUDICATE) is None


def test_accepted_masks_are_exported_beside_the_window(qtbot, space, told, tmp_path):
    waiting = commands.export_to(space, "masks", tmp_path / "out")
    with qtbot.waitSignal(waiting.destroyed, timeout=30_000):
        pass
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 4
    assert told == [f"4 cases written to {tmp_path / 'out'}."]


def test_an_export_to_a_folder_that_is_taken_is_refused_with_a_sentence(
    qtbot, space, told, tmp_path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    waiting = commands.export_to(space, "masks", tmp_path / "out")
    with qtbot.waitSignal(waiting.destroyed, timeout=30_000):
        pass
    assert len(told) == 1
    assert "empty" in told[0]


def test_no_command_needs_an_argument():
    manifest = PluginManifest.from_file(MANIFEST)
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        if module.endswith(".commands"):
            assert not getattr(import_module(module), name).__code__.co_argcount
