"""The rule by which rounds may be started, and start by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import small_project

from training.auto_start import (
    NOT_INSTALLED,
    QUIET_SECONDS,
    AutoStart,
    Standing,
    auto_start_of,
    engine_installed,
    refuse_too_few,
    save_auto_start,
    starts_by_itself,
    why_not,
)
from training.errors import ConfigError, PoolError
from training.pool import Run

ON, OFF = AutoStart(enabled=True, labels=20), AutoStart()


def run(number: int = 3, labeled: int = 30, outcome: str | None = "promoted") -> Run:
    return Run(number, Path("run"), labeled, 100, "now", outcome, None)


@pytest.mark.parametrize(
    ("standing", "wanted", "words"),
    [
        (Standing(42, run()), ON, "12 new labels since round 3; needs 20."),
        (Standing(31, run()), ON, "1 new label since round 3; needs 20."),
        (Standing(5), ON, "5 new labels; needs 20."),
        (Standing(42, run(), alive=True, own=False), OFF, "Another window's round is under way."),
        (Standing(42, run(), alive=True), OFF, "Round 3 is under way."),
        (Standing(42, run(), engine=False), OFF, NOT_INSTALLED),
        (Standing(0), OFF, "Nothing is labeled yet: accept a few cases first."),
        (Standing(30, run()), OFF, ""),
        (Standing(50, run()), ON, ""),
    ],
)
def test_a_grey_button_has_its_reason(standing, wanted, words):
    assert why_not(standing, wanted) == words


def test_a_round_starts_by_itself_once_enough_is_new_and_nobody_labels_any_more():
    ready = Standing(50, run())
    assert starts_by_itself(ready, ON, QUIET_SECONDS)
    assert not starts_by_itself(ready, ON, QUIET_SECONDS - 1)
    assert not starts_by_itself(ready, ON, QUIET_SECONDS, busy=True)
    assert not starts_by_itself(ready, OFF, QUIET_SECONDS)
    assert not starts_by_itself(Standing(49, run()), ON, QUIET_SECONDS)


@pytest.mark.parametrize("outcome", ["stopped", "failed", None])
def test_after_a_round_that_was_left_a_person_decides(outcome):
    assert not starts_by_itself(Standing(99, run(outcome=outcome)), ON, 1000)


def test_labels_accepted_during_a_round_count_for_the_next_one():
    during = Standing(55, run(labeled=30, outcome=None), alive=True)
    assert not starts_by_itself(during, ON, 1000)
    after = Standing(55, run(labeled=30))
    assert after.new_labels == 25
    assert starts_by_itself(after, ON, 1000)


def test_the_first_round_counts_all_labels():
    assert starts_by_itself(Standing(20), ON, 1000)
    assert not starts_by_itself(Standing(19), ON, 1000)


def test_what_a_project_wants_is_kept_and_a_damaged_file_is_named(tmp_path):
    project = small_project(tmp_path / "p", labeled=2, unlabeled=1, holdout=0)
    assert auto_start_of(project) == OFF
    save_auto_start(project, ON)
    assert auto_start_of(project) == ON
    (project.folder / "auto_start.json").write_text('{"labels": 0}')
    with pytest.raises(ConfigError, match="start rounds by hand again"):
        auto_start_of(project)
    refuse_too_few(project, 2)
    with pytest.raises(PoolError, match="No round was started: 2 new labels; needs 3"):
        refuse_too_few(project, 3)


def test_the_engine_is_looked_for_without_importing_it():
    assert engine_installed()
