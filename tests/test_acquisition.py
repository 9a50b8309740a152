"""Review orders: each strategy's order follows what it says it looks at."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from training.acquisition import STRATEGIES, Candidate, order
from training.errors import ConfigError


def _candidates(number: int = 40) -> list[Candidate]:
    return [
        Candidate(
            f"c{i}",
            f"p{i}",
            frozenset({"Ru"}) if i % 10 == 0 else frozenset({"Ll"}),
            entropy=0.01 + 0.3 * (i % 7) / 7,
            foreground=0.05,
        )
        for i in range(number)
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_case_is_ordered_once_with_a_reason(strategy):
    candidates = _candidates()
    choices = order(strategy, candidates, Counter(), np.random.default_rng(0))
    assert sorted(choice.case_id for choice in choices) == sorted(c.case_id for c in candidates)
    assert all(choice.reason for choice in choices)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_generator_gives_the_same_order(strategy):
    first = order(strategy, _candidates(), Counter(), np.random.default_rng(3))
    assert first == order(strategy, _candidates(), Counter(), np.random.default_rng(3))


def test_a_zone_without_labels_comes_before_one_with_many():
    counts = Counter({"Ll": 500})
    for seed in range(20):
        choices = order("zones", _candidates(), counts, np.random.default_rng(seed))
        assert int(choices[0].case_id[1:]) % 10 == 0
        assert choices[0].reason.startswith("Ru has 0 labeled")


def test_within_a_zone_the_unsure_come_earlier_on_the_whole():
    places: Counter = Counter()
    for seed in range(30):
        choices = order("zones", _candidates(), Counter(), np.random.default_rng(seed))
        for place, choice in enumerate(choices):
            places[int(choice.case_id[1:]) % 7] += place
    assert places[6] < places[1]


def test_an_unknown_strategy_is_named():
    with pytest.raises(ConfigError, match="no strategy 'best'"):
        order("best", _candidates(), Counter(), np.random.default_rng(0))


def test_nothing_to_review_gives_an_empty_order():
    assert order("zones", [], Counter(), np.random.default_rng(0)) == []
