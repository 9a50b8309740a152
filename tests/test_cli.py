"""The command line: what a person types, and what they read when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from made import small_project
from typer.testing import CliRunner

from training.cli import app, options
from training.cli.options import Ahead, going_on
from training.errors import SemiMedRefError
from training.pool import Project

runner = CliRunner()


def _run(*arguments: object):
    return runner.invoke(app, [str(argument) for argument in arguments])


def test_phantom_makes_a_project_with_labels_withheld_masks_and_a_holdout(tmp_path):
    result = _run(
        "phantom", tmp_path / "p", "--cases", 40, "--seed", 1, "--size", 64, "--labels", 0.25
    )
    assert result.exit_code == 0, result.output
    project = Project.open(tmp_path / "p")
    pools = [case.pool for case in project.cases()]
    assert len(pools) == 40
    assert all(pools.count(name) > 0 for name in ("labeled", "unlabeled", "gate", "report"))
    assert "40 cases added" in result.output


def test_the_same_seed_makes_the_same_project(tmp_path):
    for name in ("a", "b"):
        _run("phantom", tmp_path / name, "--cases", 6, "--seed", 3, "--size", 64)
    images = [[case.image for case in Project.open(tmp_path / name).cases()] for name in ("a", "b")]
    assert images[0] == images[1]


def test_status_says_how_a_project_stands(tmp_path):
    project = small_project(tmp_path / "p")
    result = _run("status", project.folder)
    assert "4 labeled, 6 unlabeled, 2 gate, 2 report" in result.output
    assert "none yet" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", "nowhere"], "holds no project"),
        (["round", "nowhere"], "holds no project"),
        (["import", "qata", "nowhere", "p"], "holds no table.csv"),
        (["round", "{project}", "--preset", "best"], "no preset 'best'"),
        (["round", "{project}", "--config", "nowhere.toml"], "nowhere.toml"),
        (["phantom", "{project}"], "holds a project already"),
        (["simulate", "{project}", "--strategy", "best"], "no strategy 'best'"),
    ],
)
def test_a_mistake_gets_one_sentence_that_names_it(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    project = small_project(tmp_path / "a project")
    result = _run(*[argument.format(project=project.folder) for argument in arguments])
    assert isinstance(result.exception, SemiMedRefError), result.output
    assert sentence in str(result.exception)


def test_the_command_prints_the_sentence_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "training.cli", "status", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_an_interruption_of_long_work_says_that_the_same_command_goes_on(capsys):
    with pytest.raises(typer.Exit) as ended, going_on():
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_the_time_that_is_left_follows_from_what_the_first_pieces_took(monkeypatch):
    clock = iter([0.0, 60.0, 240.0])
    monkeypatch.setattr(options.time, "monotonic", lambda: next(clock))
    ahead = Ahead(4)
    assert ahead.after_one() == "1 of 4, about 3 min more"
    assert ahead.after_one() == "2 of 4, about 4 min more"


def test_the_version_is_the_installed_one():
    assert _run("--version").output.split() == ["napari-semimedref", version("napari-semimedref")]
