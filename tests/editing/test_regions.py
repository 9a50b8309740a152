"""Regions under a point and regions of doubt."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.editing import region_at, uncertain_regions


def test_the_largest_region_of_doubt_comes_first_and_specks_do_not_come():
    doubt = np.zeros((100, 100), np.float32)
    doubt[10:14, 10:14] = 0.9
    doubt[50:70, 30:60] = 0.85
    doubt[90, 90] = 1.0
    doubt[0:50, 80:] = 0.5  # below the threshold, though larger
    found = uncertain_regions(doubt, threshold=0.8, least=4)
    assert [region.box for region in found] == [(50, 30, 70, 60), (10, 10, 14, 14)]
    assert [region.pixels for region in found] == [600, 16]


def test_where_nothing_is_in_doubt_there_is_nowhere_to_go():
    assert uncertain_regions(np.zeros((20, 20), np.float32)) == []


def test_a_ragged_region_does_not_count_what_its_box_holds_besides():
    doubt = np.eye(12, dtype=np.float32)
    (region,) = uncertain_regions(doubt, least=1)
    assert region.pixels == 12
    assert region.box == (0, 0, 12, 12)


@given(
    mask=hnp.arrays(np.uint8, (12, 15), elements=st.integers(0, 1)),
    point=st.tuples(st.integers(-2, 14), st.integers(-2, 17)),
)
def test_the_region_at_a_point_is_a_part_of_the_mask_around_it(mask, point):
    region = region_at(mask, point)
    inside = 0 <= point[0] < 12 and 0 <= point[1] < 15
    if not inside or not mask[point]:
        assert region is None
        return
    assert region[point]
    assert not (region & (mask == 0)).any()
    rest = ((mask > 0) & ~region).astype(np.uint8)
    grown = np.zeros((14, 17), bool)  # nothing of the rest touches it
    for dy in range(3):
        for dx in range(3):
            grown[dy : dy + 12, dx : dx + 15] |= region
    assert not (grown[1:-1, 1:-1] & (rest > 0)).any()
