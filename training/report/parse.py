"""Text to `Finding`."""

from __future__ import annotations

import re

from training.report.finding import (
    ZONES,
    Finding,
    Phrase,
    Problem,
    laterality_of,
    sides_of,
)
from training.report.write import NUMBERS

PHRASE = re.compile(
    r"\b((?:(?:upper|middle|lower|all)\s+)+)(left|right)(?:\s+lung)?\b", re.IGNORECASE
)
COUNT = re.compile(rf"\b({'|'.join(NUMBERS)}|\d+)\s+infected\s+areas?\b", re.IGNORECASE)
HEAD = re.compile(r"\b(unilateral|bilateral)\b", re.IGNORECASE)
NEGATIVE = re.compile(r"\bno (?:pulmonary infection|focal opacity)\b", re.IGNORECASE)


def parse(text: str) -> Finding:
    """Read one description."""
    phrases = tuple(_phrase(match) for match in PHRASE.finditer(text))
    zones = frozenset().union(*(phrase.zones for phrase in phrases))
    negative = not zones and NEGATIVE.search(text) is not None
    head, count = HEAD.search(text), COUNT.search(text)
    number = None
    if count:
        word = count[1].lower()
        number = NUMBERS.index(word) if word in NUMBERS else int(word)
    stated = head[1].lower() if head else laterality_of(zones) if zones else "unknown"
    problems: list[Problem] = []
    if head and zones and stated != laterality_of(zones):
        sentence = f"The text says {stated}, its phrases are {laterality_of(zones)}."
        fix = laterality_of(zones).capitalize()
        problems.append(Problem("laterality-conflict", sentence, *head.span(), fix, 2))
    if count and number is not None and zones and number < len(sides_of(zones)):
        sentence = "The text counts fewer areas than it names."
        problems.append(Problem("count-conflict", sentence, *count.span(), None, 2))
    return Finding(
        text,
        zones,
        "none" if negative else stated,
        number,
        phrases,
        "clear" if zones or negative else "none",
        tuple(problems),
        bool(zones) or negative,
        negative,
        bool(problems),
        (),
        head.span() if head else None,
        count.span() if count else None,
    )


def _phrase(match: re.Match[str]) -> Phrase:
    side = match[2][0].upper()
    words = match[1].lower().split()
    levels = "uml" if "all" in words else {word[0] for word in words}
    return Phrase(
        *match.span(), match[0], frozenset(z for z in ZONES if z[0] == side and z[1] in levels)
    )
