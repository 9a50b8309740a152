"""A robot at the real window, with mouse and keys only: rounds, corrections, a crash, better teachers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from made import small_project, tiny_round

from training.next_round import save_next_config
from training.pool import Project
from training.pool.audit import audit
from training.pool.rounds import all_runs, serving_model

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Sitting:
    """The robot as a process, line by line."""

    def __init__(self, *words: str) -> None:
        paths = os.pathsep.join([str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, str(HERE / "robot_reader.py"), *words]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, "NAPARI_CONFIG": ""},
        )
        self.told: list[dict] = []

    def until(self, what: str) -> dict:
        """Read on until the robot tells of something."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(json.loads(line))
            if self.told[-1]["what"] == what:
                return self.told[-1]
        raise AssertionError(f"the robot ended with {self.process.wait()} before {what!r}")

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def play(folder: Path, rounds: int, per_round: int, *pictures: str) -> list[dict]:
    """Two sittings with a kill between them; everything the robot told."""
    words = (str(folder), str(rounds), str(per_round), *pictures)
    first = Sitting(*words)
    left = first.until("kill me")
    first.kill()
    second = Sitting(*words, "--restarted")
    found = second.until("opened")
    assert {key: found[key] for key in ("case", "mask", "words", "accepted")} == {
        key: left[key] for key in ("case", "mask", "words", "accepted")
    }
    second.until("done")
    assert second.process.wait(timeout=60) == 0
    return first.told + second.told


def check(folder: Path, told: list[dict], rounds: int, per_round: int) -> None:
    project = Project.open(folder)
    try:
        by_robot = [
            case
            for case in project.cases("labeled")
            if project.revisions(case.id)[-1].reader == "Robot"
        ]
        assert len(by_robot) == rounds * per_round
        last = {line["case"]: line for line in told if line["what"] in WAYS}
        for case in by_robot:
            assert project.case(case.id).description == last[case.id]["words"]
        outcomes = [run.outcome for run in all_runs(project)]
        assert len(outcomes) == rounds
        assert set(outcomes) <= {"promoted", "refused"}
        assert serving_model(project) is not None
        assert audit(project).problems == ()
    finally:
        project.close()


WAYS = ("as proposed", "stroke", "words", "and back")


@pytest.mark.slow
@pytest.mark.window
def test_a_reader_of_mouse_and_keys_goes_through_two_rounds_and_a_crash(tmp_path):
    project = small_project(tmp_path / "project", labeled=4, unlabeled=14, holdout=4, size=128)
    save_next_config(project, tiny_round())
    project.close()
    told = play(tmp_path / "project", 2, 4)
    check(tmp_path / "project", told, 2, 4)


@pytest.mark.slow
@pytest.mark.window
def test_thirty_cases_of_the_demo_in_three_rounds(tmp_path):
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "training.cli", "phantom", str(folder)]
    subprocess.run([*command, "--cases", "120", "--preset", "demo"], check=True)
    pictures = os.environ.get("SEMIMEDREF_PICTURES", "")
    told = play(folder, 3, 10, *([pictures] if pictures else []))
    check(folder, told, 3, 10)
    project = Project.open(folder)
    assert "promoted" in [run.outcome for run in all_runs(project)][1:]
    project.close()
