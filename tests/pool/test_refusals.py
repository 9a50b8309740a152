"""Full disks and folders that may not be written: a clear sentence, nothing half-written, nothing accepted lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made import LEFT, incoming, small_project, spot
from nursery import child
from test_crashes import check_promises
from workers import accept_until_full, read_promises

from training.errors import PoolError
from training.pool import Project
from training.pool.audit import audit
from training.pool.importing import import_cases


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project", size=32)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_a_disk_that_refuses_a_file_leaves_no_row_and_no_part_of_a_file(
    project, monkeypatch, step, code, sentence
):
    case = project.cases("unlabeled")[0]
    before = sorted(path for path in project.folder.rglob("*") if path.is_file())

    def refuse(*arguments, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(f"training.files.os.{step}", refuse)
    with pytest.raises(PoolError, match=sentence):
        project.accept(case.id, np.eye(32, dtype=np.uint8), LEFT, "Ada", source="drawn")
    with pytest.raises(PoolError, match=sentence):
        import_cases(project, [incoming(77, size=32)])
    monkeypatch.undo()
    assert sorted(path for path in project.folder.rglob("*") if path.is_file()) == before
    assert project.case(case.id).pool == "unlabeled"
    assert audit(project).problems == ()


def test_a_disk_that_fills_up_keeps_what_was_accepted(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        project = small_project(disk / "project", size=32)
        promises = tmp_path / "promises"
        worker = child(accept_until_full, str(project.folder), str(promises), 1)
        worker.start()
        worker.join()
        sentence = promises.with_suffix(".refusal").read_text()
        assert "is full" in sentence
        assert len(read_promises(promises)) > 5
        (disk / "ballast").unlink()
        assert check_promises(project, promises) == len(read_promises(promises))
        case = project.cases("unlabeled")[-1]
        project.accept(case.id, spot(True, 32), LEFT, "Ada", source="drawn")
        assert project.case(case.id).pool == "labeled"
        project.close()


def test_what_one_reader_writes_another_user_of_a_shared_folder_can_read(project):
    case = project.cases("unlabeled")[0]
    before = os.umask(0o027)
    try:
        mask = np.eye(32, dtype=np.uint8)
        revision = project.accept(case.id, mask, LEFT, "Ada", source="drawn")
    finally:
        os.umask(before)
    assert (project.folder / revision.mask).stat().st_mode & 0o777 == 0o640


class small_disk:
    """A real file system of one megabyte beside some ballast; skips where none can be made."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> Path:
        self.place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1600k", "tmpfs", str(self.place)]
        if os.getuid() != 0 or shutil.which("mount") is None:
            pytest.skip("making a small disk needs root")
        if subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("a small disk cannot be mounted here")
        (self.place / "ballast").write_bytes(bytes(300_000))
        return self.place

    def __exit__(self, *_error: object) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=True)


def test_a_read_only_folder_refuses_in_a_sentence_and_stays_as_it_is(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        project = small_project(disk / "project", size=32)
        project.close()
        before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        said = list(_refusals(project.folder))
        after = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert said, "nothing was refused"
        for sentence in said:
            assert "cannot be written" in sentence or "may not be written" in sentence, sentence
        assert after == before
        assert Project.open(project.folder).case("case_005").pool == "unlabeled"


def _refusals(folder: Path) -> Iterator[str]:
    """What the pool says to everything that would write."""
    mask, opened = np.eye(32, dtype=np.uint8), []
    for attempt in (
        lambda: opened.append(Project.open(folder)),
        lambda: opened[0].accept("case_005", mask, "x", "Ada", source="drawn"),
        lambda: opened[0].save_draft("case_005", "Ada", mask, "x", 1),
        lambda: opened[0].skip("case_005", "Ada", "x"),
        lambda: import_cases(opened[0], [incoming(88, size=32)]),
        lambda: Project.create(folder / "inside"),
        lambda: Project.create(folder.parent / "beside"),
    ):
        try:
            attempt()
        except PoolError as error:
            yield str(error)
        except IndexError:
            assert not opened, "only a project that cannot even be opened excuses this"
    for project in opened:
        project.close()
