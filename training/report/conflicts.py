"""Where a text contradicts itself: laterality against the sides named, the count against the regions named, one side
named twice, a side that a unilateral text leaves empty."""

from __future__ import annotations

from training.report.finding import SIDE_WORD, Finding, Problem, laterality_of, regions_of, sides_of
from training.report.phrases import Part
from training.report.resolve import Sentence
from training.report.write import counted_areas

OTHER = {"L": "R", "R": "L"}


def contradictions(finding: Finding, sentence: Sentence) -> list[Problem]:
    """Contradictions between a text's own statements: laterality, count, a side named twice (weight 2)."""
    found = [
        _laterality_conflict(finding, sentence),
        _count_conflict(finding),
        *_twice(finding, sentence),
    ]
    found += [_empty_side(finding, part) for part in sentence.parts if part.filled == "empty side"]
    return [problem for problem in found if problem is not None]


def _laterality_conflict(finding: Finding, sentence: Sentence) -> Problem | None:
    span = finding.laterality_span or (0, 0)
    if sentence.stated == "both words":
        return Problem(
            "laterality-conflict", "The text says both unilateral and bilateral.", *span, None, 2
        )
    if not finding.zones or not sentence.stated or laterality_of(finding.zones) == sentence.stated:
        return None
    if any(part.filled == "empty side" for part in sentence.parts):
        return None
    sides = " and ".join(SIDE_WORD[side] for side in sorted(sides_of(finding.zones)))
    right = laterality_of(finding.zones)
    said = finding.text[slice(*span)]
    fix = right.capitalize() if said[:1].isupper() else right
    words = f"The text says {sentence.stated}, but its phrases name the {sides}."
    return Problem("laterality-conflict", words, *span, fix if finding.laterality_span else None, 2)


def _count_conflict(finding: Finding) -> Problem | None:
    if finding.count is None or finding.count_span is None or not finding.zones:
        return None
    least = regions_of(finding.zones)
    if finding.count >= least:
        return None
    words = f"The text counts {finding.count}, but its phrases lie in {least} separate regions."
    return Problem("count-conflict", words, *finding.count_span, counted_areas(least), 2)


def _twice(finding: Finding, sentence: Sentence) -> list[Problem]:
    """One side named by two phrases with different levels; in a bilateral text one of them is likely the other side."""
    if finding.reading not in ("clear", "repaired"):
        return []
    found = []
    for side in "LR":
        named = [
            p
            for p in sentence.parts
            if p.sides == side and p.zones and "shared side" not in p.notes
        ]
        own = [p for p in named if any(t.kind in ("side", "zone") for t in p.tokens)]
        if len({p.levels for p in own}) < 2:
            continue
        alone = sides_of(finding.zones) == {side}
        weight = 2 if sentence.stated == "bilateral" and alone else 0
        words = f"The {SIDE_WORD[side]} side is named twice, with different levels."
        found.append(
            Problem(
                "side-named-twice",
                words,
                *own[-1].span,
                _other_side(finding, own[-1]) if weight else None,
                weight,
            )
        )
    return found


def _other_side(finding: Finding, part: Part) -> str:
    text = finding.text
    pieces, at = [], part.span[0]
    for token in part.tokens:
        if token.kind == "side":
            pieces += [text[at : token.start], SIDE_WORD[OTHER[token.meaning.value]]]
            at = token.end
    return "".join(pieces) + text[at : part.span[1]]


def _empty_side(finding: Finding, part: Part) -> Problem:
    others = [p for p in finding.phrases if p.zones]
    start, end = part.span
    if others and others[0].start > end:
        end = others[0].start
    elif others:
        start = others[-1].end
    words = f"'{finding.text[slice(*part.span)]}' has no level in a unilateral text; it is read as: nothing there."
    return Problem("empty-side", words, start, end, "", 2)
