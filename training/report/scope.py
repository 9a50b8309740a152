"""What is said at a place: a finding, its absence, or something about another structure. Decides by the nouns and the
denials around each positional phrase, and says "undecided" where the words allow more than one reading."""

from __future__ import annotations

from dataclasses import dataclass

from training.report.phrases import Chunk, Part
from training.report.tokens import Token

SEGMENT_ENDS = frozenset(("stop", "comma", "colon"))
STAY = frozenset(
    (
        *("is", "are", "was", "were", "appears", "appear", "remains", "remain", "both", "well"),
        *("also", "grossly", "relatively", "otherwise", "now", "clearly"),
    )
)


@dataclass(frozen=True)
class Scene:
    """Tokens of a text with the bounds of clauses (stops) and segments (commas too), and its runs of position words."""

    tokens: list[Token]
    chunks: list[Chunk]
    clause: list[int]
    segment: list[int]

    owners: dict[int, Chunk]

    def owner(self, at: int) -> Chunk | None:
        """The run of position words that token ``at`` belongs to."""
        return self.owners.get(at)


def scene_of(tokens: list[Token], chunks: list[Chunk]) -> Scene:
    """Number the clauses and segments of a text."""
    clause = segment = 0
    clauses, segments = [], []
    for token in tokens:
        if token.kind in SEGMENT_ENDS:
            segment += 1
            clause += token.kind == "stop"
        clauses.append(clause)
        segments.append(segment)
    owners = {at: chunk for chunk in chunks for at in range(chunk.first, chunk.last)}
    return Scene(tokens, chunks, clauses, segments, owners)


def assign_roles(scene: Scene) -> None:
    """Set ``role`` and, where the words leave it open, ``undecided`` of every part."""
    for chunk in scene.chunks:
        _by_nouns(scene, chunk)
        _by_denial(scene, chunk)
        _by_clearness(scene, chunk)
        _by_doubt(scene, chunk)


def denials(scene: Scene) -> list[int]:
    """Positions of words that deny; "no change", "no new …" and "not only" deny nothing and are left out."""
    found = []
    for at, token in enumerate(scene.tokens):
        if token.kind != "no":
            continue
        after = [t for t, c in zip(scene.tokens[at + 1 : at + 5], scene.clause[at + 1 : at + 5], strict=True)
                 if c == scene.clause[at]]  # fmt: skip
        if any(t.kind == "change" for t in after) or (
            after and (after[0].kind == "other" or after[0].word == "only")
        ):
            continue
        found.append(at)
    return found


def noun_right(scene: Scene, chunk: Chunk) -> int | None:
    """The finding or structure that a run of position words describes ("right lower lobe *opacity*")."""
    for at in range(chunk.last, len(scene.tokens)):
        kind = scene.tokens[at].kind
        if kind in ("finding", "elsewhere"):
            return at
        joined = kind in ("and", "or", "prep", "to", "article") or scene.tokens[at].word == "with"
        if joined or kind in SEGMENT_ENDS or kind in ("clear", "no", "spare") or scene.owner(at):
            return None
    return None


def noun_left(scene: Scene, chunk: Chunk) -> int | None:
    """The nearest finding or structure before, in the same clause and after the run before ("*opacity* in the …")."""
    for at in range(chunk.first - 1, -1, -1):
        if scene.clause[at] != scene.clause[chunk.first] or scene.owner(at):
            return None
        if scene.tokens[at].kind in ("finding", "elsewhere"):
            return at
    return None


def _finding_before(scene: Scene, noun: int) -> bool:
    """True where a finding stands before a structure with no place between ("*opacity* on the lateral view in …")."""
    for at in range(noun - 1, -1, -1):
        if scene.segment[at] != scene.segment[noun] or scene.owner(at):
            return False
        if scene.tokens[at].kind == "finding":
            return True
    return False


def _prep_before(scene: Scene, chunk: Chunk) -> bool:
    at = chunk.first - 1
    while at >= 0 and scene.tokens[at].kind in ("article", "filler"):
        at -= 1
    return at >= 0 and scene.tokens[at].kind == "prep"


def _by_nouns(scene: Scene, chunk: Chunk) -> None:
    left, right = noun_left(scene, chunk), noun_right(scene, chunk)
    kind_left = scene.tokens[left].kind if left is not None else ""
    kind_right = scene.tokens[right].kind if right is not None else ""
    if _prep_before(scene, chunk) and kind_left:
        if kind_right and kind_right != kind_left:
            _split_heads(chunk, kind_left, kind_right)
        elif kind_left == "elsewhere" and left is not None:
            _elsewhere(scene, chunk, list(chunk.parts), left)
            if _finding_before(scene, left):
                _undecide(chunk.parts, "the place of a finding or of another structure")
    elif kind_right == "elsewhere" and right is not None:
        _elsewhere(scene, chunk, list(chunk.parts), right)
    elif kind_left == "elsewhere" and not kind_right and left is not None:
        if scene.segment[left] == scene.segment[chunk.first]:
            _elsewhere(scene, chunk, list(chunk.parts), left)
        elif left == chunk.first - 2:
            _undecide(chunk.parts, "the place of a finding or of another structure")


