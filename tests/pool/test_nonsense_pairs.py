"""Pairs of films called nonsense: reported, taken back, kept for good, and carried by the next snapshot."""

from __future__ import annotations

import hashlib
import json

import pytest
import sqlalchemy as sa
from test_migrations import thaw
from typer.testing import CliRunner

from training.cli import app
from training.errors import PoolError
from training.pool import Project, schema
from training.pool.audit import audit
from training.pool.pairs import (
    nonsense_pairs,
    pair_log,
    pairs_apart,
    report_pair,
    withdraw_pair,
)
from training.pool.story import story
from training.round import freeze
from training.snapshot import Snapshot

ONE, OTHER, THIRD = "case_001", "case_003", "case_004"


def test_a_report_says_who_called_what_nonsense_when_and_why(pool):
    report_pair(pool, OTHER, ONE, "Ada", " two scanners ")
    (report,) = nonsense_pairs(pool)
    assert (report.case_id, report.partner_id, report.reader) == (OTHER, ONE, "Ada")
    assert report.reason == "two scanners"
    assert report.created_at > "2000"
    assert pairs_apart(pool) == [(ONE, OTHER)]
    again = Project.open(pool.folder)
    assert pairs_apart(again) == [(ONE, OTHER)]
    again.close()


def test_taking_a_report_back_adds_a_row_and_frees_the_pair(pool):
    report_pair(pool, ONE, OTHER, "Ada")
    withdraw_pair(pool, OTHER, ONE, "Ben", "looked again")
    assert pairs_apart(pool) == []
    assert [(r.number, r.verdict, r.reader) for r in pair_log(pool)] == [
        (1, "nonsense", "Ada"),
        (2, "fine", "Ben"),
    ]
    report_pair(pool, ONE, OTHER, "Ada")
    assert pairs_apart(pool) == [(ONE, OTHER)]


@pytest.mark.parametrize(
    ("pair", "reader", "sentence"),
    [
        ((ONE, ONE), "Ada", "pair with itself"),
        ((ONE, "nobody"), "Ada", "There is no case 'nobody'"),
        ((OTHER, ONE), "  ", "Say who"),
        ((THIRD, ONE), "Ada", "kept apart already"),
    ],
)
def test_impossible_reports_change_nothing(pool, pair, reader, sentence):
    report_pair(pool, ONE, THIRD, "Ada")
    with pytest.raises(PoolError, match=sentence):
        report_pair(pool, *pair, reader)
    assert len(pair_log(pool)) == 1


def test_what_nobody_reported_cannot_be_taken_back(pool):
    with pytest.raises(PoolError, match="Nobody called case_001 and case_003 nonsense"):
        withdraw_pair(pool, ONE, OTHER, "Ada")


def test_the_audit_notices_a_report_that_was_changed_or_taken_away(pool):
    for partner in (OTHER, THIRD, "case_005"):
        report_pair(pool, ONE, partner, "Ada")
    assert audit(pool).problems == ()
    table = schema.pair_reports
    with pool.writing() as connection:
        connection.execute(sa.update(table).where(table.c.number == 2).values(reason="other"))
    assert "Report 2 about a pair of films" in audit(pool).problems[0]
    with pool.writing() as connection:
        connection.execute(sa.delete(table).where(table.c.number == 2))
    assert audit(pool).problems == (
        "There is no report 2 about a pair of films: it was taken away.",
    )


def test_both_cases_stories_tell_of_the_pair(pool):
    report_pair(pool, ONE, OTHER, "Ada", "rotated")
    withdraw_pair(pool, ONE, OTHER, "Ben")
    for case, partner in ((ONE, OTHER), (OTHER, ONE)):
        told = [event.sentence for event in story(pool, case) if "called" in event.sentence]
        assert told == [
            f"called nonsense to mix with {partner}: rotated",
            f"called fine to mix after all with {partner}",
        ]


def test_the_next_snapshot_carries_the_pairs_of_training_films_and_has_another_digest(pool):
    before = freeze(pool)
    held_out = pool.cases("gate")[0].id
    report_pair(pool, ONE, held_out, "Ada")
    assert freeze(pool).digest() == before.digest()  # a held out film is never mixed anyway
    report_pair(pool, OTHER, ONE, "Ada")
    carrying = freeze(pool)
    assert carrying.apart == ((ONE, OTHER),)
    assert carrying.digest() != before.digest()
    withdraw_pair(pool, OTHER, ONE, "Ada")
    assert freeze(pool).digest() == before.digest()


def test_a_snapshot_of_an_earlier_version_loads_with_the_digest_it_had(pool, tmp_path):
    report_pair(pool, ONE, OTHER, "Ada")
    content = json.loads(freeze(pool).model_dump_json(exclude={"apart"}))
    plain = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    (tmp_path / "snapshot.json").write_text(plain)
    loaded = Snapshot.load(tmp_path / "snapshot.json")
    assert loaded.apart == ()
    assert loaded.digest() == hashlib.sha256(plain.encode()).hexdigest()
    loaded.save(tmp_path / "again.json")
    assert "apart" not in json.loads((tmp_path / "again.json").read_text())


def test_pairs_survive_the_way_through_a_snapshots_file(pool, tmp_path):
    report_pair(pool, ONE, OTHER, "Ada")
    snapshot = freeze(pool)
    snapshot.save(tmp_path / "snapshot.json")
    assert Snapshot.load(tmp_path / "snapshot.json") == snapshot
    assert Snapshot.load(tmp_path / "snapshot.json").digest() == snapshot.digest()


def test_a_project_of_an_earlier_version_has_no_pairs_and_takes_one(tmp_path):
    project = Project.open(thaw("version_3", tmp_path / "project"))
    assert pairs_apart(project) == []
    report_pair(project, "case_000", "case_001", "Ada")
    assert pairs_apart(project) == [("case_000", "case_001")]
    project.close()


def test_the_command_lists_adds_and_removes_pairs(pool):
    def call(*arguments):
        return CliRunner().invoke(app, ["pairs", str(pool.folder), *arguments])

    added = call("--add", ONE, OTHER, "--reader", "Ada", "--reason", "rotated")
    assert f"{ONE} and {OTHER} are never mixed" in added.output
    listed = call().output
    assert f"{ONE} {OTHER}  called nonsense by Ada" in listed
    assert "rotated" in listed
    assert "1 pairs are never mixed." in listed
    assert isinstance(call("--remove", ONE, OTHER).exception, PoolError)  # by whom?
    assert "may be mixed again" in call("--remove", OTHER, ONE, "--reader", "Ben").output
    assert call().output == "0 pairs are never mixed.\n"
    assert "taken back by Ben" in call("--all").output
