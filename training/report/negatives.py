"""Denial of everything: texts that say there is nothing to see. Denial of single places is `scope`'s."""

from __future__ import annotations

from training.report.finding import ZONES
from training.report.phrases import Part
from training.report.scope import Scene, denials
from training.report.vocabulary import COUNTED

STUDIES = frozenset(
    (
        "study",
        "radiograph",
        "film",
        "exam",
        "examination",
        "xray",
        "scan",
        "ct",
        "lungs",
        "lung",
        "chest",
        "fields",
    )
)


def denied_zones(parts: list[Part]) -> frozenset[str]:
    """Zones that a text calls clear or free of findings; a side or a level alone stands for all it covers."""
    denied = [part for part in parts if part.role == "negated" and not part.undecided]
    return frozenset(
        zone
        for part in denied
        for zone in ZONES
        if (not part.sides or zone[0] in part.sides) and (not part.levels or zone[1] in part.levels)
    )


def is_negative(scene: Scene, denied: frozenset[str], count: int | None) -> bool:
    """True when a text says that there is no finding in the lungs at all."""
    if any(
        part.undecided for chunk in scene.chunks for part in chunk.parts if part.role != "elsewhere"
    ):
        return False
    if _open_finding(scene, count):
        return False
    return (
        denied == frozenset(ZONES)
        or count == 0
        or _denied_at_large(scene)
        or _clear_at_large(scene)
    )


def _open_finding(scene: Scene, count: int | None) -> bool:
    """A finding that nothing before it in its clause denies."""
    denying = {scene.clause[at] for at in denials(scene)}
    denying |= {c for t, c in zip(scene.tokens, scene.clause, strict=True) if t.kind == "clear"}
    return any(
        token.kind == "finding"
        and clause not in denying
        and not (count == 0 and token.word in COUNTED)
        for token, clause in zip(scene.tokens, scene.clause, strict=True)
    )


def _denied_at_large(scene: Scene) -> bool:
    for at in denials(scene):
        clause = scene.clause[at]
        if any(
            scene.clause[chunk.first] == clause and _about_lung(chunk.parts)
            for chunk in scene.chunks
        ):
            continue
        if any(
            scene.tokens[i].kind == "finding" and scene.clause[i] == clause
            for i in range(at, len(scene.tokens))
        ):
            return True
    return False


def _about_lung(parts: tuple[Part, ...]) -> bool:
    return any(part.role != "elsewhere" for part in parts)


def _clear_at_large(scene: Scene) -> bool:
    for at, token in enumerate(scene.tokens):
        if token.kind != "clear":
            continue
        near = [t for i, t in enumerate(scene.tokens) if scene.segment[i] == scene.segment[at]]
        if any(t.word in STUDIES for t in near) and not any(t.kind == "elsewhere" for t in near):
            return not any(
                scene.owner(i)
                for i in range(len(scene.tokens))
                if scene.segment[i] == scene.segment[at]
            )
    return False
