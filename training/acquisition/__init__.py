"""Which case to review next, and why. Each strategy is one function from candidates to an order with reasons.

Strategies see what the teacher said and what the descriptions name, never a hidden reference. A new one is a function
with the decorator `strategy` in one of these modules, and a test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.acquisition import at_random, by_zones, diverse, doubt
from training.acquisition.apart import keep_apart
from training.acquisition.candidates import STRATEGIES, Candidate, Choice, Strategy
from training.errors import ConfigError

__all__ = ["STRATEGIES", "Candidate", "Choice", "Strategy", "keep_apart", "named", "order"]
_MODULES = (by_zones, at_random, doubt, diverse)  # importing them fills `STRATEGIES`


def named(strategy: str) -> Strategy:
    """The strategy of this name.

    Raises
    ------
    ConfigError
        There is none; the sentence lists those there are.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(
            f"There is no strategy {strategy!r}: choose one of {', '.join(STRATEGIES)}."
        )
    return STRATEGIES[strategy]


def order(
    strategy: str,
    candidates: Sequence[Candidate],
    labeled_zones: Counter[str],
    rng: np.random.Generator,
    *,
    count: int | None = None,
) -> list[Choice]:
    """The first ``count`` candidates (all, if None) in the order of a named strategy.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    wanted = len(candidates) if count is None else count
    return named(strategy).choose(candidates, labeled_zones, rng, wanted)
