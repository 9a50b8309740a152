"""napari asks before it closes a window in which a round or an import goes on."""

from __future__ import annotations

import pytest
from docking import use_small_processes
from napari._qt import qt_main_window
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QDialog

from napari_semimedref.workspace import workspace_of

pytestmark = pytest.mark.window


@pytest.fixture
def window(make_napari_viewer, qtbot, taught_project):
    viewer = make_napari_viewer()
    space = workspace_of(viewer)
    space.open_project(taught_project.folder, "Ada")
    use_small_processes(space)
    yield viewer.window, space
    space.monitor.stop()
    qtbot.waitUntil(
        lambda: bool(space.monitor.poll()) or not space.monitor.view.alive, timeout=30_000
    )
    space.close_project()


class FromTheFrame(QCloseEvent):
    """As it comes from the window's own frame."""

    def spontaneous(self):
        return True


def close(window, monkeypatch, answer):
    """Press the frame's cross; returns what was asked, and whether the window would close."""
    asked = []

    class Question:
        def __init__(self, _parent, **words):
            asked.append(words.get("extra_info", ""))

        def exec_(self):
            return answer

    monkeypatch.setattr(qt_main_window, "ConfirmCloseDialog", Question)
    event = FromTheFrame()
    window._qt_window.closeEvent(event)
    return asked, event.isAccepted()


def test_a_round_that_runs_is_asked_about_and_no_means_that_the_window_stays(
    qtbot, window, monkeypatch
):
    shown, space = window
    space.monitor.start()
    space.round_changed.emit(space.monitor.view)
    qtbot.waitUntil(lambda: bool(space.monitor.view.losses), timeout=30_000)
    asked, closes = close(shown, monkeypatch, QDialog.DialogCode.Rejected)
    assert not closes
    assert len(asked) == 1
    assert asked[0].startswith("napari-semimedref: Round 2 is under way.")
    assert "goes on when the window closes" in asked[0]
    space.monitor.stop()
    qtbot.waitUntil(lambda: not space.monitor.view.alive, timeout=30_000)
    qtbot.waitUntil(lambda: not shown._task_status_manager.is_busy(), timeout=30_000)


def test_where_nothing_goes_on_nothing_is_said(window):
    shown, _space = window
    assert shown._task_status_manager.get_status() == []


def test_an_import_is_told_of_while_it_lasts(window):
    shown, space = window
    space.busy_changed.emit("import", "Cases are being imported.")
    assert shown._task_status_manager.get_status() == [
        "napari-semimedref: Cases are being imported."
    ]
    space.busy_changed.emit("import", "")
    assert not shown._task_status_manager.is_busy()
