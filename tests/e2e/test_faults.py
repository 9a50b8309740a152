"""Faults around a round, one by one: what the reader reads, and what was kept. The rows of docs/faults.md that need
processes; those of the engine are in tests/engine/test_engine_faults.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from made import small_project, tiny_round

from napari_semimedref import run_monitor
from napari_semimedref.run_monitor import QUICKER, RunMonitor
from training import run_control, trainer_process
from training.errors import PoolError, RunFolderError
from training.events import EventWriter
from training.next_round import save_next_config
from training.pool import Project
from training.pool.leases import CaseLeased, leases_of_others, take_lease
from training.pool.rounds import all_runs, serving_model
from training.round import resume_round, start_run
from training.round_lock import round_process
from training.run_control import ORPHAN, kill_round, look, pause_round
from training.rundir import DELETED, RunFolder
from training.trainer_process import FULL, KILLED, why_it_ended

HERE = Path(__file__).parent
ROUND = (sys.executable, str(HERE / "little_round.py"))
DAY = 86_400.0
PATIENCE = 60.0


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", labeled=3, unlabeled=3, holdout=0)
    save_next_config(made, tiny_round())
    yield made
    found = look(made)
    if found.run is not None and (found.alive or found.orphan):
        if found.run.folder.is_dir():
            RunFolder(found.run.folder).request_stop()
        wait(lambda: not (look(made).alive or look(made).orphan))
    made.close()


def wait(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def until(monitor: RunMonitor, condition) -> None:
    wait(lambda: (monitor.poll(), condition(monitor.view))[1])


def started(project: Project) -> RunMonitor:
    """A window's monitor whose round is training."""
    monitor = RunMonitor(project, ROUND)
    monitor.start()
    until(monitor, lambda view: len(view.losses) >= 2)
    return monitor


def labels(project: Project) -> dict[str, str | None]:
    return {case.id: case.mask for case in project.cases("labeled")}


def test_a_killed_trainer_is_named_and_its_round_can_be_resumed(project):
    before = labels(project)
    monitor = started(project)
    os.kill(monitor.view.status.pid, signal.SIGKILL)
    until(monitor, lambda view: not view.alive)
    assert KILLED in monitor.view.sentence
    assert RunMonitor(project, ROUND).view.sentence == KILLED  # in a window opened later, too
    assert monitor.view.resumable
    assert labels(project) == before
    monitor.resume()
    until(monitor, lambda view: view.alive and view.status.state == "running")
    monitor.stop()
    until(monitor, lambda view: not view.alive)
    assert monitor.view.status.state == "stopped"
    assert len(all_runs(project)) == 1


def test_a_killed_round_leaves_a_trainer_that_resuming_takes_over(project):
    monitor = started(project)
    holder = int((project.folder / "round.pid").read_text())
    os.kill(holder, signal.SIGKILL)
    until(monitor, lambda view: not view.alive and view.orphan)
    later = RunMonitor(project, ROUND)
    assert later.view.sentence == ORPHAN
    trainer = later.view.status.pid
    later.resume()
    until(later, lambda view: view.alive)
    wait(lambda: round_process(project.folder) not in (None, holder))
    folder = RunFolder(later.view.run.folder)
    assert folder.holder() == str(trainer)  # the same one goes on
    later.stop()
    until(later, lambda view: not view.alive and not view.orphan)
    assert later.view.run.outcome == "stopped"


def test_a_killed_window_leaves_its_round_even_a_paused_one_to_the_next_window(project):
    script = (
        "import sys, time; from training.pool import Project; "
        "from napari_semimedref.run_monitor import RunMonitor\n"
        f"monitor = RunMonitor(Project.open(sys.argv[1]), {ROUND!r}); monitor.start()\n"
        "while True: monitor.poll(); time.sleep(0.05)\n"
    )
    window = subprocess.Popen([sys.executable, "-c", script, str(project.folder)])
    wait(lambda: look(project).status.step >= 2)
    pause_round(project)
    wait(lambda: look(project).status.state == "paused")
    window.kill()
    window.wait()
    later = RunMonitor(project, ROUND)
    assert later.view.paused
    assert later.view.sentence.startswith("Paused at step ")
    until(later, lambda view: view.silent == 0)  # it waits, and is alive
    later.go_on()
    until(later, lambda view: view.status.state == "running")
    later.stop()
    until(later, lambda view: not view.alive)
    assert later.view.sentence.startswith("Stopped at step ")


def test_two_windows_that_press_start_at_once_start_one_round(project):
    windows = [RunMonitor(project, ROUND), RunMonitor(project, ROUND)]
    for window in windows:
        window.start()  # neither process holds the round yet
    for window in windows:
        until(window, lambda view: len(view.losses) >= 2)
    wait(lambda: [window.poll() for window in windows] and any(w.view.note for w in windows))
    notes = [window.view.note for window in windows]
    assert sorted(notes) == ["", QUICKER]
    beaten = windows[notes.index(QUICKER)]
    assert beaten.view.alive
    assert not beaten.view.own
    assert beaten.view.sentence.startswith(QUICKER)
    assert len(all_runs(project)) == 1
    beaten.stop()
    for window in windows:
        until(window, lambda view: not view.alive)


