"""Spelling repair over the closed vocabulary: edit distance with the keyboard in mind, words run together, and the
refusal to choose between two meanings that are equally near."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from training.report.vocabulary import (
    CORE,
    FUSED,
    LEVELS,
    LEXICON,
    ORDINARY,
    OTHER_TARGETS,
    PLACES,
    POSITION_TARGETS,
    WHOLE_ZONES,
)

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LONGEST = 40
MARGIN = 0.75
SHUFFLED = 1.0
TARGETS = POSITION_TARGETS + OTHER_TARGETS
LONG_FUSED = tuple(sorted(word for word in FUSED if len(word) > 3))
SHORT_ZONES = tuple(word for word in WHOLE_ZONES if len(word) == 3)
LETTERS = {core: frozenset(core) for core in CORE}
LEVEL_WORDS = tuple(word for word in (*LEVELS, *PLACES) if len(word) > 2)
STUCK_CAPITALS = re.compile("[LR][UML]L|[LRUM]{2}")


class Repair(NamedTuple):
    """Words a string was repaired to; ``rivals`` are equally near words of another meaning (then undecided)."""

    words: tuple[str, ...]
    cost: float
    rivals: tuple[str, ...] = ()


@lru_cache(maxsize=65536)
def repair(word: str) -> Repair | None:
    """Repair one lower-case string that is no known word.

    Parameters
    ----------
    word : str
        Lower case, without white space.

    Returns
    -------
    Repair or None
        One vocabulary word, or the two or three it was fused from; None where nothing is near enough. A repair whose
        best rival of another meaning is less than 0.75 edits farther carries that rival and must not be used.
    """
    if not 3 <= len(word) <= LONGEST:
        return None
    if parts := _cut(word):
        return Repair(parts, 0.5)
    options = sorted(
        {**_near_words(word), **_near_cuts(word)}.items(), key=lambda item: (item[1], item[0])
    )
    if not options:
        return None
    best, cost = options[0]
    rivals = tuple(
        " ".join(o) for o, c in options[1:] if c - cost < MARGIN and _meaning(o) != _meaning(best)
    )
    return Repair(best, cost, rivals)


@lru_cache(maxsize=65536)
def near_position(word: str) -> bool:
    """True when an unknown lower-case string may be a spoiled side, level or zone ("pupe", "lrl", "andruppir")."""
    if len(word) < 2 or len(word) > LONGEST:
        return False
    if 3 <= len(word) <= 9:
        limit = 1 if len(word) == 3 else 2
        if any_near(word, CORE, limit):
            return True
    if len(word) <= 4 and any_near(word, SHORT_ZONES, 1):
        return True
    return len(word) >= 6 and _holds_core(word)


def near_capitals(word: str) -> bool:
    """True when an unknown string may be a spoiled "RUL", "LLL" and the like, alone or stuck to the next word."""
    if word.isupper() and len(word) > 5:
        return False
    if STUCK_CAPITALS.search(word):
        return True
    if not 2 <= len(word) <= 5 or not any(letter.isupper() for letter in word[1:]):
        return False
    return any_near(word.lower(), SHORT_ZONES, 2)


def any_near(word: str, pool: tuple[str, ...], limit: int) -> bool:
    """True when a word of the pool is at most ``limit`` plain edits away."""
    return process.extractOne(word, pool, scorer=OSA.distance, score_cutoff=limit) is not None


@lru_cache(maxsize=65536)
def near_level(word: str) -> bool:
    """True when an unknown lower-case string is two plain edits from any word for a level, or begins like one."""
    if len(word) < 3 or word in ORDINARY or word in LEXICON:
        return False
    for level in LEVEL_WORDS:
        limit = 1 if min(len(word), len(level)) < 5 else 2
        begins = word[: len(level)] if len(word) > len(level) + 2 else word
        if OSA.distance(begins, level, score_cutoff=limit) <= limit:
            return True
    return False


@lru_cache(maxsize=65536)
def near_denial(word: str) -> bool:
    """True when an unknown lower-case string may be a spoiled "no" or "clear"."""
    if len(word) <= 3:
        return OSA.distance(word, "no", score_cutoff=1) <= 1
    return OSA.distance(word, "clear", score_cutoff=2) <= 2


def _holds_core(word: str) -> bool:
    """True when a side or level word is inside, whole or with one edit (the longer ones)."""
    for core in CORE:
        if core in word:
            return True
        if len(core) < 5 or len(LETTERS[core].intersection(word)) < len(LETTERS[core]) - 1:
            continue
        for size in (len(core) - 1, len(core)):
            windows = (word[at : at + size] for at in range(len(word) - size + 1))
            if any(OSA.distance(window, core, score_cutoff=1) <= 1 for window in windows):
                return True
    return False


def _limit(word: str) -> float:
    return 1.0 if len(word) < 5 else 1.5


def _near_words(word: str) -> dict[tuple[str, ...], float]:
    near = process.extract(word, TARGETS, scorer=OSA.distance, score_cutoff=2, limit=None)
    found: dict[tuple[str, ...], float] = {}
    for target, _, _ in near:
        if len(target) > 2 and (cost := _cost(word, target)) <= _limit(word) + MARGIN:
            found[(target,)] = cost
    if found and min(found.values()) > _limit(word):
        return {}
    return _places_before_numbers(found)


def _places_before_numbers(found: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Without the numbers that are no nearer than a position word ("ight" is "right", not "eight")."""
    places = [cost for (word,), cost in found.items() if word in POSITION_TARGETS]
    if not places:
        return found
    return {
        key: cost
        for key, cost in found.items()
        if LEXICON[key[0]].kind != "number" or cost < min(places)
    }


