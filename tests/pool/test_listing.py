"""Lists of cases: what each filter lets through, what a row tells, and what a search cannot do. On both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from made import LEFT, RIGHT, spot

from training.errors import PoolError
from training.pool import schema
from training.pool.listing import (
    CaseFilter,
    left_on_desk,
    list_blind_rows,
    list_ids,
    list_readers,
    list_rows,
    recent_cases,
)
from training.pool.standing import bits_of
from training.pool.texts import past_texts
from training.pool.times import now

UNLABELED = ["case_002", "case_003", "case_004", "case_005"]


def teach(pool, zones):
    """Let a teacher serve whose pseudo-masks touch these zones everywhere."""
    run = {"folder": "runs/1", "labeled": 1, "unlabeled": 1, "created_at": now()}
    row = {"model_id": "t", "probability": "p.png", "description": "", "entropy": 0.1}
    row |= {"foreground": 0.1, "zones": bits_of(zones)}
    with pool.writing() as connection:
        key = connection.scalar(sa.insert(schema.runs).values(run).returning(schema.runs.c.id))
        model = {"id": "t", "run_id": key, "folder": "models/t", "scores": {}, "created_at": now()}
        connection.execute(sa.insert(schema.models).values(model))
        rows = [row | {"case_id": case_id} for case_id in UNLABELED]
        connection.execute(sa.insert(schema.proposals), rows)
        connection.execute(sa.insert(schema.promotions).values(model_id="t", created_at=now()))


def accept(pool, case_id, words=LEFT, reader="Ada", **options):
    return pool.accept(case_id, spot(True, 32), words, reader, source="drawn", **options)


def test_without_a_filter_every_case_is_listed_in_the_order_of_import(pool):
    assert list_ids(pool, CaseFilter()) == [case.id for case in pool.cases()]


def test_states_divide_the_cases(pool):
    pool.skip("case_003", "Ada", "film unreadable")
    assert list_ids(pool, CaseFilter("waiting")) == ["case_002", "case_004", "case_005"]
    assert list_ids(pool, CaseFilter("skipped")) == ["case_003"]
    assert list_ids(pool, CaseFilter("labeled")) == ["case_000", "case_001"]
    assert list_ids(pool, CaseFilter("holdout")) == ["case_006", "case_007"]
    assert list_ids(pool, CaseFilter("contested")) == []


def test_a_case_that_two_readers_answered_differently_is_listed_as_contested(pool):
    accept(pool, "case_002", started_from=None)
    accept(pool, "case_002", RIGHT, "Ben", started_from=None)
    assert list_ids(pool, CaseFilter("contested")) == ["case_002"]
    assert list_rows(pool, ["case_002"])["case_002"].contested


def test_a_reader_finds_what_they_accepted(pool):
    accept(pool, "case_004")
    assert list_ids(pool, CaseFilter(reader="Ada")) == ["case_004"]
    assert list_ids(pool, CaseFilter("waiting", reader="Ada")) == []
    assert list_readers(pool) == ["Ada", "dataset"]


def test_a_zone_is_found_in_the_present_words(pool):
    assert list_ids(pool, CaseFilter("waiting", zone="Ll")) == ["case_002", "case_004"]
    accept(pool, "case_002", RIGHT)
    assert "case_002" in list_ids(pool, CaseFilter(zone="Ru"))
    assert "case_002" not in list_ids(pool, CaseFilter(zone="Ll"))


def test_words_with_a_problem_are_listed_until_they_are_mended(pool):
    assert list_ids(pool, CaseFilter(doubtful=True)) == []
    accept(pool, "case_003", "Bilateral pulmonary infection, one infected area, lower left lung.")
    assert list_ids(pool, CaseFilter(doubtful=True)) == ["case_003"]
    assert list_rows(pool, ["case_003"])["case_003"].doubt == 2
    accept(pool, "case_003", LEFT)
    assert list_ids(pool, CaseFilter(doubtful=True)) == []


def test_words_on_another_side_than_the_teachers_mask_are_at_odds_with_it(pool):
    assert list_ids(pool, CaseFilter(at_odds=True)) == []
    teach(pool, ("Ll",))
    assert list_ids(pool, CaseFilter(at_odds=True)) == ["case_003", "case_005"]
    rows = list_rows(pool, UNLABELED)
    assert [rows[case_id].at_odds for case_id in UNLABELED] == [False, True, False, True]


def test_every_word_of_a_search_must_be_there_in_any_case_and_order(pool):
    assert list_ids(pool, CaseFilter("waiting", words="RIGHT upper")) == ["case_003", "case_005"]
    assert list_ids(pool, CaseFilter(words="upper left")) == []
    assert list_ids(pool, CaseFilter(words="e_005")) == ["case_005"]


@pytest.mark.parametrize("words", ["%", "_%", "' OR 1=1 --", "\\", "/", "[a-z]", "\0%"])
def test_a_search_takes_every_sign_as_it_is_written(pool, words):
    odd = f"Odd {words} words."
    assert list_ids(pool, CaseFilter("waiting", words=words)) == []
    accept(pool, "case_004", odd)
    assert list_ids(pool, CaseFilter("labeled", words=words)) == ["case_004"]


def test_a_search_looks_at_present_words_only(pool):
    accept(pool, "case_002", "Something else.")
    assert list_ids(pool, CaseFilter(words="something")) == ["case_002"]
    assert "case_002" not in list_ids(pool, CaseFilter(words="infected"))


def test_rows_tell_words_reader_and_the_latest_reason_of_a_skip(pool):
    pool.skip("case_003", "Ada", "film unreadable")
    pool.skip("case_003", "Ben", "patient is turned")
    accept(pool, "case_002")
    rows = list_rows(pool, ["case_003", "case_002", "case_999"])
    assert set(rows) == {"case_002", "case_003"}
    assert rows["case_003"].skip_reason == "patient is turned"
    assert (rows["case_002"].reader, rows["case_002"].description) == ("Ada", LEFT)
    assert rows["case_003"].zones == {"Ru"}
    assert list_rows(pool, []) == {}


def test_a_blind_row_shows_the_first_words_and_nothing_of_a_reader(pool):
    accept(pool, "case_002", RIGHT)
    row = list_blind_rows(pool, ["case_002"])["case_002"]
    assert (row.description, row.reader, row.pool) == (LEFT, "", "unlabeled")


def test_recent_cases_end_with_the_latest_and_name_each_once(pool):
    accept(pool, "case_002")
    pool.skip("case_003", "Ada", "later")
    accept(pool, "case_004", reader="Ben")
    accept(pool, "case_002")
    assert recent_cases(pool, "Ada") == ["case_003", "case_002"]
    assert recent_cases(pool, "Ada", count=1) == ["case_002"]
    assert recent_cases(pool, "Nobody") == []


def test_the_past_texts_of_a_case_are_told_latest_first_without_repetition(pool):
    for words in (LEFT, RIGHT, RIGHT, LEFT):
        accept(pool, "case_002", words)
    told = [(past.reader, past.text) for past in past_texts(pool, "case_002")]
    assert told == [("Ada", LEFT), ("Ada", RIGHT), ("", LEFT)]
    with pytest.raises(PoolError, match="case_999"):
        past_texts(pool, "case_999")


def test_an_unknown_state_is_refused_with_those_there_are():
    with pytest.raises(PoolError, match="choose one of any, waiting"):
        CaseFilter(state="asleep")


def test_what_lay_on_the_desk_last_is_the_newest_draft_unless_something_was_done_since(pool):
    first, second, third = UNLABELED[:3]
    assert left_on_desk(pool, "Ada") is None
    for case_id in (first, second):
        pool.save_draft(case_id, "Ada", spot(True, 32), LEFT, 1)
    assert left_on_desk(pool, "Ada") == second
    assert left_on_desk(pool, "Bo") is None
    accept(pool, second, reader="Bo")
    assert left_on_desk(pool, "Ada") is None  # somebody else is done with it
    pool.save_draft(first, "Ada", spot(True, 32), LEFT, 2)
    assert left_on_desk(pool, "Ada") == first
    accept(pool, third)
    assert left_on_desk(pool, "Ada") is None
