"""Rounds that a window starts, by a button or by itself, and why it does not; the curves it draws of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from docking import docked, use_small_processes
from napari.components import ViewerModel
from qtpy.QtWidgets import QMessageBox

from napari_semimedref.round_starting import RoundStarting
from napari_semimedref.round_view import RoundView
from napari_semimedref.widgets.plots import CHOICES, DARK, LIGHT, LivePlots
from napari_semimedref.widgets.trainer import TrainerDock
from napari_semimedref.workspace import Workspace
from training.auto_start import QUIET_SECONDS, AutoStart, auto_start_of
from training.errors import PoolError
from training.events import Evaluation, RunStatus
from training.pool import Run

PATIENCE_MS = 60_000


class Listening:
    """A monitor that only notes what is asked of it."""

    def __init__(self, run: Run | None = None, alive: bool = False) -> None:
        self.view = RoundView(run, alive=alive)
        self.started: list[int] = []

    def start(self, needs: int = 0) -> None:
        self.started.append(needs)


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def starting(project, clock):
    made = RoundStarting(project, lambda: clock[0])
    made.want(AutoStart(enabled=True, labels=5))
    return made


def test_a_round_starts_by_itself_when_the_labels_rest(starting, clock):
    monitor = Listening()
    assert not starting.look(monitor, 4, busy=False)
    clock[0] += 100
    assert not starting.look(monitor, 5, busy=False)  # a label came just now
    clock[0] += QUIET_SECONDS / 2
    assert not starting.look(monitor, 6, busy=False)  # and another
    clock[0] += QUIET_SECONDS - 1
    assert not starting.look(monitor, 6, busy=False)
    clock[0] += 1
    assert not starting.look(monitor, 6, busy=True)  # an import, an adjudication
    assert starting.look(monitor, 6, busy=False)
    assert monitor.started == [5]  # the process looks again, when no other round can begin


def test_a_start_by_itself_that_came_to_nothing_waits_for_another_label(starting, clock):
    monitor = Listening()
    starting.look(monitor, 6, busy=False)
    clock[0] += QUIET_SECONDS
    assert starting.look(monitor, 6, busy=False)
    clock[0] += 1000
    assert not starting.look(monitor, 6, busy=False)
    assert not starting.look(monitor, 7, busy=False)
    clock[0] += QUIET_SECONDS
    assert starting.look(monitor, 7, busy=False)


def test_no_round_starts_by_itself_beside_another(starting, clock):
    monitor = Listening(alive=True)
    starting.look(monitor, 50, busy=False)
    clock[0] += 1000
    assert not starting.look(monitor, 50, busy=False)


def test_a_start_that_fails_is_no_loop(starting, clock):
    class Refusing(Listening):
        def start(self, needs: int = 0) -> None:
            raise PoolError("The round cannot be started.")

    starting.look(Refusing(), 6, busy=False)
    clock[0] += QUIET_SECONDS
    with pytest.raises(PoolError):
        starting.look(Refusing(), 6, busy=False)
    assert not starting.look(Refusing(), 6, busy=False)


@pytest.fixture
def space(qtbot, taught_project):
    workspace = Workspace(ViewerModel())
    assert workspace.open_project(taught_project.folder, "Ada")
    use_small_processes(workspace)
    yield workspace
    workspace.close_project()


def test_the_dock_says_why_the_button_is_grey_and_what_a_round_takes(qtbot, space):
    dock = docked(qtbot, TrainerDock, space)
    assert dock.start.isEnabled()
    assert dock.starting.reason.text() == ""
    assert "unknown until a round" in dock.starting.estimate.text()
    dock.starting.labels.setValue(20)
    dock.starting.automatic.setChecked(True)
    assert auto_start_of(space.session.project) == AutoStart(enabled=True, labels=20)
    assert not dock.start.isEnabled()
    assert dock.starting.reason.text() == "3 new labels since round 1; needs 20."
    assert dock.starting.reason.isVisibleTo(dock)
    dock.starting.automatic.setChecked(False)
    assert dock.start.isEnabled()


def test_a_round_is_paused_continued_and_killed_from_the_dock(qtbot, space, monkeypatch):
    dock = docked(qtbot, TrainerDock, space)
    dock.start.click()
    qtbot.waitUntil(lambda: len(space.monitor.view.losses) > 2, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.pause.isEnabled(), timeout=PATIENCE_MS)
    dock.pause.click()
    qtbot.waitUntil(lambda: dock.go_on.isVisibleTo(dock), timeout=PATIENCE_MS)
    assert "paused" in dock.state.text()
    assert not dock.pause.isVisibleTo(dock)
    dock.go_on.click()
    qtbot.waitUntil(lambda: dock.pause.isVisibleTo(dock), timeout=PATIENCE_MS)
    answers = iter([QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])
    monkeypatch.setattr(QMessageBox, "question", lambda *_: next(answers))
    dock.kill.click()
    assert space.monitor.view.alive
    dock.kill.click()
    qtbot.waitUntil(lambda: not space.monitor.view.alive, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.resume.isVisibleTo(dock), timeout=PATIENCE_MS)


def test_silence_of_a_living_trainer_is_said():
    run = Run(3, Path("run"), 4, 4, "now", None, None)
    status = RunStatus(state="running", sentence="Burn-in: step 3 of 9.")
    view = RoundView(run, status, alive=True, silent=31)
    assert view.sentence == "No sign of life for 31 s. Burn-in: step 3 of 9."


def shown() -> RoundView:
    scores = (0.5, 0.6, 0.4, 0.4)
    evaluations = tuple(Evaluation(2, "gate", role, *scores) for role in ("student", "teacher"))
    told = ("loss", "mix_accepted", "confident_fraction", "lambda_u", "ema_decay")
    curves = dict.fromkeys(told, ((1, 0.1), (2, 0.9)))
    status = RunStatus(state="running", steps_planned=10, evaluations=evaluations)
    return RoundView(None, status, alive=True, curves=curves)


def test_every_choice_of_curves_is_drawn_from_what_the_run_tells(qtbot):
    plots = LivePlots()
    qtbot.addWidget(plots)
    plots.show_round(shown())
    drawn = {}
    for name in CHOICES:
        plots.choice.setCurrentText(name)
        curves = [curve.getData()[1] for curve in plots.picture._curves]
        drawn[name] = sum(values is not None and len(values) > 0 for values in curves)
    assert list(drawn.values()) == [1, 0, 2, 2]
    student = plots.picture._dice["student"].getData()
    assert list(student[1]) == [0.6]


def test_the_curves_lie_on_the_ground_of_the_theme(qtbot):
    plots = LivePlots()
    qtbot.addWidget(plots)
    for light, palette in ((True, LIGHT), (False, DARK)):
        plots.show_theme(light)
        ground = plots.picture.backgroundBrush().color().getRgb()[:3]
        assert ground == palette.ground
        ink = plots.picture._upper.getAxis("left").textPen().color().getRgb()[:3]
        assert ink == palette.words
