"""Text to tokens: words and marks with their spans, what each means, and which repair made it so. No grammar here
beyond joining a word that a stray blank or mark broke in two."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from training.report.repair import Repair, near_capitals, near_position, repair
from training.report.vocabulary import LEXICON, ORDINARY, WHOLE_ZONES, Meaning

PIECE = re.compile(r"\[UNK_POS\]|and/or|[^\W_]+|>>|<<|\n|[^\w\s]|_", re.IGNORECASE)
GLUE = frozenset("-‐‑'’")
POSITION_KINDS = frozenset(("side", "both", "level", "place", "zone", "vague", "all", "noun"))
BREAKABLE = frozenset(
    ("left", "right", "upper", "middle", "lower", "all", "lung", "bilateral", "unilateral", "clear")
)
COMPARATIVES = frozenset(("greater", "more", "worse", "less", "larger"))
MENDED = BREAKABLE | {"bibasal", "bibasilar", "basal", "bases"}
UNKNOWN = Meaning("word")


@dataclass(frozen=True)
class Token:
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
    pieces = [(match.start(), match.end()) for match in PIECE.finditer(text)]
    tokens: list[Token] = []
    at = 0
    while at < len(pieces):
        taken, new = _joined(text, pieces, at) or (1, _read(text, *pieces[at]))
        tokens += new
        at += taken
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


def _read(text: str, start: int, end: int) -> list[Token]:
    word = text[start:end].lower()
    if word in GLUE:
        return [Token(start, end, word, Meaning("glue"), raw=word)]
    if word in LEXICON and not (
        word in WHOLE_ZONES and text[start:end] not in (word, word.upper())
    ):
        return [Token(start, end, word, LEXICON[word], raw=word)]
    if word.isdecimal() and len(word) < 4:
        return [Token(start, end, word, Meaning("number", str(int(word))), raw=word)]
    if not any(letter.isalpha() for letter in word) or word == "[unk_pos]":
        return [Token(start, end, word, UNKNOWN, raw=word)]
    if word in ORDINARY:
        return [Token(start, end, word, UNKNOWN, raw=word)]
    return _unknown(start, end, word, text[start:end])


def _unknown(start: int, end: int, word: str, typed: str) -> list[Token]:
    if near_capitals(typed):
        return [Token(start, end, word, Meaning("odd"), raw=word)]
    found = repair(word)
    if found is None:
        kind = "odd" if near_position(word) or len(word) < 3 else "word"
        return [Token(start, end, word, Meaning(kind), raw=word)]
    if found.rivals:
        names = (" ".join(found.words), *found.rivals)
        return [Token(start, end, word, Meaning("odd"), None, names, word)]
    return _repaired(start, end, word, found)


def _repaired(start: int, end: int, raw: str, found: Repair) -> list[Token]:
    fix = " ".join(found.words)
    return [Token(start, end, word, LEXICON[word], fix, (), raw) for word in found.words]


def _joined(text: str, pieces: list[tuple[int, int]], at: int) -> tuple[int, list[Token]] | None:
    """A known hyphenated word, or a position word broken in two by one stray blank or mark."""
    start = pieces[at][0]
    if at + 2 < len(pieces) and pieces[at + 2][0] == pieces[at][1] + 1:
        whole = text[start : pieces[at + 2][1]].lower()
        if whole in LEXICON:
            return 3, [Token(start, pieces[at + 2][1], whole, LEXICON[whole], raw=whole)]
        if whole in ("ill-defined", "base-line", "half-life"):
            return 3, [Token(start, pieces[at + 2][1], whole, UNKNOWN, raw=whole)]
        bare = (
            text[start : pieces[at][1]].lower()
            + text[pieces[at + 2][0] : pieces[at + 2][1]].lower()
        )
        if _breaks(text, pieces[at], pieces[at + 2]) and (
            mended := _rejoined(text, start, pieces[at + 2][1], bare)
        ):
            return 3, mended[1]
    if at + 1 < len(pieces) and pieces[at + 1][0] == pieces[at][1] + 1:
        bare = (
            text[start : pieces[at][1]].lower()
            + text[pieces[at + 1][0] : pieces[at + 1][1]].lower()
        )
        if _breaks(text, pieces[at], pieces[at + 1]):
            return _rejoined(text, start, pieces[at + 1][1], bare)
    return None


def _breaks(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    words = text[slice(*one)].lower(), text[slice(*other)].lower()
    return all(word.isalnum() and word not in POSITION_WORDS for word in words)


def _rejoined(text: str, start: int, end: int, bare: str) -> tuple[int, list[Token]] | None:
    """The word that two pieces make together: exactly, or by repair where neither piece is a word itself."""
    raw = text[start:end].lower()
    if bare in BREAKABLE:
        return 2, [Token(start, end, bare, LEXICON[bare], bare, (), raw)]
    pieces = PIECE.findall(raw)
    if len(bare) < 4 or any(
        piece in LEXICON or (piece in ORDINARY and len(piece) > 2)
        for piece in pieces[:1] + pieces[-1:]
    ):
        return None
    found = repair(bare)
    if found is None or found.rivals or len(found.words) > 1 or found.words[0] not in MENDED:
        return None
    if any((own := repair(piece)) and not own.rivals for piece in pieces[:1] + pieces[-1:]):
        return None
    word = found.words[0]
    return 2, [Token(start, end, word, LEXICON[word], word, (), raw)]


def _lonely_letters(text: str, tokens: list[Token]) -> list[Token]:
    """A capital L or R is a side where a position, a comparison or a finding follows or a comparison precedes."""
    followers = POSITION_KINDS | {"finding", "elsewhere", "cmp", "filler"}
    result = []
    for at, token in enumerate(tokens):
        if text[token.start : token.end] in ("L", "R") and token.kind in ("word", "odd"):
            after = tokens[at + 1] if at + 1 < len(tokens) else None
            dotted = after is not None and after.word == "." and at + 2 < len(tokens)
            follower = tokens[at + 2] if dotted else after
            compared = at > 0 and tokens[at - 1].kind == "cmp"
            if compared or (
                follower is not None and (follower.kind in followers or follower.kind == "and")
            ):
                token = replace(token, meaning=Meaning("side", text[token.start]))
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


POSITION_WORDS = frozenset(
    word for word, meaning in LEXICON.items() if meaning.kind in POSITION_KINDS and len(word) > 3
)
