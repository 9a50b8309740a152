"""The reader against typed texts whose meaning is known."""

from __future__ import annotations

import pytest

from tests.report.real import MOSMED, gold_rows, needs_gold, needs_mosmed
from training.formats.tables import read_table
from training.report import ZONES, parse


def bits(zones: frozenset[str]) -> str:
    return "".join(str(int(zone in zones)) for zone in ZONES)


@needs_gold
@pytest.mark.parametrize("reading", ["clear", "repaired"])
def test_every_decidable_typed_text_is_read_exactly(reading: str) -> None:
    rows = [row for row in gold_rows() if row["reading"] == reading]
    wrong = [
        (row["text"], row["zones_LuLmLlRuRmRl"], bits(parse(row["text"]).zones))
        for row in rows
        if (bits(parse(row["text"]).zones), parse(row["text"]).reading)
        != (row["zones_LuLmLlRuRmRl"], reading)
    ]
    assert rows and wrong == []


@needs_gold
def test_every_undecidable_typed_text_is_flagged_and_left_open() -> None:
    rows = [row for row in gold_rows() if row["reading"] == "ambiguous"]
    for row in rows:
        finding = parse(row["text"])
        assert (finding.reading, finding.zones) == ("ambiguous", frozenset()), row["text"]
        assert finding.problems and finding.possible
    assert len(rows) == 9


@needs_mosmed
def test_every_text_of_the_mosmed_sample_means_what_its_template_says() -> None:
    rows = [row for row in read_table(MOSMED / "Train_Val_text.xlsx") if row.get("description")]
    for row in rows:
        finding, text = parse(row["description"]), row["description"]
        positions = text.rstrip(".").split(", ")[2]
        wanted = set()
        for phrase in positions.split(" and "):
            level, side = phrase.split()[0], "L" if "left" in phrase else "R"
            levels = {"all": "uml", "upper": "u", "middle": "m", "lower": "l"}.get(level, "")
            wanted |= {side + one for one in levels}
        assert finding.zones == wanted, text
        assert finding.conflict == text.startswith("Unilateral") * (" and " in text), text
    assert len(rows) == 25


def test_a_side_without_a_level_in_a_unilateral_text_holds_nothing() -> None:
    finding = parse(
        "Unilateral pulmonary infection, one infected areas, left lung and middle right lung."
    )
    assert finding.zones == {"Rm"}
    assert finding.conflict and "empty-side" in {problem.code for problem in finding.problems}


def test_the_same_form_in_a_bilateral_text_is_left_open() -> None:
    text = "Bilateral pulmonary infection, two infected areas, left lung and middle right lung."
    assert parse(text).reading == "ambiguous"
