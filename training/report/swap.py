"""Left and right exchanged in a text, and texts brought into good order: spelling repaired, words left unsaid filled
in, blanks and stops tidied."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from training.report.finding import Edit, Problem, Rewrite, apply_edits, edit_of
from training.report.parse import parse
from training.report.slots import fill_slots
from training.report.tokens import Token, tokenize
from training.report.vocabulary import ORDINARY

MIRROR = {"left": "right", "right": "left", "lt": "rt", "rt": "lt", "l": "r", "r": "l"}
SIDE_INSIDE = re.compile("left|right", re.IGNORECASE)
WORDS = re.compile(r"\w+|\s+|[^\w\s]")
TIDY = (
    (re.compile(r"\s+([,.;:])"), r"\1"),
    (re.compile(r"([,;])(?=[^\s\d])"), r"\1 "),
    (re.compile(r"([,.;])(?:\s*\1)+"), r"\1"),
    (re.compile(r"[^\S\n]+"), " "),
)
MOST_ROUNDS = 4


def swap_sides(text: str) -> Rewrite:
    """Exchange left and right everywhere: for horizontal flips and for a change of convention.

    Parameters
    ----------
    text : str
        Description.

    Returns
    -------
    Rewrite
        Words, abbreviations ("Lt", "RUL") and capitals keep their form; twice is the identity. A misspelt side is
        spelled right on the way, and a word that may be a side but cannot be read stays as it is.
    """
    tokens = fill_slots(tokenize(text))
    edits, done = [], -1
    for token in tokens:
        if token.start < done:
            continue
        after = _mirrored(text[token.start : token.end], token)
        if after is not None:
            edits.append(edit_of(text, token.start, token.end, after, "swap"))
            done = token.end
    return apply_edits(text, edits)


def normalize(text: str) -> Rewrite:
    """Bring a text into good order without changing what it means.

    Parameters
    ----------
    text : str
        Description.

    Returns
    -------
    Rewrite
        Every repair of `parse` written out (of an ambiguous text none), blanks and stops tidied. Doing it twice
        changes nothing more.
    """
    wanted, now = parse(text), text
    for _ in range(MOST_ROUNDS):
        after = _tidy(_repaired(now))
        finding = parse(after)
        if after == now:
            break
        if (finding.zones, finding.is_negative, finding.count) != (
            wanted.zones,
            wanted.is_negative,
            wanted.count,
        ):
            now = _tidy(text) if parse(_tidy(text)).zones == wanted.zones else text
            break
        now = after
    return Rewrite(now, _differences(text, now))


def _mirrored(typed: str, token: Token) -> str | None:
    """The mirrored form of a token's typed text; None where it has no side."""
    if token.fix is not None:
        fixed = SIDE_INSIDE.sub(lambda match: MIRROR[match[0].lower()], token.fix)
        return _capital(typed, fixed) if fixed != token.fix else None
    if token.kind == "side":
        return like(typed, MIRROR[typed.lower()])
    if token.kind == "zone" and typed[0].lower() in "lr":
        return like(typed[0], MIRROR[typed[0].lower()]) + typed[1:]
    if token.kind in ("word", "odd") and typed.lower() not in ORDINARY:
        swapped = SIDE_INSIDE.sub(lambda match: like(match[0], MIRROR[match[0].lower()]), typed)
        return swapped if swapped != typed else None
    return None


def like(model: str, word: str) -> str:
    """The word in the model's capitals."""
    if model.isupper():
        return word.upper()
    return _capital(model, word)


def _capital(model: str, word: str) -> str:
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def _repaired(text: str) -> str:
    finding = parse(text)
    if finding.reading == "ambiguous":
        return text
    fixes = [p for p in finding.problems if p.weight <= 1 and p.fix is not None]
    kept: list[Problem] = []
    for problem in sorted(fixes, key=lambda p: (p.start - p.end, p.start)):
        if all(problem.end <= other.start or other.end <= problem.start for other in kept):
            kept.append(problem)
    edits = [
        Edit(
            p.start,
            p.end,
            text[p.start : p.end],
            _capital(text[p.start : p.end], p.fix or ""),
            p.code,
        )
        for p in kept
    ]
    return apply_edits(text, edits).text


def _tidy(text: str) -> str:
    for pattern, after in TIDY:
        text = pattern.sub(after, text)
    return text.strip()


def _differences(text: str, after: str) -> tuple[Edit, ...]:
    """Edits by words that lead from one text to the other."""
    if text == after:
        return ()
    old, new = WORDS.findall(text), WORDS.findall(after)
    places = [0]
    for word in old:
        places.append(places[-1] + len(word))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        edit_of(text, places[a], places[b], "".join(new[c:d]), "normalize")
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )
