"""Films that are never mixed with each other, because a reader called the pair nonsense. Who said so is the pool's."""

from __future__ import annotations

from collections.abc import Iterable

Apart = frozenset[frozenset[str]]  # Pairs of case ids.

NOBODY: Apart = frozenset()
NONSENSE = "Refused: a reader called this pair nonsense."


def apart_of(pairs: Iterable[Iterable[str]]) -> Apart:
    """The rule that a snapshot's pairs of case ids make."""
    return frozenset(frozenset(pair) for pair in pairs)


def may_meet(apart: Apart, ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether two films may be mixed, each told by the ids of the cases whose pixels it holds already."""
    theirs = tuple(theirs)
    return not apart or not any(frozenset((a, b)) in apart for a in ours for b in theirs)
