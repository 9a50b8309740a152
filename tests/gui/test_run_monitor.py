"""The run monitor: starts a round as a process of its own and finds it again."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from napari_semimedref.run_monitor import RunMonitor
from training.errors import PoolError
from training.events import EventWriter
from training.next_round import next_config
from training.pool.rounds import all_runs, close_run
from training.round import start_run
from training.round_lock import one_round_at_a_time

ROUND = (sys.executable, str(Path(__file__).with_name("small_round.py")))
PATIENCE = 30.0


def until(monitor: RunMonitor, condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition(monitor.view):
        assert time.monotonic() < deadline, monitor.view
        monitor.poll()
        time.sleep(0.02)


def test_a_fresh_project_has_had_no_round(project):
    view = RunMonitor(project, ROUND).view
    assert (view.run, view.alive, view.resumable) == (None, False, False)
    assert view.sentence == "No round has run yet."


def test_a_round_is_followed_from_start_to_promotion(project):
    monitor = RunMonitor(project, ROUND)
    monitor.start()
    assert monitor.view.alive
    until(monitor, lambda view: len(view.losses) >= 2)
    until(monitor, lambda view: view.status.evaluations)
    monitor.stop()
    until(monitor, lambda view: not view.alive)
    assert monitor.view.status.state == "stopped"
    assert monitor.view.run.outcome == "stopped"
    assert monitor.view.resumable


def test_another_window_finds_the_living_round_and_can_stop_it(project):
    first = RunMonitor(project, ROUND)
    first.start()
    until(first, lambda view: view.losses)
    second = RunMonitor(project, ROUND)  # as after closing and opening the window
    assert second.view.alive
    assert second.view.run == first.view.run
    assert second.view.losses
    second.stop()
    until(second, lambda view: not view.alive)
    assert second.view.run.outcome == "stopped"
    until(first, lambda view: not view.alive)


def test_a_second_round_is_refused_while_one_is_alive(project):
    monitor = RunMonitor(project, ROUND)
    monitor.start()
    until(monitor, lambda view: view.losses)
    with pytest.raises(PoolError, match="under way"):
        RunMonitor(project, ROUND).start()
    monitor.stop()
    until(monitor, lambda view: not view.alive)


def test_a_round_that_fails_before_it_has_a_run_says_why(project):
    words = "No case is labeled yet."
    command = (sys.executable, "-c", f"import sys; sys.exit('{words}')")
    monitor = RunMonitor(project, command)
    monitor.start()
    until(monitor, lambda view: not view.alive)
    assert monitor.view.sentence == words


def test_a_run_whose_process_was_killed_can_be_resumed(project):
    run = start_run(project, next_config(project))
    writer = EventWriter(run.folder / "events.jsonl")
    writer.write("started", pid=1, device="cpu", steps_planned=10)
    writer.write("progress", step=3, loss=0.5)
    view = RunMonitor(project, ROUND).view
    assert not view.alive
    assert view.resumable
    assert "resume" in view.sentence


def test_a_round_that_somebody_else_starts_is_found(project):
    now = [0.0]
    monitor = RunMonitor(project, ROUND, clock=lambda: now[0])
    with one_round_at_a_time(project):
        run = start_run(project, next_config(project))
        now[0] += 5
        assert monitor.poll()
        assert monitor.view.alive
        assert monitor.view.run.id == run.id
    close_run(project, run, "refused", "Refused: worse.")
    now[0] += 5
    assert monitor.poll()
    assert monitor.view.sentence == "Refused: worse."
    assert not monitor.view.resumable


def test_a_new_round_does_not_show_the_old_one(project):
    run = start_run(project, next_config(project))
    close_run(project, run, "promoted", "Promoted.")
    monitor = RunMonitor(project, ROUND)
    assert monitor.view.run.id == run.id
    monitor.start()
    assert monitor.view.run is None
    until(monitor, lambda view: view.run is not None)
    assert monitor.view.run.id != run.id
    monitor.stop()
    until(monitor, lambda view: not view.alive)
    assert len(all_runs(project)) == 2
