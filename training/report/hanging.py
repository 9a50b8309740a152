"""Scraps that hang on a phrase: short unknown strings joined to a position by "and", standing before "lung", or
opening a sentence where "no" may have stood. Each may be a spoiled word that changes the zones, so each is doubted."""

from __future__ import annotations

from training.report.repair import near_denial, slip
from training.report.tokens import Token
from training.report.vocabulary import ORDINARY

PLACES = frozenset(("side", "level", "place", "zone", "noun"))
LINKS = frozenset(("and", "or", "to"))
SCRAP = 4


def hangs(tokens: list[Token], at: int) -> bool:
    """True when token ``at`` is such a scrap."""
    token = tokens[at]
    raw = token.raw
    if token.kind not in ("word", "number", "odd") or not raw.isalnum():
        return False
    unknown = token.kind != "number" and raw not in ORDINARY
    if _linked(tokens, at) and ((unknown and len(raw) <= SCRAP) or slip(raw)):
        return True
    if not unknown:
        return False
    return _before_place(tokens, at) or _spoiled_denial(tokens, at)


def _kind(tokens: list[Token], at: int) -> str:
    return tokens[at].kind if 0 <= at < len(tokens) else ""


def _linked(tokens: list[Token], at: int) -> bool:
    """Joined by "and", "or" or "to" to a position before or after ("mip and lower zones")."""
    if _kind(tokens, at + 1) in LINKS and _kind(tokens, at + 2) in PLACES:
        return True
    return _kind(tokens, at - 1) in LINKS and _kind(tokens, at - 2) in PLACES


def _before_place(tokens: list[Token], at: int) -> bool:
    """Right before a position, where a short word or one with "and" stuck to it may be another ("iht lung")."""
    token, after = tokens[at], _kind(tokens, at + 1)
    raw = token.raw
    if len(raw) > SCRAP and raw.endswith(("lung", "lobe", "zone")):
        return True
    if after not in PLACES:
        return False
    short = token.kind == "word" and 1 < len(raw) <= SCRAP
    if short and (
        after == "noun" or (after in ("level", "side") and _kind(tokens, at - 1) == "comma")
    ):
        return True
    return len(raw) <= 12 and (raw.startswith("and") or raw.endswith("and"))


def _spoiled_denial(tokens: list[Token], at: int) -> bool:
    opens = at == 0 or tokens[at - 1].kind in ("stop", "comma")
    raw = tokens[at].raw
    return (opens or len(raw) > 3) and near_denial(raw)