def _near_cuts(word: str) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    if len(word) < 6:
        return found
    for at in range(2, len(word) - 1):
        head, tail = word[:at], word[at:]
        if head in FUSED and (other := _one_off(tail)):
            found[(head, other)] = 1.25
        elif tail in FUSED and (other := _one_off(head)):
            found[(other, tail)] = 1.25
    return found


@lru_cache(maxsize=65536)
def _one_off(part: str) -> str | None:
    if len(part) < 3 or part in LEXICON:
        return None
    near = process.extract(part, LONG_FUSED, scorer=OSA.distance, score_cutoff=1, limit=None)
    return near[0][0] if len(near) == 1 else None


@lru_cache(maxsize=65536)
def _cut(word: str, most: int = 4) -> tuple[str, ...]:
    """Cut a string into two to four vocabulary words; empty where it cannot be."""
    for at in range(2, len(word) - 1):
        head, tail = word[:at], word[at:]
        if head not in FUSED:
            continue
        if tail in FUSED:
            return head, tail
        if most > 2 and (rest := _cut(tail, most - 1)):
            return head, *rest
    return ()


def _meaning(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((LEXICON[word].kind, LEXICON[word].value) for word in words)


def _cost(word: str, target: str) -> float:
    """Optimal string alignment; a neighboring key, a doubled letter and a transposition cost less than a full edit, the
    right letters in the wrong order one edit."""
    rows = [[0.0] * (len(target) + 1) for _ in range(len(word) + 1)]
    for i in range(len(word) + 1):
        for j in range(len(target) + 1):
            if i == 0 or j == 0:
                rows[i][j] = float(i + j)
                continue
            doubled = i > 1 and word[i - 1] == word[i - 2]
            options = [
                rows[i - 1][j] + (0.5 if doubled else 1.0),
                rows[i][j - 1] + 1.0,
                rows[i - 1][j - 1] + _swap_cost(word[i - 1], target[j - 1]),
            ]
            if i > 1 and j > 1 and word[i - 1] == target[j - 2] and word[i - 2] == target[j - 1]:
                options.append(rows[i - 2][j - 2] + 0.75)
            rows[i][j] = min(options)
    shuffled = sorted(word) == sorted(target)
    return min(rows[-1][-1], SHUFFLED) if shuffled else rows[-1][-1]


def _swap_cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return 0.5 if other in NEIGHBORS.get(one, "") else 1.0


def _neighbors() -> dict[str, str]:
    places = {
        key: (row, at + row * 0.4)
        for row, keys in enumerate(KEYBOARD)
        for at, key in enumerate(keys)
    }
    return {
        key: "".join(
            k
            for k, (r, a) in places.items()
            if k != key and abs(r - row) <= 1 and abs(a - at) <= 1.0
        )
        for key, (row, at) in places.items()
    }


NEIGHBORS = _neighbors()


@lru_cache(maxsize=65536)
def slip(word: str) -> str | None:
    """The one side or level word (or "all") that a correctly spelled word is a single edit away from."""
    near = [core for core in (*CORE, "all") if OSA.distance(word, core, score_cutoff=1) == 1]
    return near[0] if len(near) == 1 else None
