from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
from made import small_project

from training.config import RunConfig
from training.errors import ConfigError, PoolError, RunFolderError
from training.round_lock import LOCK, one_round_at_a_time, round_is_under_way
from training.rundir import RunFolder
from training.snapshot import Snapshot, SnapshotCase


def case(name: str, patient: str | None = None, mask: str | None = None) -> SnapshotCase:
    return SnapshotCase(
        case_id=name, patient=patient or name, image=f"{name}.png", description="x", mask=mask
    )


@pytest.fixture
def snapshot(tmp_path):
    return Snapshot(
        root=str(tmp_path),
        labeled=(case("a", mask="a_mask.png"),),
        unlabeled=(case("b"),),
        gate=(case("c", mask="c_mask.png"),),
        report=(case("d", mask="d_mask.png"),),
    )


@pytest.fixture
def folder(tmp_path, snapshot):
    return RunFolder.create(tmp_path / "run", RunConfig(seed=3), snapshot)


def test_a_run_folder_gives_back_what_it_was_made_from(folder, snapshot):
    again = RunFolder.open(folder.path)
    assert again.read_config().seed == 3
    assert again.read_snapshot() == snapshot
    assert again.read_snapshot().digest() == snapshot.digest()


def test_a_different_snapshot_has_a_different_digest(snapshot):
    assert snapshot.digest() != snapshot.model_copy(update={"unlabeled": ()}).digest()


def test_a_holdout_case_or_patient_in_a_training_pool_is_refused(snapshot):
    with pytest.raises(ConfigError, match="c appears twice"):
        Snapshot(root="/", unlabeled=(case("c"),), gate=snapshot.gate)
    with pytest.raises(ConfigError, match="Patient c"):
        Snapshot(root="/", unlabeled=(case("x", patient="c"),), gate=snapshot.gate)


def test_a_labeled_case_without_a_mask_is_refused():
    with pytest.raises(ConfigError, match=r"Case a .* no mask"):
        Snapshot(root="/", labeled=(case("a"),))


def test_a_folder_that_holds_a_run_is_not_overwritten(folder, snapshot):
    with pytest.raises(RunFolderError, match="already holds a run"):
        RunFolder.create(folder.path, RunConfig(), snapshot)


def test_a_missing_folder_and_a_broken_file_give_sentences(folder, tmp_path):
    with pytest.raises(RunFolderError, match="not a run folder"):
        RunFolder.open(tmp_path / "nowhere")
    folder.snapshot_file.write_text("{ nothing")
    with pytest.raises(ConfigError, match=r"snapshot\.json"):
        folder.read_snapshot()
    folder.scores_file.write_text("[")
    with pytest.raises(RunFolderError, match=r"scores\.json is damaged"):
        folder.read_scores()
    folder.snapshot_file.unlink()
    with pytest.raises(RunFolderError, match=r"There is no .*snapshot\.json"):
        folder.read_snapshot()


def test_scores_are_written_whole_and_a_full_disk_keeps_the_old_ones(folder, monkeypatch):
    folder.write_scores({"steps": 1})

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFolderError, match="disk is full"):
        folder.write_scores({"steps": 2})
    assert folder.read_scores() == {"steps": 1}
    assert not [each for each in folder.path.iterdir() if each.name.startswith(".scores")]


def test_a_stop_can_be_asked_for_and_withdrawn(folder):
    assert not folder.stop_requested()
    folder.request_stop()
    assert folder.stop_requested()
    folder.withdraw_requests()
    assert not folder.stop_requested()


def test_a_request_or_a_lock_that_the_disk_refuses_gives_a_sentence(folder, tmp_path):
    folder.pause_file.mkdir()
    with pytest.raises(RunFolderError, match="pause"):
        folder.withdraw_requests()
    folder.lock_file.mkdir()
    with pytest.raises(RunFolderError, match="lock"):
        folder.in_use()
    with pytest.raises(RunFolderError, match="lock"), folder.lock():
        pass
    project = small_project(tmp_path / "project")
    (project.folder / LOCK).mkdir()
    with pytest.raises(PoolError, match=LOCK), one_round_at_a_time(project):
        pass
    with pytest.raises(PoolError, match=LOCK):
        round_is_under_way(project.folder)


def test_a_second_trainer_is_refused_with_the_first_one_named(folder):
    code = (
        "from training.rundir import RunFolder; from pathlib import Path\n"
        f"with RunFolder(Path({str(folder.path)!r})).lock(): print('held', flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as other:
        assert other.stdout.readline() == "held\n"
        assert folder.in_use()
        expected = f"Process {other.pid} .*{folder.path}"
        with pytest.raises(RunFolderError, match=expected), folder.lock():
            pass
        other.kill()
        other.wait()
        assert not folder.in_use()
        with folder.lock():
            assert folder.in_use()
