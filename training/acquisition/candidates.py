"""What a strategy sees and what it answers, and the table of strategies. Nothing is chosen here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Need = Literal["scores", "embeddings"]
COVER = 0.02  # share of a film added to a proposal's foreground, so that small proposals do not win by size alone


class Candidate(NamedTuple):  # a tuple, because tens of thousands of them are made at a time
    """A case that could be reviewed next. What no teacher has said is None.

    Attributes
    ----------
    zones : frozenset of str
        Zones that the description names.
    entropy : float or None
        Mean predictive entropy of the teacher's proposal over all pixels, in nats.
    foreground : float or None
        Share of foreground in the proposal, in [0, 1].
    proposed : frozenset of str or None
        Zones that the proposal touches.
    region : float or None
        Entropy summed over the largest uncertain region, as a mean over all pixels, in nats.
    disagreement : float or None
        How far student and teacher are apart, in [0, 1].
    sensitivity : float or None
        How much of the proposal changes when the words of position are hidden, in [0, 1].
    embedding : (D,) float32 or None
        The film as a point; near films look alike.
    labeled_distance : float or None
        Squared distance of the embedding to the nearest labeled film's; None where nothing labeled has one.
    """

    case_id: str
    patient: str
    zones: frozenset[str]
    entropy: float | None = None
    foreground: float | None = None
    proposed: frozenset[str] | None = None
    region: float | None = None
    disagreement: float | None = None
    sensitivity: float | None = None
    embedding: NDArray[np.float32] | None = None
    labeled_distance: float | None = None


@dataclass(frozen=True)
class Choice:
    """A case and the reason it was chosen, in words for the reader.

    ``arm`` is how it came into the queue (see `training.arms`); readers are not told.
    """

    case_id: str
    reason: str
    arm: str = "strategy"


Choose = Callable[[Sequence[Candidate], Counter[str], np.random.Generator, int], list[Choice]]


@dataclass(frozen=True)
class Strategy:
    """A way to choose what is labeled next.

    Attributes
    ----------
    choose : callable
        ``choose(candidates, labeled_zones, rng, count)``: the first ``count`` in order, each with a reason;
        ``labeled_zones`` says how many labeled cases name each zone.
    title, sentence : str
        For readers: a few words, and what it is good for.
    needs : frozenset of {"scores", "embeddings"}
        Which fields of the candidates it looks at beyond entropy, foreground and zones.
    """

    choose: Choose
    title: str
    sentence: str
    needs: frozenset[Need] = frozenset()


STRATEGIES: dict[str, Strategy] = {}


def strategy(name: str, title: str, sentence: str, *needs: Need) -> Callable[[Choose], Choose]:
    """Enter a function in `STRATEGIES`; parameters as in `Strategy`."""

    def enter(choose: Choose) -> Choose:
        STRATEGIES[name] = Strategy(choose, title, sentence, frozenset(needs))
        return choose

    return enter


def rarest_zone(candidate: Candidate, counts: Counter[str]) -> str:
    """The zone among those the words name that the fewest labeled cases name; empty where none is named."""
    return min(sorted(candidate.zones), key=lambda zone: counts[zone], default="")


def rarity_reason(candidate: Candidate, counts: Counter[str]) -> str:
    """How rare the rarest named zone is among the labeled, in words."""
    zone = rarest_zone(candidate, counts)
    return f"{zone} has {counts[zone]} labeled" if zone else "names no zone"
