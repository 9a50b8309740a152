"""Doubt about reading: what of a text could not be read, what was filled in, what was seen but not counted.
Contradictions between readable statements live in `conflicts`, those with a mask in `maskdoubt`."""

from __future__ import annotations

from training.report.finding import SIDE_WORD, Problem
from training.report.phrases import Part
from training.report.repair import near_capitals
from training.report.resolve import Sentence
from training.report.tokens import Token
from training.report.write import side_phrase

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
        both = "The text both names a place and calls it clear."
        problems.append(Problem("affirmed-and-denied", both, 0, len(text), None, 3))
    elif denied and not sentence.parts and not negative:
        problems.append(_partly_denied(parts))
    return problems


def _part_problems(text: str, part: Part) -> list[Problem]:
    if part.undecided:
        return [_undecided(text, part)]
    start, end = part.span
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
        sentence = f"'{text[start:end]}' is read from its neighbors."
        problems.append(Problem("loose-grammar", sentence, start, end, None, 1))
    return problems


def _undecided(text: str, part: Part) -> Problem:
    odd = next((token for token in part.tokens if token.kind == "odd"), None)
    if odd is None:
        start, end = part.span
        sentence = f"'{text[start:end]}' stays open: {part.undecided}."
        return Problem(_code(part.undecided), sentence, start, end, None, 3)
    rivals = f" (could be {' or '.join(odd.rivals)})" if odd.rivals else ""
    sentence = f"'{odd.raw}' cannot be read with certainty{rivals}."
    return Problem("unreadable-word", sentence, odd.start, odd.end, None, 3)


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
    sentence = "Only a part of the lungs is called clear; the rest stays open."
    return Problem("partly-denied", sentence, *part.span, None, 3)


def _code(why: str) -> str:
    return {
        "which side": "side-missing",
        "which level": "level-missing",
        "left and right run together": "two-sides",
        "a side said twice without a level": "side-twice",
        "what the denial covers": "denial-scope",
        "which of the two is meant": "either-or",
    }.get(why, "undecided")
