"""No training path can reach the withheld masks: a whole round never opens one, and needs none to be there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import sqlalchemy as sa
from made import small_project, tiny_round

from training.pool import schema
from training.round import freeze, start_run

AUDITED = """
import json, os, sys
opened = []
def audit(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        opened.append(os.path.realpath(os.fsdecode(arguments[0])))
sys.addaudithook(audit)
from training.__main__ import main
folder, report = sys.argv[1:]
sys.argv = ["training", "run", folder]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
with open(report, "w") as stream:
    json.dump(opened, stream)
"""


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project")


def _train(run, report):
    subprocess.run(
        [sys.executable, "-c", AUDITED, str(run.folder), str(report)], check=True, timeout=240
    )
    return json.loads(report.read_text())


def test_the_trainer_opens_neither_a_hidden_mask_nor_the_pool(project, tmp_path):
    run = start_run(project, tiny_round())
    opened = _train(run, tmp_path / "opened.json")
    inside = [path for path in opened if path.startswith(str(project.folder))]
    assert any("/images/" in path for path in inside)
    assert not [path for path in inside if "/hidden/" in path or path.endswith("project.sqlite")]


def test_a_round_needs_no_hidden_mask_to_be_there(project, tmp_path):
    shutil.rmtree(project.folder / "hidden")
    with project.writing() as connection:
        connection.execute(sa.delete(schema.hidden_references))
    run = start_run(project, tiny_round())
    _train(run, tmp_path / "opened.json")
    assert (run.folder / "scores.json").exists()


def test_a_snapshot_names_no_mask_of_an_unlabeled_case_and_no_hidden_file(project):
    snapshot = freeze(project)
    assert snapshot.unlabeled
    assert all(case.mask is None for case in snapshot.unlabeled)
    assert "hidden" not in snapshot.model_dump_json()
