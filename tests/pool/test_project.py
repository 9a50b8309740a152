"""Projects: what is accepted stays, what is impossible is refused in a sentence."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from made import LEFT, incoming, small_project, spot

from training.errors import PoolError
from training.pool import Project
from training.pool.images import read_mask
from training.pool.importing import import_cases


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project")


def test_an_accepted_case_joins_the_labeled_pool_with_its_mask_and_words(project):
    case = project.cases("unlabeled")[0]
    mask = spot(True)
    revision = project.accept(case.id, mask, "New words.", "Ada", source="edited", outcome="edited")

    reopened = Project.open(project.folder)
    accepted = reopened.case(case.id)
    assert accepted.pool == "labeled"
    assert accepted.description == "New words."
    assert np.array_equal(reopened.read_reference_mask(case.id), mask)
    assert revision.reader == "Ada"


def test_a_second_revision_leaves_the_first_one_untouched(project):
    case = project.cases("unlabeled")[0]
    first = project.accept(case.id, spot(True), "One.", "Ada", source="drawn")
    second = project.accept(case.id, spot(False), "Two.", "Bo", source="edited")

    kept = project.revisions(case.id)
    assert kept == [first, second]
    assert np.array_equal(read_mask(project.folder / kept[0].mask), spot(True))
    assert project.case(case.id).description == "Two."


def test_no_row_of_revisions_can_be_lost_by_accepting_the_same_mask_twice(project):
    case = project.cases("unlabeled")[0]
    for _ in range(2):
        project.accept(case.id, spot(True), LEFT, "Ada", source="drawn")
    assert len(project.revisions(case.id)) == 2


def test_a_mask_of_another_size_is_refused_in_a_sentence_and_nothing_changes(project):
    case = project.cases("unlabeled")[0]
    with pytest.raises(PoolError, match=r"32 x 16 pixels but its image is 64 x 64"):
        project.accept(case.id, np.zeros((16, 32), np.uint8), LEFT, "Ada", source="drawn")
    assert project.case(case.id).pool == "unlabeled"
    assert project.revisions(case.id) == []


def test_a_draft_survives_reopening_and_ends_with_acceptance(project):
    case = project.cases("unlabeled")[0]
    project.save_draft(case.id, "Ada", spot(False), "Half done", 3)
    project.save_draft(case.id, "Ada", spot(True), "Nearly done", 5)

    reopened = Project.open(project.folder)
    draft = reopened.draft(case.id, "Ada")
    assert (draft.description, draft.strokes) == ("Nearly done", 5)
    assert np.array_equal(draft.mask, spot(True))
    assert reopened.draft(case.id, "Bo") is None

    reopened.accept(case.id, draft.mask, draft.description, "Ada", source="edited")
    assert reopened.draft(case.id, "Ada") is None


def test_a_skipped_case_is_marked_until_somebody_accepts_it(project):
    case = project.cases("unlabeled")[0]
    project.skip(case.id, "Ada", "unreadable film")
    assert project.case(case.id).skipped
    project.accept(case.id, spot(True), LEFT, "Ada", source="drawn")
    assert not project.case(case.id).skipped


def test_a_full_database_refuses_in_a_sentence_and_keeps_what_was_accepted(project):
    first, second = project.cases("unlabeled")[:2]
    project.accept(first.id, spot(True), LEFT, "Ada", source="drawn")
    with project.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(
            f"PRAGMA max_page_count={pages}"
        )  # of this connection, which the pool reuses
    with pytest.raises(PoolError, match="is full: nothing was changed"):
        for _ in range(1000):
            project.accept(second.id, spot(True), "x" * 3000, "Ada", source="drawn")
    project.close()
    reopened = Project.open(project.folder)
    assert reopened.case(first.id).pool == "labeled"
    assert all(read_mask(reopened.folder / r.mask).any() for r in reopened.revisions(second.id))


def test_a_full_disk_refuses_in_a_sentence_and_leaves_no_half_file(project, monkeypatch):
    case = project.cases("unlabeled")[0]

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.files.os.fsync", full)
    before = sorted(project.folder.rglob("*.png"))
    with pytest.raises(PoolError, match="The disk is full"):
        project.accept(case.id, np.eye(64, dtype=np.uint8), LEFT, "Ada", source="drawn")
    monkeypatch.undo()
    assert sorted(path for path in project.folder.rglob("*.png")) == before
    assert project.case(case.id).pool == "unlabeled"


def test_a_missing_folder_and_a_foreign_database_are_named(tmp_path):
    with pytest.raises(PoolError, match="holds no project"):
        Project.open(tmp_path / "nowhere")
    (tmp_path / "project.sqlite").write_text("not a database, surely " * 100)
    with pytest.raises(PoolError, match="damaged"):
        Project.open(tmp_path)


def test_a_database_of_a_newer_version_is_refused(project):
    project.close()
    with sqlite3.connect(project.folder / "project.sqlite") as connection:
        connection.execute("UPDATE settings SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(PoolError, match="newer version"):
        Project.open(project.folder)


def test_a_project_is_never_made_over_something_else(tmp_path, project):
    with pytest.raises(PoolError, match="holds a project already"):
        Project.create(project.folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(PoolError, match="not empty"):
        Project.create(tmp_path / "other")


def test_importing_twice_adds_nothing_twice(project):
    before = project.cases()
    report = import_cases(project, [incoming(index) for index in range(4)])
    assert report.added == ()
    assert len(report.already) == 4
    assert project.cases() == before
