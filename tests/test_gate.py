"""The gate promotes what is no worse, refuses what is or may be, and is not deceived by what was left out."""

from __future__ import annotations

import numpy as np
import pytest

from training.gate import MARGIN, decide, decide_by_words
from training.metrics import Overlap


def counts(dice: float, size: int = 1000) -> Overlap:
    """Counts with about this Dice: as many invented pixels as missed ones."""
    hit = round(size * dice)
    return Overlap(hit, size - hit, size - hit)


def scores(mean: float, seed: int = 0, number: int = 50, spread: float = 0.1) -> dict[str, Overlap]:
    drawn = np.random.default_rng(seed).normal(mean, spread, number).clip(0.01, 1)
    return {f"case_{index}": counts(float(value)) for index, value in enumerate(drawn)}


def test_the_first_teacher_is_promoted_and_the_sentence_says_how_good_it_is():
    decision = decide(None, scores(0.3))
    assert decision.promote
    assert "Dice 0.3" in decision.sentence
    assert decision.confidence is None


def test_a_better_teacher_is_promoted_with_confidence():
    decision = decide(scores(0.5), scores(0.7, seed=1))
    assert decision.promote
    assert decision.confidence > 0.99
    assert "over 99% sure" in decision.sentence  # all resamples of some cases are no certainty
    assert decision.difference > 0.1


def test_a_worse_teacher_is_refused_and_the_sentence_says_by_how_much():
    decision = decide(scores(0.7), scores(0.5, seed=1))
    assert not decision.promote
    assert decision.confidence < 0.01
    assert decision.sentence.startswith("Refused: worse than the serving teacher, -")


def test_the_same_teacher_is_no_worse_than_itself():
    decision = decide(scores(0.6), scores(0.6))
    assert decision.promote
    assert decision.confidence == 1.0


def test_a_little_luck_on_few_cases_is_not_enough():
    serving = scores(0.6, number=20, spread=0.2)
    lucky = scores(0.6, seed=1, number=20, spread=0.2)
    gain = np.mean([lucky[c].dice - serving[c].dice for c in serving])
    lucky = {c: counts(min(1, lucky[c].dice - gain + 0.004)) for c in lucky}
    decision = decide(serving, lucky)
    assert decision.difference >= 0
    assert not decision.promote
    assert "too uncertain" in decision.sentence
    assert f"{100 * MARGIN:.0f}" in decision.sentence


def test_a_teacher_that_was_not_measured_where_it_would_lose_is_refused():
    serving = scores(0.6)
    picked = {case: counts(0.9) for case in list(serving)[10:]}
    decision = decide(serving, picked, wanted=serving)
    assert not decision.promote
    assert "not measured on 10 of 50" in decision.sentence


def test_cases_that_nobody_can_measure_are_left_out_unless_they_are_many():
    serving = scores(0.5)
    half = [*serving, "unreadable"]
    assert decide(serving, scores(0.6), wanted=half).promote
    many = [*serving, *(f"unreadable_{i}" for i in range(10))]
    decision = decide(serving, scores(0.6), wanted=many)
    assert not decision.promote
    assert "could not be measured" in decision.sentence


def test_a_first_teacher_that_marks_nothing_may_serve_but_the_sentence_warns():
    mute = {case: Overlap(0, 0, 500) for case in scores(0.5)}
    decision = decide(None, mute)
    assert decision.promote
    assert "marks nothing yet" in decision.sentence
    assert decide(mute, scores(0.5)).promote
    assert not decide(scores(0.5), mute).promote


def test_silence_on_a_few_lesions_is_noticed_though_films_without_one_hide_it():
    clear = {f"clear_{i}": Overlap(0, 40, 0) for i in range(40)}  # it invents a little everywhere
    serving = clear | scores(0.5, number=10)
    silent = {case: Overlap(0, 0, 0) for case in clear}
    silent |= {case: Overlap(0, 0, 1000) for case in scores(0.5, number=10)}
    silent["case_0"] = counts(0.5)
    decision = decide(serving, silent)
    assert np.mean([silent[c].dice - serving[c].dice for c in serving]) > 0.5
    assert not decision.promote
    assert "9 of 10 holdout films that have a lesion" in decision.sentence


def test_a_gain_on_small_lesions_does_not_pay_for_the_large_ones():
    small = {f"small_{i}": (counts(0.4, 20), counts(0.8, 20)) for i in range(30)}
    large = {f"large_{i}": (counts(0.9, 5000), counts(0.6, 5000)) for i in range(10)}
    both = small | large
    serving, new = ({c: pair[i] for c, pair in both.items()} for i in (0, 1))
    decision = decide(serving, new)
    assert decision.difference > 0.1
    assert not decision.promote
    assert "large lesions" in decision.sentence


def test_without_a_holdout_the_words_decide():
    kept, lost = np.full(30, 0.8), np.full(30, 0.1)
    assert decide_by_words(None, np.zeros(0)).promote
    assert decide_by_words(kept, kept - 0.05).promote
    decision = decide_by_words(kept, lost)
    assert not decision.promote
    assert "no holdout" in decision.sentence


@pytest.mark.parametrize("serving", [None, {}])
def test_with_nothing_to_look_at_it_says_that_nothing_was_measured(serving):
    decision = decide(serving, {}, wanted=[])
    assert decision.promote
    assert decision.confidence is None
    assert "no holdout" in decision.sentence
