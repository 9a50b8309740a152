"""Named, keyed random streams: one key, one sequence, in any order and any process. No drawing here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Key:
    """What a view depends on besides the case's own pixels and words.

    Attributes
    ----------
    seed : int
        The run's seed.
    case_id : str
        The case.
    epoch : int
        How often the case has been shown before.
    """

    seed: int
    case_id: str
    epoch: int = 0

    def stream(self, name: str) -> np.random.Generator:
        """The generator named ``name``; independent of every other key and name."""
        text = f"{self.seed}|{self.epoch}|{name}|{self.case_id}"
        words = np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint32)
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(words.tolist())))

    def at(self, epoch: int) -> Key:
        """The same case at another epoch."""
        return replace(self, epoch=epoch)


def derangement(count: int, rng: np.random.Generator) -> np.ndarray:
    """Partners without fixed points: a random cycle through all.

    Returns
    -------
    (count,) int64
        ``partner[i] != i``, except for a single element, which has no partner but itself.
    """
    order = rng.permutation(count)
    partners = np.empty(count, np.int64)
    partners[order] = np.roll(order, 1)
    return partners
