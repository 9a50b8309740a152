"""Changing which zones a description names while keeping the reader's other words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from training.report.finding import (
    Edit,
    Finding,
    Rewrite,
    apply_edits,
    checked_zones,
    edit_of,
    laterality_of,
    levels_on,
    sides_of,
)
from training.report.parse import parse
from training.report.swap import like
from training.report.write import counted_areas, render, side_phrase, side_phrases, usual_count

LIST_JOINT = re.compile(
    r"[\s,/&+]*(?:\band\b)?[\s,]*(?:\b(?:in|of|at|on)\b)?\s*(?:\bthe\b)?\s*", re.IGNORECASE
)
SAME = "the same region"


def rewrite_zones(text: str, zones: Iterable[str], count: int | None = None) -> Rewrite:
    """Make a description name these zones and change nothing else.

    Parameters
    ----------
    text : str
        Description.
    zones : iterable of str
        The new meaning, possibly empty ("No pulmonary infection").
    count : int, optional
        New number of areas; by default unchanged with the zones, else what the zones suggest.

    Returns
    -------
    Rewrite
        The positional phrases, the laterality word and the counted areas fit ``zones``; every other word stands.
        Only where no such edit reads back as ``zones`` is the whole text replaced by a template.
    """
    named, finding = checked_zones(zones), parse(text)
    if meaning_is(finding, named) and count in (None, finding.count):
        return Rewrite(text)
    areas = _new_count(finding, named, count)
    if edits := _zone_edits(finding, named, areas):
        changed = apply_edits(text, edits)
        if meaning_is(parse(changed.text), named):
            return changed
    whole = render(named, style_of(finding), areas if named else None)
    return apply_edits(text, [edit_of(text, 0, len(text), whole, "whole")])


def meaning_is(finding: Finding, zones: frozenset[str]) -> bool:
    """True when a finding says exactly these zones, readably and without contradiction."""
    if finding.reading not in ("clear", "repaired") or finding.conflict:
        return False
    return finding.zones == zones and finding.is_negative == (not zones)


def style_of(finding: Finding) -> str:
    """Template a text follows: lower-case captions that count zones are ``sgseg``, everything else ``qata``."""
    lower = finding.text == finding.text.lower() and finding.count == len(finding.zones)
    return "sgseg" if lower and finding.zones else "qata"


def closed_up(finding: Finding, span: tuple[int, int], kind: str) -> Edit:
    """Edit that removes a word and the blanks after it; a removed first word hands its capital on."""
    text, (start, end) = finding.text, span
    while end < len(text) and text[end] == " ":
        end += 1
    in_phrase = any(phrase.start <= end < phrase.end for phrase in finding.phrases)
    if text[start].isupper() and end < len(text) and text[end].isalpha() and not in_phrase:
        return edit_of(text, start, end + 1, text[end].upper(), kind)
    return edit_of(text, start, end, "", kind)


def _new_count(finding: Finding, zones: frozenset[str], count: int | None) -> int:
    if count is not None:
        return max(count, len(sides_of(zones)))
    if finding.count is not None and zones == finding.zones:
        return finding.count
    return usual_count(zones, style_of(finding))


def _zone_edits(finding: Finding, zones: frozenset[str], count: int) -> list[Edit]:
    phrases = [phrase for phrase in finding.phrases if phrase.role == "finding"]
    if not phrases or not zones:
        return []
    text, style = finding.text, style_of(finding)
    edits = _head_edits(finding, zones, count)
    joints = pairwise(phrases)
    if all(LIST_JOINT.fullmatch(text, a.end, b.start) for a, b in joints):
        after = _in_place(phrases[0].text, side_phrases(zones, style))
        return _apart(edits, [edit_of(text, phrases[0].start, phrases[-1].end, after, "zones")])
    spread = _spread_edits(finding, zones, style)
    return _apart(edits, spread) if spread else []


def _apart(head: list[Edit], zones: list[Edit]) -> list[Edit]:
    """The edits of the zones, and those of the head that do not lie inside them."""
    return zones + [h for h in head if all(h.end <= z.start or z.end <= h.start for z in zones)]


def _in_place(before: str, after: str) -> str:
    """The new phrase with the capitals of the old one, and its preposition where the old one held it."""
    if before[:10].lower() == "throughout":
        after = f"in {after}"
    if len(before) > 4 and before.isupper():
        return after.upper()
    starts = before[:1].isupper() and not before[1:2].isupper() and len(before) > 2
    return after[:1].upper() + after[1:] if starts else after


def _same_region(before: str) -> str:
    """Words for a place already named, after what stands before them."""
    article = before.split()[-1:]
    return SAME.removeprefix("the ") if [each.lower() for each in article] == ["the"] else SAME


def _spread_edits(finding: Finding, zones: frozenset[str], style: str) -> list[Edit]:
    phrases = [phrase for phrase in finding.phrases if phrase.role == "finding"]
    left_over, edits = sides_of(zones), []
    for phrase in phrases:
        side = next(iter(sides_of(phrase.zones)), "")
        if len(sides_of(phrase.zones)) == 1 and side in left_over:
            left_over -= {side}
            after = _in_place(phrase.text, side_phrase(zones, side, style))
            kept = levels_on(phrase.zones, side) == levels_on(zones, side)
        else:
            after, kept = _in_place(phrase.text, _same_region(finding.text[: phrase.start])), False
        if not kept:
            edits.append(edit_of(finding.text, phrase.start, phrase.end, after, "zones"))
    return [] if left_over else edits


def _head_edits(finding: Finding, zones: frozenset[str], count: int) -> list[Edit]:
    text, edits = finding.text, []
    if finding.laterality_span and finding.laterality != laterality_of(zones):
        start, end = finding.laterality_span
        after = like(text[start:end], laterality_of(zones))
        edits.append(edit_of(text, start, end, after, "laterality"))
    if finding.count_span and finding.count != count:
        edits.append(edit_of(text, *finding.count_span, counted_areas(count), "count"))
    return edits
