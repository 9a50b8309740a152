"""Doubt inside a text: what could not be read, what was filled in, and where the text contradicts itself. Comparison
with a mask lives in `maskdoubt`."""

from __future__ import annotations

from training.report.finding import (
    SIDE_WORD,
    ZONES,
    Finding,
    Problem,
    laterality_of,
    regions_of,
    sides_of,
)
from training.report.phrases import Part
from training.report.repair import near_capitals
from training.report.resolve import Sentence
from training.report.tokens import Token
from training.report.vocabulary import LEXICON
from training.report.write import counted_areas, side_phrase

OTHER = {"L": "R", "R": "L"}
FILLED = {
    "other side": "This phrase names no side; 'bilateral' and the other phrase leave only the {side}.",
    "both sides": "This phrase names no side; it is read as both.",
    "level": "No level is named; the whole side is meant.",
    "all": "No level is named; 'all' is taken over from the phrase before.",
    "empty side": "A side without a level in a unilateral text: nothing is found there.",
}
NOTES = {
    "repeated side": "The side is said twice in one phrase.",
    "scrap": "A stray letter stands in the phrase and is left out.",
}


def reading_problems(
    text: str,
    sentence: Sentence,
    parts: list[Part],
    affirmed: frozenset[str],
    denied: frozenset[str],
    negative: bool,
) -> list[Problem]:
    """Problems of reading: undecided phrases (weight 3), repairs (1), and what was seen but not counted (0)."""
    problems: list[Problem] = []
    for part in parts:
        if part.role != "elsewhere" or part.undecided:
            problems += _part_problems(text, part)
        else:
            problems.append(_not_counted(text, part))
    problems += _other_spelling(sentence.scene.tokens, parts)
    if sentence.parts or sentence.template:
        problems += _stray_odd(text, sentence.scene.tokens, parts)
    if affirmed & denied:
        problems.append(
            Problem(
                "affirmed-and-denied",
                "The text both names a place and calls it clear.",
                0,
                len(text),
                None,
                3,
            )
        )
    elif denied and not sentence.parts and not negative:
        problems.append(_partly_denied(parts))
    return problems


def contradictions(finding: Finding, sentence: Sentence) -> list[Problem]:
    """Contradictions between a text's own statements: laterality, count, a side named twice (weight 2)."""
    found = [
        _laterality_conflict(finding, sentence),
        _count_conflict(finding),
        *_twice(finding, sentence),
    ]
    found += [_empty_side(finding, part) for part in sentence.parts if part.filled == "empty side"]
    return [problem for problem in found if problem is not None]


def _part_problems(text: str, part: Part) -> list[Problem]:
    start, end = part.span
    if part.undecided:
        odd = next((t for t in part.tokens if t.kind == "odd"), None)
        if odd is not None:
            rivals = f" (could be {' or '.join(odd.rivals)})" if odd.rivals else ""
            return [
                Problem(
                    "unreadable-word",
                    f"'{odd.raw}' cannot be read with certainty{rivals}.",
                    odd.start,
                    odd.end,
                    None,
                    3,
                )
            ]
        sentence = f"'{text[start:end]}' stays open: {part.undecided}."
        return [Problem(_code(part.undecided), sentence, start, end, None, 3)]
    problems = _spelling(part.tokens)
    for note in part.notes:
        if note in NOTES:
            problems.append(
                Problem(note.replace(" ", "-"), NOTES[note], start, end, _rewritten(part), 1)
            )
    if part.filled:
        sentence = FILLED[part.filled].format(side=SIDE_WORD.get(part.sides, ""))
        fix = _rewritten(part) if part.filled != "empty side" else None
        problems.append(
            Problem(part.filled.replace(" ", "-") + "-filled", sentence, start, end, fix, 1)
        )
    if "all" in part.notes:
        odd = next(t for t in part.tokens if t.kind == "odd")
        problems.append(
            Problem("spelling", f"'{odd.raw}' is read as 'all'.", odd.start, odd.end, "all", 1)
        )
    if part.repaired and not problems:
        problems.append(
            Problem(
                "loose-grammar",
                f"'{text[start:end]}' is read from its neighbors.",
                start,
                end,
                None,
                1,
            )
        )
    return problems


def _rewritten(part: Part) -> str | None:
    if not part.zones:
        return None
    return " and ".join(side_phrase(part.zones, side) for side in part.sides)


def _spelling(tokens: list[Token]) -> list[Problem]:
    seen: dict[tuple[int, int], Problem] = {}
    for token in tokens:
        if token.fix is not None:
            sentence = f"'{token.raw}' is read as '{token.fix}'."
            seen[token.start, token.end] = Problem(
                "spelling", sentence, token.start, token.end, token.fix, 1
            )
    return list(seen.values())


def _other_spelling(tokens: list[Token], parts: list[Part]) -> list[Problem]:
    """Misspelt words outside the phrases: they change no zone, so they weigh nothing."""
    inside = {token.start for part in parts for token in part.tokens}
    loose = [token for token in tokens if token.start not in inside and token.fix is not None]
    return [Problem(p.code, p.sentence, p.start, p.end, p.fix, 0) for p in _spelling(loose)]


def _stray_odd(text: str, tokens: list[Token], parts: list[Part]) -> list[Problem]:
    """Words beside the phrases that may be a spoiled side, level or zone: a zone may be missing."""
    inside = {token.start for part in parts for token in part.tokens}
    return [
        Problem(
            "unreadable-word", f"'{t.raw}' may be a misspelt position.", t.start, t.end, None, 3
        )
        for t in tokens
        if t.kind == "odd"
        and t.start not in inside
        and (len(t.raw) > 2 or t.meaning.value == "hangs" or near_capitals(text[t.start : t.end]))
    ]


def _not_counted(text: str, part: Part) -> Problem:
    start, end = part.span
    sentence = f"'{text[start:end]}' tells of something else than a finding in the lung and is not counted."
    return Problem("other-structure", sentence, start, end, None, 0)


def _partly_denied(parts: list[Part]) -> Problem:
    part = next(part for part in parts if part.role == "negated")
    return Problem(
        "partly-denied",
        "Only a part of the lungs is called clear; the rest stays open.",
        *part.span,
        None,
        3,
    )


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


def _code(why: str) -> str:
    return {
        "which side": "side-missing",
        "which level": "level-missing",
        "left and right run together": "two-sides",
        "a side said twice without a level": "side-twice",
        "what the denial covers": "denial-scope",
        "which of the two is meant": "either-or",
    }.get(why, "undecided")


__all__ = ["LEXICON", "ZONES", "contradictions", "reading_problems"]
