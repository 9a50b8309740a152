"""Real words in the wrong place: "lower lift lung", "eight lung". A word that is spelled right is taken for a slip only
where the words beside it leave room for nothing but a side or a level."""

from __future__ import annotations

import itertools

from training.report.hanging import hangs
from training.report.repair import any_near, near_position, slip
from training.report.tokens import Token
from training.report.vocabulary import LEXICON, ORDINARY, TEMPLATE, Meaning

BEFORE = frozenset(("side", "level", "all"))
AFTER = frozenset(("side", "level", "noun", "place"))
ANCHORS = BEFORE | AFTER | {"zone", "both"}
LOOSE = frozenset(
    ("word", "number", "filler", "other", "clear", "elsewhere", "emphasis", "prep", "doubt")
)


def is_template(tokens: list[Token]) -> bool:
    """True when a text follows the LViT form ("… pulmonary infection, … infected areas, …")."""
    words = [token.word for token in tokens]
    pairs = set(itertools.pairwise(words))
    return bool({("pulmonary", "infection"), ("infected", "area"), ("infected", "areas")} & pairs)


def fill_slots(tokens: list[Token]) -> list[Token]:
    """Replace slips between position words; mark words that might be one as ``odd``."""
    if not any(token.kind in ANCHORS for token in tokens):
        return tokens
    template = is_template(tokens)
    return [_in_slot(tokens, at, template) for at in range(len(tokens))]


def _in_slot(tokens: list[Token], at: int, template: bool) -> Token:
    token = tokens[at]
    if _spoiled_and(tokens, at):
        return token._replace(word="and", meaning=LEXICON["and"], fix="and", rivals=())
    if token.rivals:
        return _level_or_noun(tokens, at)
    if token.fix is not None and _displaced(tokens, at):
        return token._replace(meaning=Meaning("odd", "hangs"), fix=None)
    if token.kind == "odd" and hangs(tokens, at):
        return token._replace(meaning=Meaning("odd", "hangs"))
    if token.kind not in LOOSE or token.fix is not None or not token.raw.isalnum():
        return token
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    touches_after = after is not None and after.kind in AFTER
    touches_before = before is not None and before.kind in BEFORE
    if hangs(tokens, at):
        return token._replace(meaning=Meaning("odd", "hangs"))
    if not (touches_after or touches_before):
        return token
    listed = before is not None and before.kind in ("comma", "and", "or")
    opens = touches_before or (
        listed and (template or (at > 1 and tokens[at - 2].kind in (*BEFORE, "noun", "place")))
    )
    if opens and touches_after and (word := slip(token.raw)):
        return token._replace(word=word, meaning=LEXICON[word], fix=word)
    if _unread(token, before, after, template):
        return token._replace(meaning=Meaning("odd", "hangs"))
    return token


def _unread(token: Token, before: Token | None, after: Token | None, template: bool) -> bool:
    """True for a word beside a position that may be one: unknown between two, or near one in the strict template."""
    unknown = token.kind == "word" and token.raw not in ORDINARY and token.raw.isalpha()
    kind_before, kind_after = before.kind if before else "", after.kind if after else ""
    if unknown and kind_before in BEFORE and kind_after in AFTER:
        return kind_before != "side" or len(token.raw) < 5
    if template and unknown and kind_after == "noun":
        return True
    known = token.kind in ("filler", "prep", "elsewhere", "number")
    return template and not known and token.raw not in TEMPLATE and near_position(token.raw)


def _level_or_noun(tokens: list[Token], at: int) -> Token:
    """ "lowe" is "lower" before a side and "lobe" after a level: the place in the phrase decides, where it can."""
    token = tokens[at]
    kinds = {LEXICON[word].kind if word in LEXICON else "" for word in token.rivals}
    if kinds != {"level", "noun"}:
        return token
    before = tokens[at - 1].kind if at else ""
    after = tokens[at + 1].kind if at + 1 < len(tokens) else ""
    wanted = "level" if after in ("side", "noun", "level") and before not in BEFORE else ""
    wanted = wanted or (
        "noun" if before == "level" and after in ("", "stop", "finding", "elsewhere") else ""
    )
    words = [word for word in token.rivals if LEXICON[word].kind == wanted]
    if len(words) != 1:
        return token
    return token._replace(word=words[0], meaning=LEXICON[words[0]], fix=words[0], rivals=())


def _spoiled_and(tokens: list[Token], at: int) -> bool:
    """True for "nd", "amd" and the like between a lung and the next phrase."""
    token = tokens[at]
    if (
        token.kind not in ("word", "odd")
        or not 2 <= len(token.raw) <= 4
        or not 0 < at < len(tokens) - 1
    ):
        return False
    between = tokens[at - 1].kind in ("noun", "place") and tokens[at + 1].kind in (
        "level",
        "side",
        "all",
    )
    return between and any_near(token.raw, ("and",), 1)


def _displaced(tokens: list[Token], at: int) -> bool:
    """True for a misspelling read as a number, a finding or the like where only a position can stand ("owe left")."""
    if tokens[at].kind not in ("number", "word", "no", "elsewhere"):
        return False
    after = tokens[at + 1].kind if at + 1 < len(tokens) else ""
    return after in AFTER and at > 0 and tokens[at - 1].kind in (*BEFORE, "and", "comma")
