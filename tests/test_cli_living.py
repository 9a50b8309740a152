"""Commands about the round under way."""

from __future__ import annotations

import json

import pytest
from made import small_project
from typer.testing import CliRunner

from training.cli import app
from training.errors import PoolError
from training.pool.leases import take_lease

runner = CliRunner()


def test_status_is_told_as_json_too(tmp_path):
    project = small_project(tmp_path / "p", labeled=2, unlabeled=3, holdout=0)
    result = runner.invoke(app, ["status", str(project.folder), "--json", "-"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["counts"]["labeled"] == told["new_labels"] == 2
    assert told["start_refused"] == ""
    assert told["desks"] == {}
    assert told["now"]["sentence"] == "No round has run yet."


def test_status_says_what_lies_on_whose_desk(tmp_path):
    project = small_project(tmp_path / "project")
    take_lease(project, "case_005", "Ada")
    told = runner.invoke(app, ["status", str(project.folder), "--json", "-"]).output
    assert json.loads(told)["desks"] == {"case_005": "Ada"}
    assert (
        "on Ada's desk: case_005, until "
        in runner.invoke(app, ["status", str(project.folder)]).output
    )


@pytest.mark.parametrize("act", ["pause", "continue", "stop", "kill"])
def test_without_a_round_there_is_nothing_to_do(tmp_path, act):
    project = small_project(tmp_path / "p", labeled=1, unlabeled=1, holdout=0)
    command = [act, str(project.folder), *(["--yes"] if act == "kill" else [])]
    result = runner.invoke(app, command)
    assert isinstance(result.exception, PoolError)
    assert f"there is nothing to {act}" in str(result.exception)


def test_the_estimate_is_told_and_nothing_is_started(tmp_path):
    project = small_project(tmp_path / "p", labeled=1, unlabeled=1, holdout=0)
    result = runner.invoke(app, ["round", str(project.folder), "--estimate"])
    assert result.exit_code == 0, result.output
    assert "unknown until a round" in result.output
    assert not (project.folder / "runs").exists()
