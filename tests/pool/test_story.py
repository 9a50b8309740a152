"""The commands about the pool: a case's story, the audit, agreement and adjudication, as a person sees them."""

from __future__ import annotations

import json
import os

import pytest
import sqlalchemy as sa
import typer
from made import LEFT, RIGHT, spot
from typer.testing import CliRunner

from training.cli.pool import register
from training.errors import PoolError, SemiMedRefError
from training.pool import schema
from training.pool.audit import audit
from training.pool.database import name_server
from training.pool.rounds import WEIGHTS, keep_model, register_run
from training.pool.second_reading import ask_second_reading
from training.pool.standing import rebuild

CASE = "case_003"
UMASK = os.umask(0o022)
os.umask(UMASK)
runner = CliRunner()
app = typer.Typer()
register(app)


def _run(*arguments: object):
    result = runner.invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def _read(pool, reader, left, **options):
    words = LEFT if left else RIGHT
    return pool.accept(
        CASE, spot(left, 32), words, reader, source="drawn", outcome="redrawn", **options
    )


def test_a_case_tells_its_story_in_the_order_of_time(pool):
    pool.skip(CASE, "Ada", "needs a second look", active_seconds=2.0)
    _read(
        pool,
        "Ada",
        True,
        model_id="abc123",
        pixels_changed=7,
        dice_to_proposal=0.91,
        active_seconds=12.34,
        strokes=3,
    )
    _read(pool, "Bo", False, started_from=None)
    pool.save_draft(CASE, "Cy", spot(True, 32), LEFT, 4)
    text = _run("log", pool.folder, CASE).output
    told = [
        "imported into training (32 x 32 pixels, patient patient_003)",
        "skipped: needs a second look, 2.0 s of work",
        "revision 1: redrawn, proposed by abc123, 7 pixels changed, Dice 0.910 to the proposal, "
        "12.3 s of work, 3 strokes, the reference now",
        "revision 2: redrawn",
        "contested: Bo had started from an earlier state of the case. (revision 2)",
        "has a draft of 4 strokes",
    ]
    places = [text.index(sentence) for sentence in told]
    assert places == sorted(places)
    assert "contested" in text.splitlines()[0]


def test_the_audit_of_a_sound_project_says_so(pool):
    result = _run("audit", pool.folder)
    assert result.exit_code == 0
    assert "8 cases, 4 revisions" in result.output
    assert "all in order" in result.output


def _flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("store", ["image", "mask"])
def test_the_audit_finds_a_single_flipped_bit(pool, store):
    case = pool.case("case_000")
    _flip_a_byte(pool.folder / getattr(case, store))
    result = _run("audit", pool.folder)
    assert result.exit_code == 1
    assert f"{getattr(case, store)} of case_000 is damaged" in result.output


def test_the_audit_finds_a_missing_file_and_counts_files_that_no_row_names(pool):
    (pool.folder / pool.case("case_000").mask).unlink()
    pool.masks.put(b"accepted by nobody", ".png")
    (pool.folder / "masks" / ".half").write_bytes(b"x")
    found = audit(pool)
    assert any("is missing" in sentence for sentence in found.problems)
    assert found.notes == (
        "1 files are named by no row: their acceptance was cut short or refused.",
        "1 parts of files were left behind by an interruption; they may be deleted.",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"reader": "dataset"},
        {"description": "Other words."},
        {"outcome": "as is"},
        {"dice_to_proposal": 0.5},
    ],
)
def test_the_audit_finds_any_row_that_was_changed_by_hand(pool, changes):
    revision = _read(pool, "Ada", True)
    with pool.writing() as connection:
        table = schema.revisions
        connection.execute(sa.update(table).where(table.c.id == revision.id).values(**changes))
    assert any("is not as it was written" in sentence for sentence in audit(pool).problems)


def test_the_audit_finds_a_revision_that_was_taken_away(pool):
    first = _read(pool, "Ada", True)
    last = _read(pool, "Ada", False)
    for revision, sentence in ((last, "stands otherwise"), (first, "taken away")):
        with pool.writing() as connection:
            table = schema.revisions
            row = connection.execute(sa.select(table).where(table.c.id == revision.id)).one()
            connection.execute(sa.delete(table).where(table.c.id == revision.id))
        assert any(sentence in problem for problem in audit(pool).problems)
        with pool.writing() as connection:
            connection.execute(sa.insert(table).values(dict(row._mapping)))
        assert audit(pool).problems == ()


