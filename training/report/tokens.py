"""Text to tokens: words and marks with their spans, what each means, and which repair made it so. No grammar here
beyond joining a word that a stray blank or mark broke in two."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from training.report.mend import WHOLE_KINDS, Join, Piece, joined
from training.report.repair import near_capitals, near_position, repair
from training.report.vocabulary import LEXICON, ORDINARY, WHOLE_ZONES, Meaning

PIECE = re.compile(r"\[UNK_POS\]|and/or|[^\W_]+|>>|<<|\n|[^\w\s]|_", re.IGNORECASE)
GLUE = frozenset("-‐‑'’")
COMPARATIVES = frozenset(("greater", "more", "worse", "less", "larger"))
UNKNOWN = Meaning("word")
AFTER_LETTERS = WHOLE_KINDS | {"finding", "elsewhere", "cmp", "filler", "and"}


class Token(NamedTuple):
    """A word or mark of the text.

    Attributes
    ----------
    start, end : int
        Span in the original text (several tokens of one fused word share the span).
    word : str
        Lower case, as read (after repair).
    meaning : Meaning
        Its place in the grammar.
    fix : str or None
        What the span should have been, where it was repaired.
    rivals : tuple of str
        Other words it could equally be; then it must not be trusted.
    raw : str
        As typed, lower case.
    """

    start: int
    end: int
    word: str
    meaning: Meaning
    fix: str | None = None
    rivals: tuple[str, ...] = ()
    raw: str = ""

    @property
    def kind(self) -> str:
        """Kind of the token's meaning."""
        return self.meaning.kind


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    list of Token
        In text order. Unknown words near a side or level word have kind ``odd``, other unknown words ``word``.
    """
    # In a text all in capitals, capitals say nothing about abbreviations.
    shown = (
        text.lower()
        if len(text) > 5 and text.isupper() and len(text.lower()) == len(text)
        else text
    )
    pieces = [Piece(*match.span(), match[0], match[0].lower()) for match in PIECE.finditer(shown)]
    tokens: list[Token] = []
    at = 0
    while at < len(pieces):
        join = joined(pieces, at)
        tokens += _read(pieces[at]) if join is None else [_whole(text, pieces, at, join)]
        at += 1 if join is None else join.taken
    words = _comparisons([token for token in tokens if token.kind != "glue"])
    return _lonely_letters(text, words)


def _comparisons(tokens: list[Token]) -> list[Token]:
    """ "greater than" as one mark of comparison."""
    merged: list[Token] = []
    for token in tokens:
        if token.word == "than" and merged and merged[-1].word in COMPARATIVES:
            before = merged.pop()
            token = Token(before.start, token.end, ">", Meaning("cmp"), raw=f"{before.raw} than")
        merged.append(token)
    return merged


def _whole(text: str, pieces: list[Piece], at: int, join: Join) -> Token:
    start, end = pieces[at].start, pieces[at + join.taken - 1].end
    meaning = LEXICON.get(join.word, UNKNOWN)
    fix = join.word if join.broken else None
    return Token(start, end, join.word, meaning, fix, (), text[start:end].lower())


def _read(piece: Piece) -> list[Token]:
    return [
        Token(piece.start, piece.end, word, meaning, fix, rivals, piece.word)
        for word, meaning, fix, rivals in _classified(piece.typed)
    ]


@lru_cache(maxsize=65536)
def _classified(typed: str) -> tuple[tuple[str, Meaning, str | None, tuple[str, ...]], ...]:
    """What one typed string is: one word, or the several it was fused from."""
    word = typed.lower()
    if word in GLUE:
        return ((word, Meaning("glue"), None, ()),)
    if word in LEXICON and not (word in WHOLE_ZONES and typed not in (word, word.upper())):
        return ((word, LEXICON[word], None, ()),)
    if word.isdecimal() and len(word) < 4:
        return ((word, Meaning("number", str(int(word))), None, ()),)
    if not word[0].isalnum() and len(word) == 1:
        return ()
    if word in ORDINARY or word == "[unk_pos]" or not any(letter.isalpha() for letter in word):
        return ((word, UNKNOWN, None, ()),)
    if near_capitals(typed):
        return ((word, Meaning("odd"), None, ()),)
    found = repair(word)
    if found is None:
        kind = "odd" if len(word) < 3 or near_position(word) else "word"
        return ((word, Meaning(kind), None, ()),)
    fix = " ".join(found.words)
    if found.rivals:
        return ((word, Meaning("odd"), None, (fix, *found.rivals)),)
    return tuple((part, LEXICON[part], fix, ()) for part in found.words)


def _lonely_letters(text: str, tokens: list[Token]) -> list[Token]:
    """A capital L or R is a side where a position, a comparison or a finding follows or a comparison precedes."""
    result = []
    for at, token in enumerate(tokens):
        if text[token.start : token.end] in ("L", "R") and token.kind in ("word", "odd"):
            after = tokens[at + 1] if at + 1 < len(tokens) else None
            dotted = after is not None and after.word == "." and at + 2 < len(tokens)
            follower = tokens[at + 2] if dotted else after
            compared = at > 0 and tokens[at - 1].kind == "cmp"
            if compared or (follower is not None and follower.kind in AFTER_LETTERS):
                token = token._replace(meaning=Meaning("side", text[token.start]))
        result.append(token)
    return [
        token
        for at, token in enumerate(result)
        if not (token.word == "." and at and _abbreviates(result[at - 1], token))
    ]


def _abbreviates(before: Token, dot: Token) -> bool:
    return (
        before.kind == "side" and before.end == dot.start and before.raw in ("l", "r", "lt", "rt")
    )
