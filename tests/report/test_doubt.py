"""Contradictions inside a text, between text and mask, about the convention, and over a whole data set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.report.real import MOSMED, QATA, needs_mosmed, needs_qata
from tests.report.test_zones import drawn
from training.cli.report import app
from training.report import (
    ReportError,
    apply_fix,
    check_convention,
    check_mask,
    convert_sides,
    parse,
    render,
)


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse(text).problems if problem.weight >= 2]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "Unilateral pulmonary infection, two infected areas, lower left lung and lower right lung.",
            "laterality-conflict",
        ),
        (
            "Bilateral pulmonary infection, two infected areas, lower left lung.",
            "laterality-conflict",
        ),
        (
            "Bilateral pulmonary infection, one infected area, lower left lung and lower right lung.",
            "count-conflict",
        ),
        (
            "Unilateral pulmonary infection, one infected area, upper lower left lung.",
            "count-conflict",
        ),
        (
            "Bilateral pulmonary infection, two infected areas, upper left lung and lower left lung.",
            "side-named-twice",
        ),
    ],
)
def test_a_contradiction_is_told_and_its_fix_takes_it_away(text: str, code: str) -> None:
    finding = parse(text)
    assert finding.reading == "clear" and finding.conflict
    problem = next(problem for problem in finding.problems if problem.code == code)
    assert code not in codes(apply_fix(text, problem))


def test_a_sound_text_has_no_problem() -> None:
    assert (
        parse(
            "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung."
        ).problems
        == ()
    )


def test_a_place_said_to_be_clear_and_affected_is_left_open() -> None:
    finding = parse("Left lower lobe opacity. The left lower lobe is clear.")
    assert finding.reading == "ambiguous"
    assert codes(finding.text) == ["affirmed-and-denied"]


def test_text_and_mask_that_agree_raise_no_doubt() -> None:
    zones = frozenset({"Lu", "Rl"})
    assert check_mask(render(zones), drawn(zones)) == ()
    assert check_mask("Patchy opacity.", drawn(zones)) == ()


@pytest.mark.parametrize(
    ("said", "shown", "code"),
    [
        ({"Ll"}, {"Rl"}, "mask-other-side"),
        ({"Ll"}, {"Ll", "Rl"}, "mask-laterality"),
        ({"Ll", "Rl"}, {"Ll", "Rm"}, "mask-levels"),
    ],
)
def test_a_mask_that_disagrees_is_told_with_new_words_and_the_place_to_look(
    said: set[str], shown: set[str], code: str
) -> None:
    mask = drawn(frozenset(shown))
    found = check_mask(render(said), mask)
    assert code in [doubt.problem.code for doubt in found]
    doubt = next(doubt for doubt in found if doubt.problem.code == code)
    assert doubt.missing == said - shown and doubt.extra == shown - said
    assert len(doubt.boxes) == len(said ^ shown)
    assert (
        check_mask(apply_fix(render(said), doubt.problem), mask) == () or code == "mask-laterality"
    )


def test_a_count_that_differs_from_the_parts_is_told() -> None:
    mask = drawn(frozenset({"Ll"}))
    found = check_mask(render({"Ll"}, count=4), mask)
    assert [doubt.problem.code for doubt in found] == ["mask-count"]
    assert parse(apply_fix(render({"Ll"}, count=4), found[0].problem)).count == 1


def test_a_convention_is_found_from_twenty_one_sided_cases() -> None:
    zones = [frozenset({"Ll"}), frozenset({"Rm"})] * 15
    texts = [render(z) for z in zones]
    for convention in ("image", "patient"):
        masks = [drawn(z, convention) for z in zones]
        masks[4] = masks[5]
        found = check_convention(texts, masks)
        assert (found.convention, found.cases, found.against) == (convention, 30, (4,))
        assert found.agreement == pytest.approx(29 / 30)
        assert found.low < found.agreement < found.high
        assert f"96.7 % of 30 one-sided texts fit {convention}-left" in found.sentence


def test_below_eighty_percent_agreement_the_convention_is_told_with_a_warning() -> None:
    zones = [frozenset({"Ll"}), frozenset({"Rm"})] * 15
    texts = [render(z) for z in zones]
    for mirrored, warned in ((6, False), (8, True)):
        masks = [drawn(z, "patient" if at < mirrored else "image") for at, z in enumerate(zones)]
        found = check_convention(texts, masks)
        assert found.convention == "image"
        assert ("That is low" in found.sentence) == warned


def test_too_few_or_mixed_cases_decide_no_convention() -> None:
    zones = [frozenset({"Ll"}), frozenset({"Rm"})] * 15
    texts = [render(z) for z in zones]
    mixed = [drawn(z, "image" if at % 4 < 2 else "patient") for at, z in enumerate(zones)]
    assert check_convention(texts[:10], mixed[:10]).convention is None
    assert check_convention(texts, mixed).convention is None
    with pytest.raises(ReportError, match="one mask for each"):
        check_convention(texts, mixed[:3])


def test_texts_change_convention_both_ways() -> None:
    text = "Unilateral pulmonary infection, one infected area, lower left lung."
    there = convert_sides(text, "image", "patient")
    assert "lower right lung" in there.text
    assert convert_sides(there.text, "patient", "image").text == text
    assert convert_sides(text, "image", "image").text == text
    with pytest.raises(ReportError, match="convention"):
        convert_sides(text, "image", "viewer")


@needs_qata
def test_the_texts_of_the_films_follow_the_pictures_left() -> None:
    lines = _check(QATA / "table.csv", QATA)
    summary = json.loads(lines[-1])["summary"]
    assert summary["convention"] == "image"
    assert summary["rows"] == summary["rows_with_mask"] == 1900
    assert summary["problems"]["count-conflict"] >= 18


@needs_mosmed
def test_the_one_sided_forms_of_the_slices_are_worst_of_their_set() -> None:
    lines = _check(MOSMED / "Train_Val_text.xlsx", MOSMED / "Label")
    rows = [json.loads(line) for line in lines[:3]]
    assert {row["image"] for row in rows} == {"bjorke_27.png", "bjorke_28.png", "bjorke_3.png"}
    assert all(row["conflict"] for row in rows)


def _check(table: Path, masks: Path) -> list[str]:
    result = CliRunner().invoke(
        app, ["check", str(table), "--masks", str(masks), "--format", "json"]
    )
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_parse_prints_one_json_object_a_line() -> None:
    result = CliRunner().invoke(app, ["parse", "RUL opacity", "no focal consolidation"])
    first, second = (json.loads(line) for line in result.output.splitlines())
    assert first["zones"] == [0, 0, 0, 1, 0, 0]
    assert set(first) >= {"text", "zones", "laterality", "count", "reading", "problems", "phrases"}
    assert second["negative"] and second["laterality"] == "none"


def test_check_lists_a_tables_problems_worst_first(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text(
        "\ufeffImage,Description\n"
        'a.png,"Unilateral pulmonary infection, one infected area, lower left lung."\n'
        'b.png,"Bilateral pulmonary infection, two infected areas, lower left lung."\n'
        'c.png,"Unilateral pulmonary infection, one infected area, right right lung."\n',
        encoding="utf-8",
    )
    folder = tmp_path / "masks"
    folder.mkdir()
    Image.fromarray(drawn(frozenset({"Rl"})) * np.uint8(255)).save(folder / "mask_a.png")
    result = CliRunner().invoke(app, ["check", str(table), "--masks", str(folder)])
    lines = [line for line in result.output.splitlines() if ".png" in line]
    assert [line.split()[1] for line in lines] == ["c.png", "a.png", "b.png"]
    assert "3 rows, 3 different texts, 1 with a mask" in result.output


def test_check_names_the_missing_column(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("Image,Notes\na.png,nothing\n")
    result = CliRunner().invoke(app, ["check", str(table)])
    assert result.exit_code != 0
    assert "--column" in str(result.exception)
