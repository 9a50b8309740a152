"""What a description means, as frozen values: the six zones, phrases, problems, findings and rewrites. No reading or
writing of text happens here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.errors import SemiMedRefError

ZONES = ("Lu", "Lm", "Ll", "Ru", "Rm", "Rl")
SIDES = ("L", "R")
LEVELS = ("u", "m", "l")
SIDE_WORD = {"L": "left", "R": "right"}
LEVEL_WORD = {"u": "upper", "m": "middle", "l": "lower"}
UNKNOWN_POSITION = "[UNK_POS]"
ANY_REGION = "a region of the lung"

Laterality = Literal["unilateral", "bilateral", "none", "unknown"]
Reading = Literal["clear", "repaired", "ambiguous", "none"]
Role = Literal["finding", "negated", "elsewhere"]


class ReportError(SemiMedRefError):
    """A description, a zone name or a band cannot be used as asked."""


@dataclass(frozen=True)
class Phrase:
    """One positional phrase of a text.

    Attributes
    ----------
    start, end : int
        Span in the original text; ``original[start:end] == text``.
    zones : frozenset of str
        Zones of this phrase alone; empty when it is not about the finding or could not be decided.
    role : {"finding", "negated", "elsewhere"}
        What is said there: a finding, its absence, or some other structure (a line, an effusion, a rib).
    """

    start: int
    end: int
    text: str
    zones: frozenset[str]
    role: Role = "finding"


@dataclass(frozen=True)
class Problem:
    """One doubt about a text: a stable code, a sentence for a reader, the span it is about.

    ``fix`` replaces ``text[start:end]`` (see `apply_fix`); None where no single repair exists. ``weight`` orders
    problems: 3 the meaning is undecided, 2 the text contradicts itself, 1 repaired, 0 only worth knowing.
    """

    code: str
    sentence: str
    start: int
    end: int
    fix: str | None = None
    weight: int = 1


@dataclass(frozen=True)
class Finding:
    """What one description means.

    Attributes
    ----------
    text : str
        The text exactly as given.
    zones : frozenset of str
        Affected zones. Empty when ``reading`` is ``"ambiguous"`` or ``"none"``, or when ``is_negative``.
    laterality : {"unilateral", "bilateral", "none", "unknown"}
        As stated by the text's own word; where no word says it, as the zones say it.
    count : int or None
        Stated number of areas, >= 0.
    phrases : tuple of Phrase
        Every positional phrase in text order, without overlap.
    reading : {"clear", "repaired", "ambiguous", "none"}
        ``"none"``: the text names no position and denies nothing.
    has_position : bool
        True when the text fixes where the finding is, a plain negative included (METHOD §1b).
    conflict : bool
        The text contradicts itself; the zones still say what its phrases say.
    possible : tuple of frozenset of str
        Where ambiguous, the meanings considered (may be empty when none could be named).
    laterality_span, count_span : tuple of int or None
        Where the laterality word and the counted areas stand.
    """

    text: str
    zones: frozenset[str]
    laterality: Laterality
    count: int | None
    phrases: tuple[Phrase, ...]
    reading: Reading
    problems: tuple[Problem, ...] = ()
    has_position: bool = False
    is_negative: bool = False
    conflict: bool = False
    possible: tuple[frozenset[str], ...] = ()
    laterality_span: tuple[int, int] | None = None
    count_span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Edit:
    """One change of a text: ``before`` stood at ``[start, end)`` of the original, ``after`` stands there now."""

    start: int
    end: int
    before: str
    after: str
    kind: str


@dataclass(frozen=True)
class Rewrite:
    """A new text and the edits, in order and without overlap, that lead to it from the original."""

    text: str
    edits: tuple[Edit, ...] = ()


def zone_vector(zones: Iterable[str]) -> NDArray[np.float32]:
    """Six-bit vector of a set of zones.

    Parameters
    ----------
    zones : iterable of str
        Names out of `ZONES`.

    Returns
    -------
    ndarray, shape (6,), float32
        0 or 1 in the order of `ZONES`.

    Raises
    ------
    ReportError
        If a name is not a zone.
    """
    named = checked_zones(zones)
    return np.array([zone in named for zone in ZONES], dtype=np.float32)


def checked_zones(zones: Iterable[str]) -> frozenset[str]:
    """The zones as a frozen set.

    Raises
    ------
    ReportError
        A name is not a zone.
    """
    named = frozenset(zones)
    if unknown := sorted(named.difference(ZONES)):
        raise ReportError(f"'{unknown[0]}' is no zone: the six are {', '.join(ZONES)}.")
    return named


def sides_of(zones: Iterable[str]) -> frozenset[str]:
    """Sides (``"L"``, ``"R"``) that hold at least one of the zones."""
    return frozenset(zone[0] for zone in zones)


def levels_on(zones: Iterable[str], side: str) -> tuple[str, ...]:
    """Levels (``"u"``, ``"m"``, ``"l"``, in this order) of the zones on one side."""
    named = frozenset(zones)
    return tuple(level for level in LEVELS if side + level in named)


def laterality_of(zones: Iterable[str]) -> Laterality:
    """Laterality that a set of zones has by itself; ``"none"`` for the empty set."""
    sides = len(sides_of(zones))
    return "bilateral" if sides == 2 else "unilateral" if sides else "none"


def regions_of(zones: Iterable[str]) -> int:
    """Number of connected regions: runs of neighboring levels, counted on each side (0 to 4).

    This is what QaTa's texts count where every run holds one lesion: "upper lower left lung" is two areas.
    """
    named = frozenset(zones)
    apart = sum({side + "u", side + "l"} <= named and side + "m" not in named for side in SIDES)
    return len(sides_of(named)) + apart


def apply_fix(text: str, problem: Problem) -> str:
    """The text with a problem's fix applied; the text itself where the problem has none."""
    if problem.fix is None:
        return text
    return text[: problem.start] + problem.fix + text[problem.end :]


def apply_edits(text: str, edits: Iterable[Edit]) -> Rewrite:
    """Apply edits given in spans of the original text.

    Raises
    ------
    ReportError
        If two edits overlap.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    pieces, at = [], 0
    for edit in ordered:
        if edit.start < at:
            raise ReportError(
                f"Two edits overlap at character {edit.start}: give edits of separate spans."
            )
        pieces += [text[at : edit.start], edit.after]
        at = edit.end
    return Rewrite("".join(pieces) + text[at:], tuple(ordered))


def edit_of(text: str, start: int, end: int, after: str, kind: str) -> Edit:
    """An edit of ``text[start:end]`` that carries its own ``before``."""
    return Edit(start, end, text[start:end], after, kind)
