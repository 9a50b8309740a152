"""Words broken in two: hyphenated words of the vocabulary, and position words split by one stray blank or mark."""

from __future__ import annotations

from typing import NamedTuple

from training.report.repair import any_near, repair
from training.report.vocabulary import LEXICON, ORDINARY

HYPHENATED = frozenset(("ill-defined", "base-line", "half-life"))
BREAKABLE = frozenset(
    ("left", "right", "upper", "middle", "lower", "all", "lung", "bilateral", "unilateral", "clear")
)
MENDED = BREAKABLE | {"bibasal", "bibasilar", "basal", "bases"}
MENDED_POOL = tuple(sorted(MENDED))
WHOLE_KINDS = frozenset(("side", "both", "level", "place", "zone", "vague", "all", "noun"))
WHOLE_WORDS = frozenset(w for w, m in LEXICON.items() if m.kind in WHOLE_KINDS and len(w) > 3)


class Piece(NamedTuple):
    """A typed string with its span; ``word`` is its lower case."""

    start: int
    end: int
    typed: str
    word: str


class Join(NamedTuple):
    """``taken`` pieces that make one word; ``broken`` where that is a repair."""

    taken: int
    word: str
    broken: bool


def joined(pieces: list[Piece], at: int) -> Join | None:
    """The word that the pieces from ``at`` on make together, if they do (two pieces, or three with a mark between)."""
    one = pieces[at]
    if at + 1 == len(pieces) or not one.word[0].isalnum() or pieces[at + 1].start > one.end + 1:
        return None
    if at + 2 < len(pieces) and pieces[at + 2].start == one.end + 1:
        mark, other = pieces[at + 1], pieces[at + 2]
        whole = one.word + mark.word + other.word
        if whole in LEXICON or whole in HYPHENATED:
            return Join(3, whole, False)
        if word := _made(one, other):
            return Join(3, word, True)
    if pieces[at + 1].start == one.end + 1 and (word := _made(one, pieces[at + 1])):
        return Join(2, word, True)
    return None


def _made(one: Piece, other: Piece) -> str | None:
    """The position word of two pieces: exactly, or by repair where neither piece is a word itself."""
    if len(one.word) + len(other.word) > 12 or one.word in WHOLE_WORDS or other.word in WHOLE_WORDS:
        return None
    if not (one.word.isalnum() and other.word.isalnum()):
        return None
    bare = one.word + other.word
    if bare in BREAKABLE:
        return bare
    if (
        len(bare) < 4
        or not any_near(bare, MENDED_POOL, 1)
        or any(_is_word(piece.word) for piece in (one, other))
    ):
        return None
    found = repair(bare)
    if found is None or found.rivals or len(found.words) > 1 or found.words[0] not in MENDED:
        return None
    if any((own := repair(piece.word)) and not own.rivals for piece in (one, other)):
        return None
    return found.words[0]


def _is_word(word: str) -> bool:
    return word in LEXICON or (word in ORDINARY and len(word) > 2)
