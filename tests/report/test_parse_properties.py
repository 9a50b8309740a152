"""What must hold for the reader on any text."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings

from tests.report.real import gold_rows, needs_gold
from tests.report.strategies import ALL_FINDINGS, any_text, findings, mistyped, styles
from training.report import STYLES, ZONES, parse, render
from training.report.finding import laterality_of

OTHER = {"L": "R", "R": "L"}


@pytest.mark.parametrize("style", STYLES)
def test_all_64_findings_survive_writing_and_reading(style: str) -> None:
    for zones in ALL_FINDINGS:
        finding = parse(render(zones, style))
        assert (finding.zones, finding.reading, finding.conflict) == (zones, "clear", False)
        assert (finding.is_negative, finding.has_position) == (not zones, True)
        assert finding.laterality == laterality_of(zones)
        assert parse(render(finding, style)) == finding


@given(findings, styles)
def test_a_stated_count_survives_writing_and_reading(zones: frozenset[str], style: str) -> None:
    if zones and style != "plain":
        assert parse(render(zones, style, count=7)).count == 7


@given(any_text)
@settings(max_examples=400)
def test_any_text_is_read_without_an_error_and_spans_index_it(text: str) -> None:
    finding = parse(text)
    assert finding.text == text
    assert finding.zones <= set(ZONES)
    end = 0
    for phrase in finding.phrases:
        assert phrase.start >= end
        assert text[phrase.start : phrase.end] == phrase.text != ""
        end = phrase.end
    for problem in finding.problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.sentence.endswith((".", ")"))
    if finding.reading in ("ambiguous", "none"):
        assert not finding.zones
    if finding.reading == "ambiguous":
        assert any(problem.weight == 3 for problem in finding.problems)


@given(mistyped())
@settings(max_examples=1500, deadline=None)
def test_typing_errors_never_turn_a_side_or_a_level_into_another(
    case: tuple[frozenset[str], str, str],
) -> None:
    zones, _, typed = case
    finding = parse(typed)
    if finding.reading == "clear":
        new = finding.zones - zones
        assert not {zone for zone in new if OTHER[zone[0]] + zone[1] in zones - finding.zones}
        assert not {
            zone for zone in new if {zone[0] + level for level in "uml"} & (zones - finding.zones)
        }


def test_a_repair_never_crosses_sides_or_levels() -> None:
    for word, letter in (
        ("left", "L"),
        ("right", "R"),
        ("lefft", "L"),
        ("rihgt", "R"),
        ("lift", "L"),
    ):
        assert {z[0] for z in parse(f"opacity in the lower {word} lung").zones} == {letter}
    for word in ("reft", "leght", "upwer", "loper", "miper"):
        finding = parse(f"Unilateral pulmonary infection, one infected area, {word} left lung.")
        assert finding.reading == "ambiguous", word


def test_a_whole_zone_in_mixed_capitals_is_not_trusted() -> None:
    assert parse("lUL opacity").reading != "clear"
    assert parse("rul opacity").zones == {"Ru"}


def test_random_strings_never_raise() -> None:
    for text in random_strings(3_000):
        parse(text)


@pytest.mark.slow
def test_a_hundred_thousand_random_strings_never_raise() -> None:
    for text in random_strings(100_000):
        parse(text)


def test_a_very_long_text_is_read_without_an_error() -> None:
    assert parse("left lung, " * 20_000).text


@needs_gold
def test_gold_texts_keep_their_meaning_in_any_capitals() -> None:
    for row in gold_rows():
        if row["reading"] == "clear":
            assert parse(row["text"].upper()).zones == parse(row["text"]).zones, row["text"]


def random_strings(number: int) -> list[str]:
    rng = random.Random(7)
    alphabets = (string.printable, "leftrighupmdwoa ,.", "".join(map(chr, range(1, 0x2FF))))
    return [
        "".join(rng.choice(rng.choice(alphabets)) for _ in range(rng.randrange(160)))
        for _ in range(number)
    ]
