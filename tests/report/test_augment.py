"""PosAug, span mixing, swapping and the generic text augmentation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.real import gold_rows, needs_gold
from tests.report.strategies import any_text, findings, mistyped, named_findings, styles, written
from training.report import (
    UNKNOWN_POSITION,
    ReportError,
    Rewrite,
    draw_posaug,
    draw_strong_text,
    mix_spans,
    normalize,
    parse,
    posaug,
    render,
    rewrite_zones,
    strong_text,
    swap_sides,
)

TEXT = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung."
MIRROR = {"L": "R", "R": "L"}


def assert_edits_lead_there(text: str, rewrite: Rewrite) -> None:
    pieces, at = [], 0
    for edit in rewrite.edits:
        assert at <= edit.start <= edit.end <= len(text)
        assert text[edit.start : edit.end] == edit.before
        pieces += [text[at : edit.start], edit.after]
        at = edit.end
    assert "".join(pieces) + text[at:] == rewrite.text


def mirrored(zones: frozenset[str]) -> frozenset[str]:
    return frozenset(MIRROR[zone[0]] + zone[1] for zone in zones)


def test_hiding_one_phrase_takes_the_words_along_that_would_betray_it() -> None:
    hidden = posaug(TEXT, ("drop", "keep"))
    assert hidden.text == "Pulmonary infection, infected areas, [UNK_POS] and lower right lung."
    assert posaug(TEXT, ("keep", "fuzz")).text.endswith("upper left lung and a region of the lung.")
    assert_edits_lead_there(TEXT, hidden)


def test_two_hidden_neighbors_do_not_say_that_there_were_two() -> None:
    assert posaug(TEXT, ("drop", "drop")).text.count(UNKNOWN_POSITION) == 1
    assert (
        posaug(TEXT, ("fuzz", "drop")).text
        == "Pulmonary infection, infected areas, a region of the lung."
    )


def test_keeping_everything_changes_nothing() -> None:
    assert posaug(TEXT, ("keep", "keep")) == Rewrite(TEXT)


@given(any_text, st.sampled_from(["drop", "fuzz"]))
@settings(max_examples=400)
def test_posaug_on_every_phrase_leaves_no_zone_of_any_text(text: str, action: str) -> None:
    hidden = posaug(text, (action,) * len(parse(text).phrases))
    after = parse(hidden.text)
    assert not after.zones
    assert not after.phrases
    assert_edits_lead_there(text, hidden)


@given(mistyped(), st.sampled_from(["drop", "fuzz"]))
@settings(max_examples=300, deadline=None)
def test_posaug_on_every_phrase_hides_sides_of_written_texts(
    case: tuple[frozenset[str], str, str], action: str
) -> None:
    text = case[1]
    hidden = posaug(text, (action,) * len(parse(text).phrases)).text
    assert not re.search(
        r"left|right|upper|middle|lower|lateral|\b(one|two|three|four|five|six)\b", hidden, re.I
    )


@given(named_findings, named_findings, styles)
def test_texts_hidden_whole_are_equal_whatever_they_said(
    one: frozenset[str], other: frozenset[str], style: str
) -> None:
    hidden = [
        posaug(text, ("drop",) * len(parse(text).phrases)).text
        for text in (render(one, style), render(other, style))
    ]
    assert re.sub(" the ", " ", hidden[0]) == re.sub(" the ", " ", hidden[1])


def test_draws_are_seeded_and_follow_their_chances() -> None:
    draws = draw_posaug(np.random.default_rng(3), 20_000, 0.5, 0.25)
    assert draws == draw_posaug(np.random.default_rng(3), 20_000, 0.5, 0.25)
    assert abs(draws.count("keep") / 20_000 - 0.5) < 0.02
    assert abs(draws.count("fuzz") / 20_000 - 0.125) < 0.02
    assert set(draw_posaug(np.random.default_rng(0), 50, 1.0, 0.0)) == {"drop"}


def test_actions_that_do_not_fit_the_phrases_are_refused() -> None:
    with pytest.raises(ReportError, match="2 positional phrases"):
        posaug(TEXT, ("drop",))
    with pytest.raises(ReportError, match="no action"):
        posaug(TEXT, ("drop", "hide"))
    with pytest.raises(ReportError, match="probability"):
        draw_posaug(np.random.default_rng(0), 1, 1.5, 0.5)


@given(written, findings)
def test_new_zones_are_written_consistently(
    case: tuple[frozenset[str], str], zones: frozenset[str]
) -> None:
    rewrite = rewrite_zones(case[1], zones)
    after = parse(rewrite.text)
    assert (after.zones, after.reading, after.conflict) == (zones, "clear", False)
    assert_edits_lead_there(case[1], rewrite)


def test_new_zones_keep_the_readers_other_words() -> None:
    text = "Old films compared. Hazy opacity in the right lower lobe, probably viral; follow up."
    after = rewrite_zones(text, {"Lu"}).text
    assert (
        after
        == "Old films compared. Hazy opacity in the upper left lung, probably viral; follow up."
    )
    assert rewrite_zones(text, parse(text).zones) == Rewrite(text)


def test_new_zones_repair_a_contradiction() -> None:
    text = "Unilateral pulmonary infection, two infected areas, all left lung and all right lung."
    assert rewrite_zones(text, parse(text).zones).text.startswith(
        "Bilateral pulmonary infection, two"
    )


def test_no_zone_left_becomes_a_plain_negative() -> None:
    assert parse(rewrite_zones(TEXT, ()).text).is_negative


@needs_gold
def test_new_zones_can_be_written_into_every_typed_text() -> None:
    for row in gold_rows():
        for zones in (frozenset({"Lm"}), frozenset({"Lu", "Rl"}), frozenset()):
            after = parse(rewrite_zones(row["text"], zones).text)
            assert after.zones == zones and not after.conflict, row["text"]


def test_mixing_replaces_or_joins_phrases_count_and_laterality() -> None:
    one = "Unilateral pulmonary infection, one infected area, upper left lung."
    other = "Unilateral pulmonary infection, two infected areas, upper lower right lung."
    assert mix_spans(one, other).text == other
    assert mix_spans(one, other, "conjunction").text == (
        "Bilateral pulmonary infection, three infected areas, upper left lung and upper lower right lung."
    )


@given(written, written)
def test_mixing_any_two_texts_gives_a_consistent_one(
    one: tuple[frozenset[str], str], other: tuple[frozenset[str], str]
) -> None:
    replaced, joined = mix_spans(one[1], other[1]), mix_spans(one[1], other[1], "conjunction")
    assert parse(replaced.text).zones == other[0]
    assert parse(joined.text).zones == one[0] | other[0]
    assert not parse(replaced.text).conflict and not parse(joined.text).conflict


def test_mixing_edits_no_text_that_has_no_position() -> None:
    assert mix_spans("Patchy opacity.", TEXT) == Rewrite("Patchy opacity.")
    assert mix_spans(TEXT, "No pulmonary infection, zero infected areas.") == Rewrite(TEXT)
    with pytest.raises(ReportError, match="mixing"):
        mix_spans(TEXT, TEXT, "blend")


@given(written)
def test_swapping_twice_is_the_identity_and_once_mirrors_the_zones(
    case: tuple[frozenset[str], str],
) -> None:
    zones, text = case
    swapped = swap_sides(text)
    assert parse(swapped.text).zones == mirrored(zones)
    assert swap_sides(swapped.text).text == text
    assert_edits_lead_there(text, swapped)


@given(any_text)
@settings(max_examples=300)
def test_swapping_a_clear_text_twice_is_the_identity(text: str) -> None:
    finding = parse(text)
    swapped = swap_sides(text)
    if finding.reading == "clear":
        twice = swap_sides(swapped.text).text
        assert swap_sides(twice).text == swapped.text
        assert parse(swapped.text).zones == mirrored(finding.zones)
        # Misspelt sides, also of what is no finding, are spelled right on the way.
        if not {"spelling", "other-structure"} & {problem.code for problem in finding.problems}:
            assert twice == text


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("RUL and LLL consolidation", "LUL and RLL consolidation"),
        ("Lt. base, RIGHT apex", "Rt. base, LEFT apex"),
        ("bright line, upright film", "bright line, upright film"),
        ("lower lift lung", "lower right lung"),
    ],
)
def test_every_form_of_a_side_is_swapped_and_nothing_else(text: str, swapped: str) -> None:
    assert swap_sides(text).text == swapped


@given(any_text)
@settings(max_examples=300)
def test_normal_form_is_idempotent_and_keeps_the_meaning(text: str) -> None:
    once = normalize(text)
    assert normalize(once.text).text == once.text
    assert parse(once.text).zones == parse(text).zones
    assert_edits_lead_there(text, once)


@needs_gold
def test_normal_form_of_every_repaired_text_reads_clear() -> None:
    for row in gold_rows():
        if row["reading"] == "repaired":
            after = parse(normalize(row["text"]).text)
            assert (after.reading, after.zones) == ("clear", parse(row["text"]).zones), row["text"]


def test_generic_text_augmentation_follows_its_draws() -> None:
    words = "Bilateral pulmonary infection, upper left lung."
    actions = ("keep", "synonym", "drop", "swap", "keep", "keep")
    changed = strong_text(words, actions)
    assert changed.text == "Bilateral lung , left upper lung."
    assert_edits_lead_there(words, changed)
    assert strong_text("lung", ("drop",)).text == "lung"
    with pytest.raises(ReportError, match="6 words"):
        strong_text(words, ("keep",))


def test_generic_text_augmentation_is_seeded() -> None:
    draws = draw_strong_text(np.random.default_rng(5), TEXT, 0.3, 0.3, 0.3)
    assert draws == draw_strong_text(np.random.default_rng(5), TEXT, 0.3, 0.3, 0.3)
    assert strong_text(TEXT, np.random.default_rng(5)) == strong_text(
        TEXT, np.random.default_rng(5)
    )
    with pytest.raises(ReportError, match="chances"):
        draw_strong_text(np.random.default_rng(5), TEXT, 0.8, 0.8, 0)
