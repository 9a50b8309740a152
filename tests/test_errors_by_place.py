"""Distances of outlines and recall by zone, on masks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.errors_by_place import PlaceErrors, hausdorff95


def test_hausdorff_distance_measures_a_shift_and_knows_empty_masks():
    one, other = np.zeros((20, 20)), np.zeros((20, 20))
    one[5:10, 5:10] = 1
    other[5:10, 8:13] = 1
    assert hausdorff95(one, other) == pytest.approx(3.0)
    assert hausdorff95(one, one) == 0.0
    assert hausdorff95(one, np.zeros((20, 20))) == float("inf")
    assert hausdorff95(np.zeros((3, 3)), np.zeros((3, 3))) == 0.0


def test_recall_is_by_zone_and_left_is_as_the_convention_says():
    reference, prediction = np.zeros((30, 30)), np.zeros((30, 30))
    reference[0:4, 0:4] = 1  # upper, left of the picture
    prediction[0:4, 0:2] = 1  # half of it
    reference[25:30, 20:22] = 1  # lower, right of the picture
    prediction[25:30, 20:24] = 1  # all of it, and more
    for convention, upper, lower in (("image", "Lu", "Rl"), ("patient", "Ru", "Ll")):
        errors = PlaceErrors(convention)
        errors.add(prediction, reference)
        errors.add(prediction, reference)
        assert errors.summary()["zone_recall"] == {upper: [0.5, 2], lower: [1.0, 2]}


def test_images_with_one_empty_mask_are_counted_apart_and_empty_pairs_not_at_all():
    errors, empty, full = PlaceErrors("image"), np.zeros((9, 9)), np.ones((9, 9))
    for prediction, reference in ((empty, empty), (full, empty), (empty, full), (full, full)):
        errors.add(prediction, reference)
    told = errors.summary()
    assert (told["hd95_median"], told["hd95_images"], told["one_empty"]) == (0.0, 1, 2)
    assert PlaceErrors("image").summary() == {
        "hd95_median": None,
        "hd95_images": 0,
        "one_empty": 0,
        "zone_recall": {},
    }
