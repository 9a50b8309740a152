"""Kills at random moments: trainer, service and window. Everything accepted is there, and the run resumes.

A few by default; twenty among the slow tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import window_that_paints
from made import small_project, tiny_round

from napari_semimedref.engine_client import EngineClient
from training.next_round import save_next_config
from training.pool import Project
from training.pool.images import read_mask
from training.pool.rounds import all_runs, serving_model
from training.review import ReviewDesk
from training.round import resume_round, run_round
from training.rundir import RunFolder

WINDOW = Path(__file__).with_name("window_at_work.py")
PAINTING = Path(__file__).with_name("window_that_paints.py")


def kills(few: int, many: int):
    """Parametrize a test by how often it kills."""
    slow = pytest.param(many, marks=pytest.mark.slow)
    return pytest.mark.parametrize("kills", [few, slow])


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", labeled=4, unlabeled=8)
    save_next_config(made, tiny_round())
    return made


@pytest.fixture
def rng():
    return np.random.default_rng()


def _assert_sound(folder: Path, accepted: dict[int, str]) -> None:
    """Every acceptance that was told is a revision with a readable mask, and the database is whole."""
    with sqlite3.connect(folder / "project.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    project = Project.open(folder)
    kept = {r.id: r for case in project.cases() for r in project.revisions(case.id)}
    assert {key: kept[key].case_id for key in accepted} == accepted
    for revision in kept.values():
        assert read_mask(folder / revision.mask).shape == (64, 64)
    project.close()


@pytest.mark.slow  # one kill is a test of the faults
@pytest.mark.parametrize("kills", [2, 7])
def test_a_trainer_killed_again_and_again_resumes_and_finishes(project, rng, kills):
    save_next_config(project, tiny_round(400))
    before = {case.id: case.mask for case in project.cases("labeled")}
    command = [sys.executable, "-m", "training.cli", "round", str(project.folder)]
    for attempt in range(kills):
        parent = subprocess.Popen(command + ["--resume"] * bool(attempt), stdout=subprocess.DEVNULL)
        pid = _trainer_of(project, attempt)
        if attempt == 0:  # so that there is something to resume from
            _wait((RunFolder(all_runs(project)[-1].folder).last / "state.json").exists, 60)
        time.sleep(rng.uniform(0, 2.0))
        _kill(pid)
        assert parent.wait(timeout=60) == 1
        assert all_runs(project)[-1].outcome == "failed"
        _assert_sound(project.folder, {})

    folder = RunFolder(all_runs(project)[-1].folder)
    outcome = resume_round(project)
    assert outcome.state == "promoted"
    assert len(all_runs(project)) == 1
    starts = [event["resumed_at"] for event in _events(folder) if event["kind"] == "started"]
    assert len(starts) == kills + 1
    assert starts == sorted(starts)
    assert starts[-1] > 0
    assert {case.id: case.mask for case in project.cases("labeled")} == before


@kills(2, 6)
def test_a_service_killed_again_and_again_answers_again(project, rng, kills):
    run_round(project)
    case = project.cases("unlabeled")[0]
    client = EngineClient.for_project(project.folder)
    try:
        for _ in range(kills):
            client.ask("predict", case=case.id, description=case.description)
            _wait(lambda: client.process_id is not None, 30)
            time.sleep(rng.uniform(0, 0.5))
            _kill(client.process_id)
            answer = _answer(client)
            if (
                not answer.ok
            ):  # it was killed before it could answer; the next request starts another
                client.ask("predict", case=case.id, description=case.description)
                answer = _answer(client)
            assert answer.ok, answer.error
            assert answer.arrays["probability"].ndim == 2
    finally:
        client.close()
    _assert_sound(project.folder, {})


@pytest.mark.window
@kills(1, 7)
def test_a_window_killed_again_and_again_loses_no_acceptance(project, rng, kills):
    run_round(project)
    accepted: dict[int, str] = {}
    for _ in range(kills):
        command = [sys.executable, str(WINDOW), str(project.folder)]
        window = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert window.stdout.readline() == "at work\n"
        children = psutil.Process(window.pid).children(recursive=True)
        first = window.stdout.readline()  # However slow the machine is, something was accepted.
        time.sleep(rng.uniform(0, 2.0))
        window.kill()
        told = [first, *window.stdout.read().splitlines()]
        window.wait()
        accepted |= {
            int(key): case for key, case in (line.split() for line in told if line.count(" ") == 1)
        }
        _assert_sound(project.folder, accepted)
        _end_left_over(window.pid, children)
    assert len(accepted) >= kills
    assert serving_model(Project.open(project.folder)) is not None


@pytest.mark.window
def test_a_killed_window_leaves_its_strokes_and_the_way_back(project):
    command = [sys.executable, str(PAINTING), str(project.folder)]
    window = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    case_id = window.stdout.readline().strip()
    assert window.stdout.readline() == "saved\n"
    window.kill()
    window.wait()
    _end_left_over(window.pid, [])

    desk = ReviewDesk(project, "Ada")
    opened = desk.open(case_id)
    assert opened.restored
    spots = window_that_paints.SPOTS
    assert [int(desk.mask[spot]) for spot in spots] == [1, 1, 1, 0]  # the last was taken back
    assert desk.redo() == "stroke"
    assert desk.mask[spots[-1]] == 1
    for spot in reversed(spots):
        assert desk.undo() == "stroke"
        assert desk.mask[spot] == 0
    assert desk.undo() == ""
    assert not desk.mask.any()  # nobody teaches yet: it began empty


def _kill(pid: int | None) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _end_left_over(session_id: int, children: list[psutil.Process]) -> None:
    """The virtual display of a killed window stays behind; the service must not."""
    services = [
        child for child in children if child.is_running() and "serve" in " ".join(child.cmdline())
    ]
    _, alive = psutil.wait_procs(
        services, timeout=60
    )  # one that still loads its libraries notices late
    assert not alive, "the service outlived its window"
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session_id:
                process.kill()
        except (OSError, psutil.Error):
            continue


def _trainer_of(project: Project, attempt: int) -> int:
    def started() -> int | None:
        runs = all_runs(project)
        events = _events(RunFolder(runs[-1].folder)) if runs else []
        starts = [event for event in events if event["kind"] == "started"]
        return starts[attempt]["pid"] if len(starts) > attempt else None

    _wait(lambda: started() is not None, 90)
    return started()


def _events(folder: RunFolder) -> list[dict]:
    lines = folder.events_file.read_text().splitlines() if folder.events_file.exists() else []
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:  # torn by a kill
            continue
    return events


def _answer(client: EngineClient):
    answers: list = []
    _wait(lambda: bool(answers.extend(client.drain()) or answers), 90)
    return answers[-1]


def _wait(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
