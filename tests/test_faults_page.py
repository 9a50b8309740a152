"""The page of faults says what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from training.run_control import ORPHAN
from training.rundir import DELETED
from training.trainer_process import FULL, KILLED

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
TESTS = Path(__file__).parent


def test_every_sentence_about_a_round_stands_in_the_table():
    content = PAGE.read_text(encoding="utf-8")
    for sentence in (ORPHAN, DELETED, FULL, KILLED):
        assert f"| {sentence} |" in content


def test_every_row_has_its_sentence_and_says_what_was_kept():
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    assert len(rows) > 15
    assert all(len(row) == 3 and all(row) for row in rows)


def test_the_tests_that_the_page_names_exist():
    for name in re.findall(r"`tests/([\w/]+\.py)`", PAGE.read_text(encoding="utf-8")):
        assert (TESTS / name).is_file(), name
