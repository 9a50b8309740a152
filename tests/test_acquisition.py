"""Review orders: each strategy's order follows what it says it looks at."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from training.acquisition import STRATEGIES, Candidate, Choice, keep_apart, order
from training.errors import ConfigError


def _order(
    strategy: str,
    candidates: list[Candidate],
    counts: Counter | None = None,
    seed: int = 0,
    **options,
):
    rng = np.random.default_rng(seed)
    return [c.case_id for c in order(strategy, candidates, counts or Counter(), rng, **options)]


def _points(count: int, groups: int) -> list[Candidate]:
    """Films in clearly separate groups; the first one has most of them."""
    rng = np.random.default_rng(1)
    group = [0 if i < count - groups + 1 else i - (count - groups) for i in range(count)]
    return [
        Candidate(
            f"g{g}-{i}",
            f"p{i}",
            frozenset({"Ll"}),
            embedding=(10 * np.eye(groups)[g] + 0.1 * rng.normal(size=groups)).astype(np.float32),
        )
        for i, g in enumerate(group)
    ]


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


def test_no_patient_comes_twice_before_all_had_a_turn():
    candidates = [
        Candidate(f"c{i}", f"p{i % 10}", frozenset({"Ll"}), 0.1 + 0.01 * i, 0.05) for i in range(30)
    ]
    patients = [int(case_id[1:]) % 10 for case_id in _order("zones", candidates)]
    assert sorted(patients[:10]) == sorted(patients[10:20]) == list(range(10))


def test_the_noise_of_the_order_shrinks_as_labels_come_in():
    def first_ten_unsure(counts: Counter) -> float:
        candidates = [
            Candidate(f"c{i}", f"p{i}", frozenset({"Ll"}), 0.01 + 0.003 * i, 0.05)
            for i in range(60)
        ]
        places = [
            int(case_id[1:])
            for seed in range(20)
            for case_id in _order("zones", candidates, counts, seed, count=10)
        ]
        return float(np.mean(places))

    assert first_ten_unsure(Counter({"Ll": 2000})) > first_ten_unsure(Counter()) + 5


def test_two_of_three_places_go_to_films_with_a_lesion():
    candidates = [
        Candidate(f"c{i}", f"p{i}", frozenset(), 0.1, 0.05 if i < 100 else 0.0) for i in range(1000)
    ]
    counts = [
        sum(
            int(case_id[1:]) < 100
            for case_id in _order("foreground", candidates, seed=seed, count=60)
        )
        for seed in range(10)
    ]
    assert 36 <= np.mean(counts) <= 50  # two of three, and what chance adds


def test_without_proposals_the_words_say_what_shows_a_lesion():
    candidates = [
        Candidate(f"c{i}", f"p{i}", frozenset({"Lu"} if i < 50 else ())) for i in range(500)
    ]
    chosen = _order("foreground", candidates, count=30)
    assert sum(int(case_id[1:]) < 50 for case_id in chosen) >= 15


def test_zones_are_filled_evenly_at_random():
    zones = ["Lu", "Lm", "Ll"]
    candidates = [
        Candidate(f"{zones[min(2, i // 5)]}-{i}", f"p{i}", frozenset({zones[min(2, i // 5)]}))
        for i in range(100)
    ]
    chosen = Counter(case_id[:2] for case_id in _order("zones-random", candidates, count=12))
    assert chosen == {"Lu": 4, "Lm": 4, "Ll": 4}
    behind = _order("zones-random", candidates, Counter({"Lu": 9, "Ll": 9}), count=3)
    assert all(case_id.startswith("Lm") for case_id in behind)


@pytest.mark.parametrize("strategy", ["disagreement", "entropy", "sensitivity"])
def test_the_largest_figure_comes_first_and_unknown_ones_last(strategy):
    field = {"entropy": "region"}.get(strategy, strategy)
    candidates = [
        Candidate(f"c{i}", f"p{i}", frozenset())._replace(**{field: None if i == 7 else i / 10})
        for i in range(10)
    ]
    chosen = _order(strategy, candidates)
    assert chosen == ["c9", "c8", "c6", "c5", "c4", "c3", "c2", "c1", "c0", "c7"]


def test_words_and_mask_on_different_sides_come_before_different_levels():
    candidates = [
        Candidate("agree", "a", frozenset({"Lu"}), proposed=frozenset({"Lu"})),
        Candidate("level", "b", frozenset({"Lu"}), proposed=frozenset({"Ll"})),
        Candidate("side", "c", frozenset({"Lu"}), proposed=frozenset({"Ru"})),
        Candidate("unknown", "d", frozenset({"Lu"})),
    ]
    choices = order("conflict", candidates, Counter(), np.random.default_rng(0))
    assert [choice.case_id for choice in choices] == ["side", "level", "agree", "unknown"]
    assert choices[0].reason == "mask misses Lu, mask adds Ru"


def test_diversity_takes_one_of_each_group_before_a_second_of_any():
    for seed in range(10):
        first = _order("diversity", _points(40, 5), seed=seed, count=5)
        assert len({case_id[:2] for case_id in first}) == 5


def test_diversity_stays_away_from_what_is_labeled():
    candidates = [
        case._replace(labeled_distance=0.01 if case.case_id.startswith("g0") else 200.0)
        for case in _points(40, 5)
    ]
    first = _order("diversity", candidates, count=4)
    assert not any(case_id.startswith("g0") for case_id in first)


def test_typical_films_come_before_outliers_and_every_cell_before_a_second_of_any():
    rng = np.random.default_rng(0)
    spread = [rng.normal(0, 0.1 if i % 10 else 8.0, 4).astype(np.float32) for i in range(60)]
    candidates = [
        Candidate(f"{zone}-{i}", f"p{i}", frozenset({zone}), embedding=spread[i])
        for i in range(60)
        for zone in (("Lu", "Rl", "Rm")[i % 3],)
    ]
    first = _order("typical", candidates, count=9)
    assert Counter(case_id[:2] for case_id in first) == {"Lu": 3, "Rl": 3, "Rm": 3}
    assert all(int(case_id[3:]) % 10 for case_id in first)


def test_films_that_nobody_has_looked_at_come_last():
    candidates = [Candidate("unseen", "p", frozenset({"Ll"})), *_points(10, 2)]
    assert _order("diversity", candidates)[-1] == "unseen"


def test_a_near_duplicate_comes_behind_all_others():
    choices = [Choice(name, "") for name in "abcd"]
    points = {name: np.eye(4, dtype=np.float32)[place] for place, name in enumerate("abcd")}
    points["b"] = points["a"]
    assert [choice.case_id for choice in keep_apart(choices, points)] == ["a", "c", "d", "b"]
    assert keep_apart(choices, {}) == choices


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_says_in_words_what_it_is(strategy):
    assert len(STRATEGIES[strategy].title) < 40
    assert STRATEGIES[strategy].sentence.endswith(".")