def test_the_audit_finds_damaged_weights_of_a_teacher(pool, tmp_path):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / WEIGHTS).write_bytes(b"weights")
    run = register_run(pool, pool.folder / "runs" / "0001", 1, 1)
    model = keep_model(pool, run, tmp_path / "best", {})
    assert audit(pool).problems == ()
    (model.folder / WEIGHTS).write_bytes(b"other weights")
    assert audit(pool).problems == (
        f"The weights of teacher {model.id} are damaged: their content is not what its name says.",
    )
    (model.folder / WEIGHTS).unlink()
    assert "are missing" in audit(pool).problems[0]


def test_the_audit_finds_a_patient_on_both_sides_of_the_holdout(pool):
    with pool.writing() as connection:
        table = schema.cases
        connection.execute(
            sa.update(table).where(table.c.id == "case_006").values(patient="patient_000")
        )
    assert any("the holdout leaks" in sentence for sentence in audit(pool).problems)


def test_a_wrong_standing_is_found_and_rebuilt(pool):
    with pool.writing() as connection:
        connection.execute(sa.update(schema.standing).values(zones=0, skipped=True))
    assert any("(skipped, zones)" in sentence for sentence in audit(pool).problems)
    before = pool.cases()
    assert _run("audit", pool.folder, "--rebuild").exit_code == 0
    assert pool.cases() != before
    with pool.writing() as connection:
        rebuild(connection)
    assert audit(pool).problems == ()


def test_words_that_are_read_otherwise_today_are_a_note_and_no_problem(pool):
    with pool.writing() as connection:
        table = schema.standing
        connection.execute(sa.update(table).where(table.c.case_id == CASE).values(zones=0))
    found = audit(pool)
    assert found.problems == ()
    assert found.notes == ("1 descriptions name other zones as they are read today: rebuild.",)


def test_second_readings_agreement_and_adjudication_by_command(pool, tmp_path):
    with pytest.raises(PoolError, match="no blind second reading yet"):
        _run("agreement", pool.folder)
    _read(pool, "Ada", True)
    assert "1 cases wait" in _run("second", pool.folder, "--count", 5).output
    assert ask_second_reading(pool, [CASE]) == 0
    _read(pool, "Bo", False, reading="blind")
    result = _run("agreement", pool.folder, "--below", 0.5, "--json", tmp_path / "figures.json")
    assert "1 cases read twice: Dice 0.000 mean" in result.output
    assert json.loads((tmp_path / "figures.json").read_text())["cases"] == {CASE: 0.0}
    (tmp_path / "file").touch()
    with pytest.raises(SemiMedRefError, match=r"file/figures.json cannot be used"):
        _run("agreement", pool.folder, "--json", tmp_path / "file" / "figures.json")
    assert "1 cases wait for adjudication" in _run("adjudicate", pool.folder).output
    with pytest.raises(PoolError, match="give --take NUMBER"):
        _run("adjudicate", pool.folder, CASE)
    with pytest.raises(PoolError, match="has no revision 9"):
        _run("adjudicate", pool.folder, CASE, "--take", 9, "--reader", "Chief")
    with pytest.raises(PoolError, match="who decides"):
        _run("adjudicate", pool.folder, CASE, "--take", 2)
    _run("adjudicate", pool.folder, CASE, "--take", 2, "--reader", "Chief")
    assert pool.case(CASE).description == RIGHT
    assert "0 cases wait" in _run("adjudicate", pool.folder).output


def test_a_project_is_made_by_command_and_two_never_share_a_database(database_url, tmp_path):
    url = database_url()
    options = [] if url is None else ["--database", url]
    assert (
        "is ready" in _run("create", tmp_path / "new", "--laterality", "patient", *options).output
    )
    with pytest.raises(PoolError, match="holds a project already"):
        _run("create", tmp_path / "new", *options)
    if url is not None:
        assert not (tmp_path / "new" / "project.sqlite").exists()
        assert (tmp_path / "new" / "database.url").stat().st_mode & 0o777 == 0o666 & ~UMASK
        secret = url.replace("semimedref@", "semimedref:secret@")
        name_server(tmp_path, secret)
        assert (tmp_path / "database.url").stat().st_mode & 0o777 == 0o600
        with pytest.raises(PoolError, match="holds a project already"):
            _run("create", tmp_path / "other", *options)
        assert not (tmp_path / "other" / "database.url").exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql+psycopg://nobody@127.0.0.1:9/none", "cannot be reached"),
        ("mysql://somewhere/x", "is no database for a project"),
        ("nonsense", "names no database"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_in_a_sentence(tmp_path, url, sentence):
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra: postgres)")
    with pytest.raises(PoolError, match=sentence):
        _run("create", tmp_path / "p", "--database", url)
    assert not (tmp_path / "p" / "database.url").exists()
