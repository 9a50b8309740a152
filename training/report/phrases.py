"""Positional phrases: which tokens belong together, and how the sides and levels inside one run of position words
attach to each other. Knows nothing of denial, of other structures or of the rest of the sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.report.finding import Role
from training.report.tokens import Token

PLACE_KINDS = frozenset(
    ("side", "both", "level", "place", "zone", "vague", "all", "diffuse", "odd")
)
INNER_KINDS = frozenset(("and", "or", "to", "prep", "article", "comma", "filler", "noun", "cmp"))
BREAKS = frozenset(("and", "or", "comma", "cmp", "to"))
LEVEL_ORDER = "uml"


@dataclass
class Part:
    """One phrase while it is being understood: the sides and levels it names and what is odd about it."""

    tokens: list[Token]
    joint: str = ""
    sides: str = ""
    levels: str = ""
    noun: bool = False
    plural: bool = False
    order: str = ""
    inner_prep: bool = False
    whole: bool = False
    both: bool = False
    diffuse: bool = False
    vague: bool = False
    undecided: str = ""
    repaired: bool = False
    filled: str = ""
    role: Role = "finding"
    first: int = 0
    last: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def span(self) -> tuple[int, int]:
        """Characters from the first to the last token."""
        return self.tokens[0].start, self.tokens[-1].end

    @property
    def zones(self) -> frozenset[str]:
        """Product of sides and levels."""
        return frozenset(side + level for side in self.sides for level in self.levels)


@dataclass(frozen=True)
class Chunk:
    """A run of position words: tokens ``[first, last)`` and its parts."""

    first: int
    last: int
    parts: tuple[Part, ...]


def find_chunks(tokens: list[Token]) -> list[Chunk]:
    """All runs of position words of a text, in order, each cut into parts (not yet attached to each other)."""
    chunks, at = [], 0
    while at < len(tokens):
        if not _opens(tokens, at):
            at += 1
            continue
        last = _run_end(tokens, at)
        if parts := _parts(tokens, at, last):
            chunks.append(Chunk(at, last, tuple(parts)))
        at = last
    return chunks


def _opens(tokens: list[Token], at: int) -> bool:
    kind = tokens[at].kind
    if kind == "odd":
        return at + 1 < len(tokens) and tokens[at + 1].kind in (
            "side",
            "level",
            "noun",
            "place",
            "zone",
        )
    if kind == "all":
        return _reaches(tokens, at + 1, ("side", "both", "level", "place", "noun"))
    if kind == "noun" and tokens[at].word in ("lung", "lungs", "lobe", "lobes"):
        return _noun_opens(tokens, at)
    return kind in PLACE_KINDS and kind != "diffuse"


def _noun_opens(tokens: list[Token], at: int) -> bool:
    after = tokens[at + 1].kind if at + 1 < len(tokens) else ""
    return after in ("side", "level", "place")


def _reaches(tokens: list[Token], at: int, kinds: tuple[str, ...]) -> bool:
    while at < len(tokens) and tokens[at].kind in ("prep", "article", "filler", "odd"):
        at += 1
    return at < len(tokens) and tokens[at].kind in kinds


def _run_end(tokens: list[Token], at: int) -> int:
    end = at + 1
    look = at + 1
    while look < len(tokens):
        kind = tokens[look].kind
        adjacent = look == end
        if kind == "odd" and not adjacent:
            break
        if (kind in PLACE_KINDS and (kind not in ("all", "diffuse") or _opens(tokens, look))) or (
            kind == "noun" and (adjacent or _only_fillers(tokens, end, look))
        ):
            end = look + 1
        elif kind not in INNER_KINDS:
            break
        look += 1
    return end


def _only_fillers(tokens: list[Token], start: int, end: int) -> bool:
    return all(token.kind == "filler" for token in tokens[start:end])


def _parts(tokens: list[Token], first: int, last: int) -> list[Part]:
    parts: list[Part] = []
    here: list[int] = []
    joint = ""

    def close() -> None:
        nonlocal here, joint
        while (
            here
            and tokens[here[-1]].kind in ("prep", "article", "filler")
            and tokens[here[-1]].word != "sided"
        ):
            here.pop()
        while here and tokens[here[0]].kind in ("prep", "article"):
            here.pop(0)
        if here:
            parts.append(_part(tokens, here, joint))
            joint = ""
        here = []

    for at in range(first, last):
        token = tokens[at]
        if token.kind in BREAKS:
            close()
            joint = token.kind if joint in ("", "comma") else joint
            continue
        if here and _starts_new([tokens[i] for i in here], tokens, at):
            close()
            joint = "none"
        here.append(at)
    close()
    return [part for part in parts if part.sides or part.levels or part.undecided or part.whole]


def _starts_new(here: list[Token], tokens: list[Token], at: int) -> bool:
    kinds = [token.kind for token in here]
    kind = tokens[at].kind
    if kind == "zone" or "zone" in kinds:
        return kind != "noun" and kind != "filler"
    has_side = any(k in ("side", "both") for k in kinds)
    has_level = any(k in ("level", "place", "all") for k in kinds)
    has_noun = any(k in ("noun", "place") for k in kinds)
    leads = next((k for k in kinds if k in ("side", "both", "level", "place", "all")), "")
    side_first = leads in ("side", "both")
    if kind in ("level", "place", "all"):
        return has_side and has_level and (has_noun or not side_first)
    if kind in ("side", "both"):
        if has_side and has_level:
            return has_noun or (side_first and kinds[-1] != "side")
        return has_side and has_noun
    return False


def _part(tokens: list[Token], here: list[int], joint: str) -> Part:
    own = [tokens[i] for i in here]
    part = Part(own, joint, first=here[0], last=here[-1] + 1)
    part.repaired = any(token.fix is not None for token in own)
    kinds = [token.kind for token in own]
    part.noun = any(kind in ("noun", "place", "zone") for kind in kinds)
    part.plural = any(token.meaning.plural for token in own)
    part.inner_prep = "prep" in kinds
    part.whole, part.both, part.diffuse = "all" in kinds, "both" in kinds, "diffuse" in kinds
    named = [token for token in own if token.kind in ("level", "place")]
    levels = {token.meaning.value for token in named}
    sides = [token.meaning.value for token in own if token.kind == "side"]
    part.order = "".join(
        "S" if k in ("side", "both") else "L"
        for k in kinds
        if k in ("side", "both", "level", "place", "all")
    )
    for token in own:
        if token.kind in ("zone", "vague"):
            side, level = token.meaning.value.split(":")
            sides += [s for s in side if s not in sides]
            levels |= set(level)
            part.vague |= token.kind == "vague"
    if part.whole:
        levels = set(LEVEL_ORDER)
    part.levels = "".join(level for level in LEVEL_ORDER if level in levels)
    _set_sides(part, sides, own)
    _doubt_part(part, own, named)
    return part


def _set_sides(part: Part, sides: list[str], own: list[Token]) -> None:
    distinct = sorted(set(sides))
    part.sides = "LR" if part.both else "".join(distinct)
    if any(token.kind == "zone" for token in own):
        return
    if part.both and sides:
        if own[0].word == "both" and not part.levels:
            part.both, part.sides = False, "".join(distinct)
        else:
            part.undecided = "one side and both sides"
    elif len(distinct) > 1:
        part.undecided = "left and right run together"
    elif len(sides) > 1:
        if part.levels:
            part.repaired = True
            part.notes.append("repeated side")
        else:
            part.undecided = "a side said twice without a level"


def _doubt_part(part: Part, own: list[Token], named: list[Token]) -> None:
    if part.vague:
        part.undecided = part.undecided or "a place that is no single zone"
    if part.whole and named and not part.sides:
        part.undecided = part.undecided or "a level and the whole without a side"
    odd = [token for token in own if token.kind == "odd"]
    if len(odd) > 1:
        part.undecided = part.undecided or "words that cannot be read"
    for token in odd:
        _doubt_odd(part, token, len(named))


def _doubt_odd(part: Part, token: Token, levels: int) -> None:
    """A short scrap beside two named levels, or one letter, is a slip of the hand; anything else could be a word."""
    scrap = len(token.raw) == 1 or (len(token.raw) == 2 and levels > 1)
    if token.raw in ("ll", "al", "a1", "il", "l1") and not levels and part.sides:
        part.levels, part.repaired = LEVEL_ORDER, True
        part.notes.append("all")
        part.whole = True
    elif scrap and part.sides and part.levels:
        part.repaired = True
        part.notes.append("scrap")
    else:
        part.undecided = part.undecided or "a word that cannot be read"