def _split_heads(chunk: Chunk, left: str, right: str) -> None:
    """ "opacity in the left base, right effusion": the comma parts the two; "and" could bind either way."""
    if len(chunk.parts) == 2 and chunk.parts[1].joint == "comma":
        chunk.parts[0].role = "elsewhere" if left == "elsewhere" else "finding"
        chunk.parts[1].role = "elsewhere" if right == "elsewhere" else "finding"
    else:
        _undecide(chunk.parts, "the place of a finding or of another structure")


def _elsewhere(scene: Scene, chunk: Chunk, parts: list[Part], noun: int) -> None:
    for part in parts:
        part.role = "elsewhere"
    for at in range(max(noun, chunk.last - 1) + 1, len(scene.tokens)):
        if scene.segment[at] != scene.segment[chunk.first] or scene.owner(at):
            return
        if scene.tokens[at].kind == "no":
            return
        if scene.tokens[at].kind == "finding":
            _undecide(parts, "the place of a finding or of another structure")
            return


def _by_denial(scene: Scene, chunk: Chunk) -> None:
    before = [
        at
        for at in denials(scene)
        if at < chunk.first and scene.clause[at] == scene.clause[chunk.first]
    ]
    if before and scene.clause[chunk.first] == scene.clause[before[-1]]:
        _denied(scene, chunk, before[-1])
    for at in range(chunk.last, len(scene.tokens)):
        if scene.segment[at] != scene.segment[chunk.last - 1] or scene.owner(at):
            break
        if scene.tokens[at].kind == "no" and scene.tokens[at].word == "not":
            _undecide(chunk.parts, "what the denial covers")
    if any(
        scene.tokens[at].kind == "other" and scene.tokens[at - 1].kind == "no"
        for at in range(1, chunk.first)
        if scene.segment[at] == scene.segment[chunk.first]
    ):
        _undecide(chunk.parts, "what the denial covers")


def _denied(scene: Scene, chunk: Chunk, no: int) -> None:
    between = range(no + 1, chunk.first)
    words = [scene.tokens[at] for at in between]
    same = scene.segment[no] == scene.segment[chunk.first]
    listed = any(t.kind == "or" or t.word == "nor" for t in words)
    nouns = [t for t in words if t.kind in ("finding", "elsewhere")]
    own = 1 if _prep_before(scene, chunk) else 0
    turned = any(t.word == "with" for t in words) or (
        any(t.kind == "and" for t in words) and len(nouns) > own
    )
    if all(part.role == "elsewhere" for part in chunk.parts):
        return
    if (same or listed) and not turned:
        for part in chunk.parts:
            part.role = "negated" if part.role == "finding" else part.role
    else:
        _undecide(chunk.parts, "what the denial covers")


def _by_clearness(scene: Scene, chunk: Chunk) -> None:
    at = chunk.first - 1
    while at >= 0 and scene.tokens[at].kind in ("article", "prep"):
        at -= 1
    if at >= 0 and scene.tokens[at].kind in ("clear", "spare"):
        if noun_right(scene, chunk) is not None or scene.tokens[at].word in ("except", "excluding"):
            _undecide(chunk.parts, "what is clear there")
        else:
            _deny(chunk.parts)
    after = chunk.last
    while after < len(scene.tokens) and (
        scene.tokens[after].word in STAY or scene.tokens[after].kind == "colon"
    ):
        after += 1
    if (
        after < len(scene.tokens)
        and scene.tokens[after].kind == "clear"
        and scene.tokens[after].word != "free"
    ):
        _clear_after(scene, chunk)
    elif after < len(scene.tokens) and scene.tokens[after].word == "free":
        _deny(chunk.parts)


def _clear_after(scene: Scene, chunk: Chunk) -> None:
    left = noun_left(scene, chunk)
    if left is None or scene.tokens[left].kind == "elsewhere" or len(chunk.parts) == 1:
        _deny(chunk.parts)
    elif len(chunk.parts) == 2 and chunk.parts[1].joint in ("comma", "and"):
        _deny(chunk.parts[1:])
    else:
        _undecide(chunk.parts, "what is clear there")


def _by_doubt(scene: Scene, chunk: Chunk) -> None:
    here = scene.segment[chunk.first]
    for at, token in enumerate(scene.tokens):
        if scene.segment[at] == here and token.kind == "doubt":
            _undecide(
                [p for p in chunk.parts if p.role == "finding"], f"what '{token.raw}' leaves open"
            )
    if any(part.joint == "or" for part in chunk.parts):
        affirmed = [part for part in chunk.parts if part.role == "finding"]
        _undecide(affirmed, "which of the two is meant")


def _deny(parts: tuple[Part, ...] | list[Part]) -> None:
    for part in parts:
        if part.role == "finding":
            part.role = "negated"


def _undecide(parts: tuple[Part, ...] | list[Part], why: str) -> None:
    for part in parts:
        part.undecided = part.undecided or why
