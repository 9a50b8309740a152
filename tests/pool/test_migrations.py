"""Databases of earlier versions open, keep all they held, and leave a copy of what they were."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from made import LEFT, RIGHT, spot

from training.errors import PoolError
from training.pool import Project, migrate, schema
from training.pool.audit import audit
from training.pool.listing import CaseFilter, list_ids
from training.pool.rounds import read_proposal, serving_model

V1_TABLES = ("settings", "cases", "readers", "revisions", "skips", "drafts", "hidden_references")
FROZEN = Path(__file__).parent / "frozen"


def thaw(version: str, folder: Path) -> Path:
    """A copy of a frozen project, its database made from the dump."""
    shutil.copytree(FROZEN / version, folder)
    dump = folder / "project.sql"
    with closing(sqlite3.connect(folder / "project.sqlite")) as connection:
        connection.executescript(dump.read_text())
    dump.unlink()
    return folder


@pytest.fixture
def first_version(tmp_path):
    return thaw("version_1", tmp_path / "project")


def test_a_project_of_version_1_opens_with_every_case_revision_skip_and_draft(first_version):
    project = Project.open(first_version)
    pools = ["labeled", "unlabeled", "labeled", "unlabeled", "unlabeled", "gate"]
    assert [case.pool for case in project.cases()] == pools
    assert [case.skipped for case in project.cases()] == [False, True, False, False, False, False]
    first, second = project.revisions("case_2")
    assert (first.reader, first.outcome, first.active_seconds, first.number) == (
        "Ada",
        "redrawn",
        12.5,
        1,
    )
    assert (second.reader, second.dice_to_proposal, second.parent_id) == (
        "Bo",
        0.9371428571428572,
        first.id,
    )
    assert (project.read_reference_mask("case_2") == spot(False, 32)).all()
    assert (project.draft("case_3", "Ada").mask == spot(True, 32)).all()
    assert project.case("case_2").description == RIGHT
    assert project.case("case_4").zones == {"Ll"}


def test_a_migrated_project_passes_the_audit_and_goes_on(first_version):
    project = Project.open(first_version)
    project.accept("case_1", spot(True, 32), LEFT, "Ada", source="drawn", started_from=None)
    found = audit(project)
    assert found.problems == ()
    assert found.counts["revisions"] == 5


def test_a_copy_of_the_old_database_is_kept_and_can_be_opened(first_version):
    Project.open(first_version).close()
    Project.open(first_version).close()
    (copy,) = first_version.glob("project.sqlite.version-1.*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM revisions").fetchone() == (4,)
        (version,) = connection.execute(
            "SELECT value FROM settings WHERE key='schema_version'"
        ).fetchone()
    assert version == "1"


def test_a_migration_that_fails_leaves_the_database_as_it_was(first_version, monkeypatch):
    def fail(connection):
        raise sa.exc.OperationalError("insert", {}, sqlite3.OperationalError("disk is full"))

    monkeypatch.setattr(migrate.standing, "rebuild", fail)
    with pytest.raises(PoolError, match="is full: nothing was changed"):
        Project.open(first_version)
    with closing(sqlite3.connect(first_version / "project.sqlite")) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(revisions)")]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "digest" not in columns
    assert not {"standing", "leases"} & tables
    monkeypatch.undo()
    assert len(Project.open(first_version).cases()) == 6


def test_two_windows_that_open_an_old_project_at_once_migrate_it_once(first_version):
    opened, threads = [], []
    for _ in range(4):
        threads.append(threading.Thread(target=lambda: opened.append(Project.open(first_version))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(project.cases()) for project in opened] == [6] * 4
    assert len(list(first_version.glob("project.sqlite.version-1.*"))) == 1


def test_rows_of_version_1_are_carried_over_on_either_database(database_url, first_version):
    url = database_url()
    if url is not None:
        _move_to_server(first_version, url)
    project = Project.open(first_version)
    assert len(project.cases()) == 6
    assert [revision.reader for revision in project.revisions("case_2")] == ["Ada", "Bo"]
    assert project.case("case_1").skipped
    assert audit(project).problems == ()
    with project.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def _move_to_server(folder: Path, url: str, version: int = 1) -> None:
    """Make a server keep what the project's SQLite file of an earlier version holds."""
    metadata = sa.MetaData()
    with sa.create_engine(f"sqlite:///{folder / 'project.sqlite'}").connect() as connection:
        metadata.reflect(connection, only=V1_TABLES if version == 1 else _all_but_alembics)
        rows = {
            t: connection.execute(sa.select(t)).mappings().all() for t in metadata.sorted_tables
        }
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        migrate.run_scripts(connection, "base", end=version)
        for table, content in rows.items():
            if content:
                connection.execute(sa.insert(table), [dict(row) for row in content])
    engine.dispose()
    (folder / "project.sqlite").unlink()
    (folder / "database.url").write_text(url)


def _all_but_alembics(table: str, _) -> bool:
    return table != "alembic_version"


def test_the_teacher_of_version_4_goes_on_serving_on_either_database(database_url, tmp_path):
    folder, url = thaw("version_4", tmp_path / "project"), database_url()
    if url is not None:
        _move_to_server(folder, url, 4)
    project = Project.open(folder)
    serving = serving_model(project)
    assert (serving.id, serving.run_id, serving.scores) == ("teacher", 1, {})
    assert (serving.card, serving.origin) == (None, "")
    assert read_proposal(project, "case_002") is not None
    stranger = {"id": "stranger", "folder": "models/stranger", "scores": {}, "created_at": "now"}
    with project.writing() as connection:
        (promotion,) = connection.execute(sa.select(schema.promotions)).all()
        connection.execute(sa.insert(schema.models).values(stranger))  # no run of this project
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(sa.delete(schema.models).where(schema.models.c.id == "teacher"))
    assert (promotion.reason, promotion.reader, promotion.confidence) == ("", None, None)
    with project.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    project.close()


@pytest.mark.parametrize("table", ["showings", "embeddings", "case_scores"])
def test_what_readers_are_shown_and_what_cases_score_has_a_place(pool, table):
    stamp = {"created_at": "2026-01-01T00:00:00+00:00", "model_id": "m", "case_id": "case_001"}
    rows = {
        "showings": {"reader": "Ada", "arm": "control", "strategy": "entropy"},
        "embeddings": {"vector": b"12"},
        "case_scores": {"strategy": "entropy", "score": 0.5},
    }
    row = {key: value for key, value in stamp.items() if key in schema.metadata.tables[table].c}
    with pool.writing() as connection:
        connection.execute(sa.insert(schema.metadata.tables[table]).values(row | rows[table]))
        bad = rows[table] | ({"arm": "luck"} if table == "showings" else {})
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(sa.insert(schema.metadata.tables[table]).values(row | bad))


def test_the_scripts_lead_to_the_tables_that_the_program_uses(first_version):
    project = Project.open(first_version)
    with project.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []


def test_the_scripts_from_the_very_first_lead_there_too():
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        migrate.run_scripts(connection, "base")
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_a_project_of_version_2_learns_how_doubtful_its_words_are(tmp_path):
    project = Project.open(thaw("version_2", tmp_path / "project"))
    assert list_ids(project, CaseFilter(doubtful=True)) == ["case_001"]
    assert list_ids(project, CaseFilter("skipped")) == ["case_002"]
    assert list_ids(project, CaseFilter(at_odds=True)) == []  # the old teacher's zones are unknown
    assert read_proposal(project, "case_002") is not None
    (missing,) = audit(project).problems
    assert missing.startswith("The weights of teacher")  # not frozen
    with project.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
