"""Phrases that name only a side or only a level: completed from their sentence, from the other phrases or from the
word "bilateral", and left undecided where that would be a guess."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.report.finding import SIDES
from training.report.phrases import LEVEL_ORDER, Part
from training.report.repair import near_level
from training.report.scope import Scene


@dataclass
class Sentence:
    """The parts of a text that speak of the finding, and what the text says of laterality."""

    scene: Scene
    parts: list[Part]
    stated: str
    template: bool
    adjectives: list[Part] = field(default_factory=list)

    @property
    def named(self) -> frozenset[str]:
        """Sides of the parts that are complete."""
        return frozenset(side for part in self.parts for side in part.sides if part.levels)


def resolve(sentence: Sentence) -> None:
    """Complete or doubt every part that lacks a side or a level."""
    _set_adjectives_aside(sentence)
    for clause in sorted({sentence.scene.clause[part.first] for part in sentence.parts}):
        _combine(sentence, clause)
    _set_emphasis_aside(sentence)
    for part in [p for p in sentence.parts if p.levels and not p.sides and not p.undecided]:
        _find_side(sentence, part)
    for part in [p for p in sentence.parts if p.sides and not p.levels and not p.undecided]:
        _find_level(sentence, part)
    _doubt_left_alone(sentence)


def _set_adjectives_aside(sentence: Sentence) -> None:
    """ "bilateral" beside no lung and no level describes the finding, it is no phrase; "diffuse" makes it one."""
    for part in list(sentence.parts):
        if not part.both or part.levels or part.noun or part.undecided:
            continue
        if _near_kind(sentence.scene, part, "diffuse") and not any(
            p.levels for p in sentence.parts
        ):
            part.levels = LEVEL_ORDER
            continue
        sentence.parts.remove(part)
        sentence.adjectives.append(part)
    for part in sentence.parts:
        whole = _near_kind(sentence.scene, part, "diffuse") or _near_word(
            sentence.scene, part, "throughout"
        )
        if part.sides and not part.levels and part.noun and whole:
            part.levels = LEVEL_ORDER


def _near_kind(scene: Scene, part: Part, kind: str) -> bool:
    here = scene.segment[part.first]
    return any(
        t.kind == kind and s == here for t, s in zip(scene.tokens, scene.segment, strict=True)
    )


def _near_word(scene: Scene, part: Part, word: str) -> bool:
    here = scene.segment[part.first]
    return any(
        t.word == word and s == here for t, s in zip(scene.tokens, scene.segment, strict=True)
    )


def _combine(sentence: Sentence, clause: int) -> None:
    """Pair sides and levels that stand apart in one clause ("lower zone opacity on the left")."""
    scene = sentence.scene
    here = [
        part for part in sentence.parts if scene.clause[part.first] == clause and not part.undecided
    ]
    sides = [
        part for part in here if part.sides and not part.levels and "compared" not in part.notes
    ]
    levels = [part for part in here if part.levels and not part.sides]
    whole = [part for part in here if part.levels and part.sides]
    both = [part for part in sentence.adjectives if scene.clause[part.first] == clause]
    if both and levels and not sides and not whole and not _template_only(sentence, levels):
        for part in levels:
            part.sides = "LR"
    elif len(sides) == 1 and levels and not whole:
        _share(scene, sides[0], levels)
    elif len(sides) == len(levels) > 1 and not whole:
        ordered = sorted(sides + levels, key=lambda part: part.first)
        pairs = list(zip(ordered[::2], ordered[1::2], strict=True))
        if len({bool(one.sides) for one, _ in pairs}) == 1 and all(
            bool(a.sides) != bool(b.sides) for a, b in pairs
        ):
            for one, other in pairs:
                _share(scene, one if one.sides else other, [other if one.sides else one])


def _template_only(sentence: Sentence, levels: list[Part]) -> bool:
    return sentence.template and not any(part.plural for part in levels)


def _share(scene: Scene, side: Part, levels: list[Part]) -> None:
    side.levels = "".join(
        level for level in LEVEL_ORDER if any(level in part.levels for part in levels)
    )
    for part in levels:
        part.sides = side.sides
        part.repaired |= scene.segment[part.first] != scene.segment[side.first]


def _set_emphasis_aside(sentence: Sentence) -> None:
    """ "worse on the left" adds no zone to phrases that already name the left."""
    scene = sentence.scene
    for part in list(sentence.parts):
        stressed = any(
            scene.tokens[at].kind == "emphasis" and scene.segment[at] == scene.segment[part.first]
            for at in range(part.first)
        )
        others = [p for p in sentence.parts if p is not part]
        sides = frozenset(side for p in others for side in p.sides if p.levels)
        if "compared" in part.notes or (
            stressed and part.sides and not part.levels and set(part.sides) <= sides
        ):
            sentence.parts.remove(part)
            part.role = "elsewhere"
        elif stressed and not part.zones <= frozenset().union(*(p.zones for p in others)):
            part.undecided = part.undecided or "only where it is worst"


def _find_side(sentence: Sentence, part: Part) -> None:
    lone = [p for p in sentence.parts if p.levels and not p.sides and not p.undecided]
    named = sentence.named
    if sentence.stated == "bilateral" and len(named) == 1 and len(lone) == 1:
        part.sides = next(side for side in SIDES if side not in named)
        part.repaired, part.filled = True, "other side"
    elif part.whole and not named and sentence.stated != "unilateral":
        part.sides, part.repaired, part.filled = "LR", True, "both sides"
    elif (
        part.plural
        and not named
        and sentence.stated != "unilateral"
        and not _single_sides(sentence)
    ):
        part.sides = "LR"
        if not any(token.kind == "place" for token in part.tokens):
            part.repaired, part.filled = True, "both sides"
    else:
        part.undecided = "which side"


def _single_sides(sentence: Sentence) -> bool:
    return any(len(part.sides) == 1 for part in sentence.parts)


def _find_level(sentence: Sentence, part: Part) -> None:
    others = [p for p in sentence.parts if p is not part]
    named = frozenset(side for p in others for side in p.sides if p.levels)
    full = [p for p in others if p.sides and p.levels]
    if not others and _level_spoiled(sentence.scene, part):
        part.undecided = "which level"
    elif not others:
        part.levels, part.repaired, part.filled = LEVEL_ORDER, True, "level"
    elif (
        sentence.stated == "unilateral"
        and len(full) == len(others)
        and len(named) == 1
        and part.sides not in named
        and len(part.sides) == 1
        and part.tokens[-1].kind == "noun"
        and all(p.tokens[-1].kind == "noun" for p in full)
    ):
        part.repaired, part.filled = True, "empty side"
    else:
        part.undecided = "which level"


def _level_spoiled(scene: Scene, part: Part) -> bool:
    """True where a word beside a bare side may be a spoiled level ("left apgcal opacity", "left id zone")."""
    around = (
        scene.tokens[max(0, part.first - 2) : part.first] + scene.tokens[part.last : part.last + 3]
    )
    if any(t.kind in ("word", "odd") and near_level(t.raw) for t in around):
        return True
    after = scene.tokens[part.last : part.last + 3]
    gap = next((at for at, t in enumerate(after) if t.kind == "noun"), 0)
    return gap > 0 and all(t.kind in ("word", "odd") for t in after[:gap])


def _doubt_left_alone(sentence: Sentence) -> None:
    """Prose that calls the finding bilateral and places it on one side leaves the other side open."""
    if sentence.template or sentence.stated != "bilateral" or not sentence.adjectives:
        return
    if len(sentence.named) == 1:
        for part in sentence.parts:
            part.undecided = part.undecided or "where on the other side"
