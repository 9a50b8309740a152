"""Text to `Finding`: runs the reader's steps in order and gathers what they found. The steps themselves (tokens,
phrases, scope, resolution, doubt) live in their own files."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from training.report.attach import attach
from training.report.conflicts import contradictions
from training.report.doubt import reading_problems
from training.report.finding import (
    Finding,
    Laterality,
    Phrase,
    Problem,
    Reading,
    laterality_of,
)
from training.report.negatives import denied_zones, is_negative
from training.report.phrases import Part, find_chunks
from training.report.resolve import Sentence, resolve
from training.report.scope import Scene, assign_roles, scene_of
from training.report.slots import fill_slots, is_template
from training.report.tokens import Token, tokenize
from training.report.vocabulary import COUNTED

LONGEST = 20_000
MUTE = frozenset(
    ("word", "odd", "stop", "comma", "colon", "article", "prep", "and", "or", "to", "cmp", "filler")
)


@lru_cache(maxsize=4096)
def parse(text: str) -> Finding:
    """Read one description.

    Parameters
    ----------
    text : str
        A template text, hand-typed variants of it, or a radiologist's sentence. Only the first 20,000 characters
        are read.

    Returns
    -------
    Finding
        ``reading`` is ``"clear"``, ``"repaired"`` (a spelling or something left unsaid was filled in; the problems
        say what), ``"ambiguous"`` (then ``zones`` is empty and ``possible`` lists the meanings) or ``"none"`` (no
        position and no denial). Never raises on a string.
    """
    tokens = fill_slots(tokenize(text[:LONGEST]))
    if all(token.kind in MUTE for token in tokens):
        return Finding(text, frozenset(), "unknown", None, (), "none")
    chunks = find_chunks(tokens)
    for chunk in chunks:
        attach(chunk.parts)
    scene = scene_of(tokens, chunks)
    assign_roles(scene)
    parts = [part for chunk in scene.chunks for part in chunk.parts]
    sentence = Sentence(scene, [p for p in parts if p.role == "finding"], "", is_template(tokens))
    sentence.stated, heads = _stated(scene, sentence)
    resolve(sentence)
    adjectives = [part for part in parts if part in sentence.adjectives]
    spans = sorted([(t.start, t.end) for t in heads] + [part.span for part in adjectives])
    return _assemble(text, sentence, [p for p in parts if p not in adjectives], spans)


def _assemble(
    text: str, sentence: Sentence, parts: list[Part], heads: list[tuple[int, int]]
) -> Finding:
    count, count_span = _count(sentence.scene.tokens, sentence.scene.segment)
    affirmed = frozenset().union(*(part.zones for part in sentence.parts if not part.undecided))
    denied = denied_zones(parts)
    negative = not sentence.parts and is_negative(sentence.scene, denied, count)
    problems = reading_problems(text, sentence, parts, affirmed, denied, negative)
    reading = _reading(sentence, parts, problems, affirmed, negative)
    zones = affirmed if reading in ("clear", "repaired") else frozenset()
    strays = [(p.start, p.end) for p in problems if p.code == "unreadable-word"]
    phrases = _phrases(text, parts, heads[1:] + strays)
    laterality = _laterality(sentence.stated, zones, negative)
    finding = Finding(
        text, zones, laterality, count, phrases, reading, (), reading == "ambiguous" or bool(zones) or negative,
        negative, False, _possible(sentence, reading), heads[0] if heads else None, count_span,
    )  # fmt: skip
    against = contradictions(finding, sentence)
    ordered = sorted(problems + against, key=lambda problem: (-problem.weight, problem.start))
    conflict = any(problem.weight == 2 for problem in against)
    return replace(finding, problems=tuple(ordered), conflict=conflict)


def _stated(scene: Scene, sentence: Sentence) -> tuple[str, list[Token]]:
    """The laterality a text states, and its words "unilateral" (those of "bilateral" are parts)."""
    one = [token for token in scene.tokens if token.kind == "uni"]
    both = any(
        token.kind == "both" and token.word.startswith("bi")
        for part in sentence.parts
        for token in part.tokens
    )
    if one and both:
        return "both words", one
    return "unilateral" if one else "bilateral" if both else "", one


def _laterality(stated: str, zones: frozenset[str], negative: bool) -> Laterality:
    if negative:
        return "none"
    if stated == "unilateral":
        return "unilateral"
    if stated == "bilateral":
        return "bilateral"
    return laterality_of(zones) if zones and not stated else "unknown"


def _count(tokens: list[Token], segments: list[int]) -> tuple[int | None, tuple[int, int] | None]:
    for at, token in enumerate(tokens):
        if token.kind != "number":
            continue
        for look in range(at + 1, min(at + 5, len(tokens))):
            if segments[look] != segments[at] or tokens[look].kind == "number":
                break
            if tokens[look].word in COUNTED:
                return int(token.meaning.value), (token.start, tokens[look].end)
    return None, None


def _reading(
    sentence: Sentence,
    parts: list[Part],
    problems: list[Problem],
    affirmed: frozenset[str],
    negative: bool,
) -> Reading:
    if any(problem.weight == 3 for problem in problems):
        return "ambiguous"
    if not affirmed and not negative:
        return "none"
    relevant = sentence.parts if affirmed else parts
    return "repaired" if any(part.repaired for part in relevant) else "clear"


def _possible(sentence: Sentence, reading: Reading) -> tuple[frozenset[str], ...]:
    """Meanings of an ambiguous text: the sure zones with each way to complete the open phrases (at most eight)."""
    if reading != "ambiguous":
        return ()
    options: list[frozenset[str]] = [
        frozenset().union(*(p.zones for p in sentence.parts if not p.undecided))
    ]
    for part in [p for p in sentence.parts if p.undecided]:
        ways = _ways(part)
        options = [known | way for known in options for way in ways][:8]
    return tuple(option for option in dict.fromkeys(options) if option)


def _ways(part: Part) -> list[frozenset[str]]:
    levels = part.levels or "uml"
    sides = ["L", "R", "LR"] if not part.sides else [part.sides]
    ways = [frozenset(side + level for side in option for level in levels) for option in sides]
    return ways if part.levels else [frozenset(), *ways]


def _phrases(text: str, parts: list[Part], extra: list[tuple[int, int]]) -> tuple[Phrase, ...]:
    found: list[Phrase] = []
    for part in parts:
        start, end = part.span
        zones = part.zones if part.role == "finding" and not part.undecided else frozenset()
        found.append(Phrase(start, end, text[start:end], zones, part.role))
    found += [Phrase(start, end, text[start:end], frozenset(), "elsewhere") for start, end in extra]
    return _separate(sorted(found, key=lambda phrase: (phrase.start, phrase.end)), text)


def _separate(phrases: list[Phrase], text: str) -> tuple[Phrase, ...]:
    """Merge phrases that share characters (a fused word may serve two of them)."""
    merged: list[Phrase] = []
    for phrase in phrases:
        if merged and phrase.start < merged[-1].end:
            last = merged.pop()
            end = max(last.end, phrase.end)
            zones = last.zones | phrase.zones
            phrase = Phrase(last.start, end, text[last.start : end], zones, last.role)
        merged.append(phrase)
    return tuple(merged)