def test_a_run_folder_deleted_under_a_living_trainer_is_named(project):
    before = labels(project)
    monitor = started(project)
    folder = monitor.view.run.folder
    shutil.rmtree(folder, ignore_errors=True)
    until(monitor, lambda view: not view.alive)
    assert DELETED.format(folder=folder) in monitor.view.sentence
    monitor = RunMonitor(project, ROUND)
    assert monitor.view.sentence == DELETED.format(folder=folder)
    assert not monitor.view.resumable
    assert labels(project) == before
    monitor.start()  # the way out that the sentence names
    until(monitor, lambda view: len(view.losses) >= 1)
    monitor.stop()
    until(monitor, lambda view: not view.alive)


def test_a_run_folder_deleted_after_a_stop_is_named_when_it_is_resumed(project):
    monitor = started(project)
    monitor.stop()
    until(monitor, lambda view: not view.alive)
    folder = monitor.view.run.folder
    shutil.rmtree(folder)
    with pytest.raises(RunFolderError) as caught:
        resume_round(project)
    assert str(caught.value) == (
        f"The folder of round 1 is gone or incomplete ({folder}): start a new round; labels and the "
        "serving teacher are untouched."
    )
    assert all_runs(project)[-1].outcome == "lost"
    assert serving_model(project) is None


def test_a_trainer_that_hangs_is_said_to_be_silent_and_can_be_killed(project, monkeypatch):
    monkeypatch.setattr(run_monitor, "SILENT_SECONDS", 1)
    before = labels(project)
    monitor = started(project)
    trainer = psutil.Process(monitor.view.status.pid)
    trainer.suspend()
    until(monitor, lambda view: view.silent >= 1)
    assert monitor.view.sentence.startswith(f"No sign of life for {monitor.view.silent} s.")
    assert monitor.view.alive
    trainer.resume()
    until(monitor, lambda view: view.silent == 0)
    trainer.suspend()
    until(monitor, lambda view: view.silent >= 1)
    kill_round(project)
    until(monitor, lambda view: not view.alive and view.resumable)
    assert labels(project) == before


def test_killing_a_round_ends_its_processes_and_no_others(project):
    monitor = started(project)
    trainer, holder = monitor.view.status.pid, int((project.folder / "round.pid").read_text())
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    assert (
        kill_round(project) == "The round was killed: resume it to go on from its last checkpoint."
    )
    until(monitor, lambda view: not view.alive)
    assert not psutil.pid_exists(trainer) or psutil.Process(trainer).status() == "zombie"
    wait(lambda: not psutil.pid_exists(holder) or psutil.Process(holder).status() == "zombie")
    assert bystander.poll() is None
    # A number that was left behind, and that by now is another process's, is no target.
    (project.folder / "round.pid").write_text(str(bystander.pid))
    with pytest.raises(PoolError, match="nothing to kill"):
        kill_round(project)
    assert not run_control._kill(bystander.pid, project.folder / "round.lock")
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_trainer_whose_log_cannot_be_written_is_refused_in_a_sentence(project):
    run = start_run(project, tiny_round())
    folder = RunFolder(run.folder)
    folder.trainer_log.mkdir()
    with pytest.raises(RunFolderError, match=folder.trainer_log.name):
        trainer_process.train(folder, lambda status: None)


def test_a_full_disk_is_named_where_the_trainer_could_not_say_it(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    full = shutil._ntuple_diskusage(10**9, 10**9, 0)
    monkeypatch.setattr(trainer_process.shutil, "disk_usage", lambda folder: full)
    assert why_it_ended(RunFolder(tmp_path), 2) == FULL


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a day forward", "a day back"])
def test_a_clock_that_jumps_changes_neither_status_nor_heartbeat_nor_durations(
    project, tmp_path, jump
):
    from training.heartbeat import Heart, Pulse
    from training.round import start_run
    from training.trainer_process import status_of

    run = start_run(project, tiny_round())
    folder, wall, steady = RunFolder(run.folder), [1.8e9], [0.0]
    pulse = Pulse(folder, clock=lambda: steady[0])
    writer = EventWriter(folder.events_file, clock=lambda: wall[0])
    writer.write("started", pid=1, device="cpu", steps_planned=10)
    writer.write("progress", step=1, loss=1.0, seconds_left=9.0)
    wall[0] += jump
    steady[0] += 2
    assert pulse.silent_seconds() == 0
    writer.write("progress", step=2, loss=0.5, seconds_left=8.0)
    status = status_of(folder)
    assert (status.state, status.step, status.seconds_left) == ("running", 2, 8.0)
    steady[0] += 2
    assert pulse.silent_seconds() == 0
    with Heart(folder.alive_file, 0.01):
        wait(folder.alive_file.exists)
    os.utime(folder.alive_file, (wall[0], wall[0]))
    steady[0] += 2
    assert pulse.silent_seconds() == 0
    steady[0] += 60  # and true silence is noticed all the same
    assert pulse.silent_seconds() == 60


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a day forward", "a day back"])
def test_a_clock_that_jumps_locks_no_case_away(project, monkeypatch, jump):
    from training.pool import database

    wall = [time.time()]
    monkeypatch.setattr(database.time, "time", lambda: wall[0])
    case = project.cases("unlabeled")[0].id
    take_lease(project, case, "Ada")
    with pytest.raises(CaseLeased):
        take_lease(project, case, "Ben")
    wall[0] += jump
    assert leases_of_others(project, "Ben") == {}
    assert take_lease(project, case, "Ben").reader == "Ben"
    with pytest.raises(CaseLeased):
        take_lease(project, case, "Ada")
