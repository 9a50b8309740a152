"""Why a case is where it is in a list, as a few short words each. No Qt."""

from __future__ import annotations

from typing import Literal, NamedTuple

from napari_semimedref.planning import BLIND_REASON
from training.pool.listing import ListedCase
from training.report import ZONES

Tone = Literal["plain", "warn", "done"]
LEVELS = {"u": "upper", "m": "middle", "l": "lower"}
SIDES = {"L": "left", "R": "right"}
ZONE_WORDS = {zone: f"{LEVELS[zone[1]]} {SIDES[zone[0]]}" for zone in ZONES}
DOUBTS = {1: "words repaired", 2: "words contradict", 3: "words unclear"}
WHOLE = {
    "drawn at random": ("at random", "Drawn at random."),
    "skipped before": ("seen before", "Skipped before: such cases come last."),
    "names no zone": ("no zone named", "The words name no zone."),
    "holdout: drawn without a proposal": (
        "held out",
        "Held out: drawn without a proposal, since it judges the teachers. It comes first.",
    ),
    BLIND_REASON: ("second reading", "Somebody else has read it; you see it as it was imported."),
}
SAID = {
    "unsure region": "The teacher is unsure over a large region; entropy over the film, in thousandths.",
    "student differs": "How far the student's mask is from the teacher's.",
    "words change": "How much of the proposal changes when the words of position are hidden.",
    "mask misses": "Zones that the words name and the proposal leaves empty.",
    "mask adds": "Zones that the proposal touches and the words do not name.",
    "typical of": "A film like many others whose words name the same.",
    "unlike the labeled": "A film that looks different from the labeled ones.",
    "shows a lesion": "Drawn at random from what shows a lesion.",
}


class Chip(NamedTuple):
    """A few words, a sentence that explains them, and how much they ask for attention."""

    text: str
    sentence: str
    tone: Tone = "plain"


def chips_of(reason: str, row: ListedCase | None) -> list[Chip]:
    """The chips of a case: first why the queue put it there, then what stands in the pool about it."""
    chips = [_reason_chip(part) for part in reason.split(", ") if part]
    if row is None:
        return chips
    named = {chip.text for chip in chips}
    return chips + [chip for chip in _state_chips(row) if chip.text not in named]


def _reason_chip(part: str) -> Chip:
    if part in WHOLE:
        return Chip(*WHOLE[part])
    zone, _, rest = part.partition(" has ")
    if zone in ZONE_WORDS and rest:
        words = ZONE_WORDS[zone]
        sentence = f"The words name the {words} zone, which {rest} cases name: rare zones first."
        return Chip(f"{words}: {rest}", sentence)
    for start, told in SAID.items():
        if part.startswith(start):
            return Chip(part, told)
    name, _, number = part.partition(" ")
    if name == "unsure" and number:
        sentence = f"The teacher is unsure: entropy over foreground is {number}."
        return Chip(f"teacher unsure {number}", sentence)
    return Chip(part, f"{part[:1].upper()}{part[1:]}.")


def _state_chips(row: ListedCase) -> list[Chip]:
    chips = []
    if row.contested:
        chips.append(
            Chip("readers disagree", "Readers disagree; nobody has adjudicated yet.", "warn")
        )
    if row.at_odds:
        sentence = "The words name another side than the teacher's pseudo-mask touches."
        chips.append(Chip("words ≠ proposal", sentence, "warn"))
    if row.doubt:
        sentence = "The description contains a problem: open the case to see it."
        tone: Tone = "warn" if row.doubt > 1 else "plain"
        chips.append(Chip(DOUBTS.get(row.doubt, DOUBTS[3]), sentence, tone))
    if row.skipped:
        why = row.skip_reason or "no reason given"
        chips.append(Chip(f"skipped: {why}", f"Skipped: {why}."))
    if row.pool == "labeled":
        by = f" · {row.reader}" if row.reader else ""
        chips.append(Chip(f"labeled{by}", "Has a reference mask.", "done"))
    elif row.pool in ("gate", "report"):
        chips.append(Chip("held out", WHOLE["holdout: drawn without a proposal"][1]))
    return chips
