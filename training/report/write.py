"""Zones to words: the templates of the public data sets and the two building blocks (a side's phrase, a counted area)
that the rewriting functions use too. Never reads a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from training.report.finding import (
    LEVEL_WORD,
    LEVELS,
    SIDE_WORD,
    SIDES,
    Finding,
    ReportError,
    checked_zones,
    laterality_of,
    levels_on,
    regions_of,
)

Style = Literal["qata", "sgseg", "mosmed", "plain"]
STYLES: tuple[str, ...] = get_args(Style)
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)


def render(zones: Iterable[str] | Finding, style: str = "qata", count: int | None = None) -> str:
    """Write a finding as a description.

    Parameters
    ----------
    zones : iterable of str or Finding
        What to say. Of a `Finding` the zones and the stated count are used.
    style : {"qata", "sgseg", "mosmed", "plain"}
        ``qata``: the LViT annotators' template; ``sgseg``: the cleaned, lower-case captions (levels spelled out,
        count = number of zones); ``mosmed``: "one infected areas"; ``plain``: a sentence without a count.
    count : int, optional
        Number of areas, >= 0; by default the finding's own, else what the zones suggest.

    Returns
    -------
    str
        A text that `training.report.parse` reads back as the same zones.

    Raises
    ------
    ReportError
        If the style or a zone is unknown, or the finding is ambiguous.
    """
    named, stated = _meaning(zones)
    if style not in STYLES:
        raise ReportError(f"'{style}' is no style of writing: choose one of {', '.join(STYLES)}.")
    if style == "plain":
        return _plain(named)
    if not named:
        text = "No pulmonary infection, zero infected areas."
    else:
        number = count if count is not None else stated
        areas = counted_areas(number if number is not None else usual_count(named, style), style)
        head = laterality_of(named).capitalize()
        text = f"{head} pulmonary infection, {areas}, {side_phrases(named, style)}."
    return text.lower() if style == "sgseg" else text


def usual_count(zones: Iterable[str], style: str = "qata") -> int:
    """Number of areas a template states when nobody counted: zones in ``sgseg``, connected regions elsewhere."""
    named = frozenset(zones)
    return len(named) if style == "sgseg" else regions_of(named)


def number_word(count: int) -> str:
    """Number in words up to twenty, digits beyond.

    Raises
    ------
    ReportError
        If the count is negative.
    """
    if count < 0:
        raise ReportError(f"A description cannot count {count} areas: give 0 or more.")
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def counted_areas(count: int, style: str = "qata") -> str:
    """ "one infected area", "two infected areas"; ``mosmed`` writes "one infected areas" as its sheets do."""
    noun = "area" if count == 1 and style != "mosmed" else "areas"
    return f"{number_word(count)} infected {noun}"


def side_phrase(zones: Iterable[str], side: str, style: str = "qata") -> str:
    """Phrase of one side ("middle lower left lung"); empty string where the side holds nothing."""
    levels = levels_on(zones, side)
    if not levels:
        return ""
    if len(levels) == len(LEVELS) and style != "sgseg":
        return f"all {SIDE_WORD[side]} lung"
    return f"{' '.join(LEVEL_WORD[level] for level in levels)} {SIDE_WORD[side]} lung"


def side_phrases(zones: Iterable[str], style: str = "qata") -> str:
    """The phrases of both sides, joined by "and"; empty string for no zones."""
    named = frozenset(zones)
    return " and ".join(p for side in SIDES if (p := side_phrase(named, side, style)))


def _meaning(zones: Iterable[str] | Finding) -> tuple[frozenset[str], int | None]:
    if not isinstance(zones, Finding):
        return checked_zones(zones), None
    if zones.reading in ("ambiguous", "none"):
        raise ReportError(
            f"The description '{zones.text}' does not say where the finding is: choose its zones first."
        )
    return zones.zones, zones.count


def _plain(zones: frozenset[str]) -> str:
    if not zones:
        return "No focal opacity."
    return f"Opacity in {' and '.join(p for side in SIDES if (p := _plain_side(zones, side)))}."


def _plain_side(zones: frozenset[str], side: str) -> str:
    levels = levels_on(zones, side)
    if not levels:
        return ""
    if len(levels) == len(LEVELS):
        return f"the whole {SIDE_WORD[side]} lung"
    noun = "zone" if len(levels) == 1 else "zones"
    return f"the {SIDE_WORD[side]} {' and '.join(LEVEL_WORD[level] for level in levels)} {noun}"
