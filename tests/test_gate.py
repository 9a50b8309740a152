"""The gate promotes what is no worse and refuses what is."""

from __future__ import annotations

import numpy as np

from training.gate import decide


def _scores(mean: float, seed: int = 0, number: int = 50) -> dict[str, float]:
    values = np.clip(np.random.default_rng(seed).normal(mean, 0.1, number), 0, 1)
    return {f"case_{index}": float(value) for index, value in enumerate(values)}


def test_the_first_teacher_is_promoted():
    assert decide(None, _scores(0.3)).promote


def test_a_better_teacher_is_promoted_with_confidence():
    decision = decide(_scores(0.5), _scores(0.7, seed=1))
    assert decision.promote
    assert decision.confidence > 0.99
    assert decision.difference > 0.1


def test_a_worse_teacher_is_refused_and_the_sentence_says_by_how_much():
    decision = decide(_scores(0.7), _scores(0.5, seed=1))
    assert not decision.promote
    assert decision.confidence < 0.01
    assert "Refused" in decision.sentence


def test_the_same_teacher_is_no_worse_than_itself():
    assert decide(_scores(0.6), _scores(0.6)).promote


def test_only_cases_that_both_were_measured_on_count():
    serving = {"a": 0.9, "gone": 0.0}
    new = {"a": 0.8, "added": 1.0}
    assert not decide(serving, new).promote
