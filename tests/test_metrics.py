from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.metrics import (
    Overlap,
    overlap,
    score_intervals,
    score_masks,
    summarize,
)

masks = arrays(np.uint8, (6, 5), elements=st.integers(0, 1))


@given(masks, masks)
def test_overlap_agrees_with_counting_pixel_by_pixel(prediction, reference):
    both = sum(int(p and r) for p, r in zip(prediction.flat, reference.flat, strict=True))
    total = int(prediction.sum()) + int(reference.sum())
    counted = overlap(prediction, reference)
    assert counted.dice == pytest.approx(2 * both / total if total else 1.0)
    assert counted.iou == pytest.approx(both / (total - both) if total else 1.0)


def test_the_two_conventions_differ_as_named():
    scores = summarize([Overlap(90, 10, 10), Overlap(0, 0, 10)])
    assert scores.dice_global == pytest.approx(180 / 210)
    assert scores.dice_per_image == pytest.approx(0.45)
    assert scores.iou_global == pytest.approx(90 / 120)
    assert scores.iou_per_image == pytest.approx((90 / 110) / 2)


def test_empty_against_empty_is_perfect_and_empty_against_something_is_zero():
    empty, full = np.zeros((4, 4)), np.ones((4, 4))
    assert score_masks([(empty, empty)]).dice_per_image == 1.0
    assert score_masks([(empty, full)]).dice_global == 0.0


def test_masks_of_different_shapes_and_empty_sets_are_refused():
    with pytest.raises(ValueError, match="Shapes differ"):
        overlap(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="empty set"):
        summarize([])


def test_the_bootstrap_interval_holds_the_score_and_shrinks_with_more_cases():
    rng = np.random.default_rng(0)
    few = [Overlap(8, 2, 2), Overlap(3, 5, 4), Overlap(9, 1, 0)]
    low, high = score_intervals(few, rng)["dice_global"]
    assert low <= summarize(few).dice_global <= high
    many_low, many_high = score_intervals(few * 40, rng)["dice_global"]
    assert many_high - many_low < high - low
