"""The whole loop on a small project: rounds by the command line, reviews at the desk, better or refused teachers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from made import small_project, tiny_round

from training.errors import PoolError, RunFolderError
from training.next_round import save_next_config
from training.pool import Project
from training.pool.rounds import all_runs, proposals_of, read_proposal, serving_model
from training.round import resume_round, run_round, start_run, unfinished_run
from training.run_control import kill_round, pause_round
from training.rundir import STOPPED, RunFolder


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", labeled=4, unlabeled=8, holdout=4)
    save_next_config(made, tiny_round())
    return made


def test_a_round_promotes_a_teacher_and_its_pseudo_masks_reach_the_desk(project):
    outcome = run_round(project)
    assert outcome.state == "promoted"
    model = serving_model(project)
    unlabeled = {case.id for case in project.cases("unlabeled")}
    assert set(proposals_of(project, model)) == unlabeled
    proposal, probability = read_proposal(project, sorted(unlabeled)[0])
    assert probability.shape == (32, 32)
    assert 0 <= probability.min() <= probability.max() <= 1
    assert proposal.model_id == model.id
    for half in ("gate", "report"):
        for role in ("student", "teacher"):
            assert 0 <= outcome.scores[half][role]["dice_global"] <= 1


def test_simulate_plays_rounds_and_writes_what_it_measured(project, tmp_path):
    command = [sys.executable, "-m", "training.cli", "simulate", str(project.folder)]
    options = ["--rounds", "2", "--per-round", "3", "--json", str(tmp_path / "r.json")]
    result = subprocess.run(command + options, capture_output=True, text=True, timeout=250)
    assert result.returncode == 0, result.stderr
    rounds = json.loads((tmp_path / "r.json").read_text())["rounds"]
    assert [record["labeled"] for record in rounds] == [4, 7]
    assert len(project.cases("labeled")) == 10
    lines = [line for line in result.stdout.splitlines() if line.startswith("round ")]
    assert len(lines) == 2
    for record in rounds:
        assert 0 <= record["pseudo_dice"] <= 1
        assert 0 <= record["chosen_pseudo_dice"] <= 1
        assert 0 <= record["accepted_as_is"] <= 1
        assert record["seconds"] > 0
    kinds = {
        revision.source
        for case in project.cases("labeled")
        for revision in project.revisions(case.id)
    }
    assert kinds <= {"dataset", "teacher", "edited", "drawn"}


def test_the_scripted_reader_leaves_exactly_the_hidden_reference(project):
    from training.pool.hidden import read_hidden_mask
    from training.simulate import ScriptedReader, simulate

    list(simulate(project, 1, 3, reader=ScriptedReader(tolerance=1.0)))
    accepted = [
        case
        for case in project.cases("labeled")
        if project.revisions(case.id)[0].reader != "dataset"
    ]
    assert len(accepted) == 3
    for case in accepted:
        assert np.array_equal(
            project.read_reference_mask(case.id), read_hidden_mask(project, case.id)
        )


def test_a_round_without_labels_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(PoolError, match="No case is labeled yet"):
        run_round(small_project(tmp_path / "p", labeled=0))


def test_a_second_trainer_in_the_same_run_folder_is_refused(project):
    run = start_run(project, tiny_round())
    with RunFolder.open(run.folder).lock():
        command = [sys.executable, "-m", "training", "run", str(run.folder)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode != 0
    assert "already trains in" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_second_round_in_the_same_project_is_refused(project):
    from training.round_lock import one_round_at_a_time

    with one_round_at_a_time(project), pytest.raises(PoolError, match="already under way"):
        run_round(Project.open(project.folder))


def test_a_missing_run_folder_is_named(tmp_path):
    with pytest.raises(RunFolderError, match="not a run folder"):
        RunFolder.open(tmp_path / "nowhere")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that can be heeded")
def test_a_round_that_is_asked_to_end_leaves_a_checkpoint_and_the_same_command_goes_on(project):
    save_next_config(project, tiny_round(100_000))
    command = [sys.executable, "-m", "training.cli", "round", str(project.folder), "--resume"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # nothing to resume: it starts
    try:
        folder = _wait_for_steps(project, 3)
        process.terminate()
        assert process.wait(timeout=60) == STOPPED
        assert not folder.in_use()
        assert unfinished_run(project).outcome == "stopped"
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        folder = _wait_for_steps(project, 1, resumed=True)
        pause_round(project)
        _wait(lambda: _events(folder)[-1]["kind"] == "paused", 60)
        process.terminate()  # a paused trainer tells nothing, and ends all the same
        assert process.wait(timeout=60) == STOPPED
        started = [event for event in _events(folder) if event["kind"] == "started"]
        assert started[1]["resumed_at"] >= 3
    finally:
        if process.poll() is None:
            kill_round(project)


def test_a_stopped_round_resumes_where_it_was(project):
    config = tiny_round(100_000)
    command = [sys.executable, "-m", "training.cli", "round", str(project.folder)]
    save_next_config(project, config)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    folder = _wait_for_steps(project, 5)
    folder.request_stop()
    assert process.wait(timeout=60) == STOPPED
    run = unfinished_run(project)
    assert run.outcome == "stopped"

    process = subprocess.Popen([*command, "--resume"], stdout=subprocess.DEVNULL)
    folder = _wait_for_steps(project, 1, resumed=True)
    folder.request_stop()
    process.wait(timeout=60)
    started = [event for event in _events(folder) if event["kind"] == "started"]
    assert started[1]["resumed_at"] >= 5


def test_a_finished_run_that_nobody_adopted_is_adopted_by_resuming(project):
    run = start_run(project, tiny_round())
    command = [sys.executable, "-m", "training", "run", str(run.folder)]
    subprocess.run(command, check=True, timeout=240, capture_output=True)
    assert serving_model(project) is None
    outcome = resume_round(project)
    assert outcome.state == "promoted"
    assert serving_model(project) is not None


def test_the_round_survives_its_parent_being_killed(project):
    save_next_config(project, tiny_round(30))
    process = subprocess.Popen([sys.executable, "-m", "training.cli", "round", str(project.folder)])
    folder = _wait_for_steps(project, 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait(lambda: any(event["kind"] == "finished" for event in _events(folder)), 200)
    _wait(lambda: not folder.in_use(), 30)
    assert resume_round(project).state == "promoted"


def _events(folder: RunFolder) -> list[dict]:
    lines = folder.events_file.read_text().splitlines() if folder.events_file.exists() else []
    return [json.loads(line) for line in lines]


def _wait_for_steps(project: Project, steps: int, *, resumed: bool = False) -> RunFolder:
    def ready() -> bool:
        runs = all_runs(project)
        if not runs:
            return False
        events = _events(RunFolder(runs[-1].folder))
        started = sum(event["kind"] == "started" for event in events)
        last = max(
            (index for index, event in enumerate(events) if event["kind"] == "started"), default=0
        )
        taken = [event["step"] for event in events[last:] if event["kind"] == "progress"]
        return started >= 1 + resumed and bool(taken) and max(taken) >= steps

    _wait(ready, 120)
    return RunFolder(all_runs(project)[-1].folder)


def _wait(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)
