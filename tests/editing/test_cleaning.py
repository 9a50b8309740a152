"""Tidying a mask: each way does its work once, keeps shape and type, and leaves what was handed in alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.editing import fill_holes, keep_zones, remove_islands, smooth
from training.report import THIRDS, ZONES, zone_boxes

masks = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=40),
    elements=st.integers(0, 1),
    fill=st.just(0),
)
WAYS = {
    "islands": partial(remove_islands, least=4),
    "holes": fill_holes,
    "smooth": partial(smooth, radius=2),
    "zones": partial(keep_zones, zones=("Lu", "Rm"), bands=THIRDS, convention="image"),
}


@pytest.mark.parametrize("way", WAYS)
@given(mask=masks)
def test_twice_is_once_and_shape_and_type_are_kept(way, mask):
    before = mask.copy()
    once = WAYS[way](mask)
    assert (once.shape, once.dtype) == (mask.shape, np.uint8)
    assert set(np.unique(once)) <= {0, 1}
    assert np.array_equal(WAYS[way](once), once)
    assert np.array_equal(mask, before)


@given(mask=masks)
def test_islands_and_zones_only_take_away_and_holes_only_add(mask):
    assert not (WAYS["islands"](mask) & ~mask & 1).any()
    assert not (WAYS["zones"](mask) & ~mask & 1).any()
    assert not (mask & ~WAYS["holes"](mask) & 1).any()


@given(mask=masks)
def test_no_cleaning_of_islands_empties_a_mask(mask):
    assert remove_islands(mask, least=10_000).any() == mask.any()


def test_small_islands_go_and_the_lesions_stay():
    mask = np.zeros((100, 100), np.uint8)
    mask[10:30, 10:30] = mask[60:70, 60:70] = 1
    lesions = mask.copy()
    mask[50, 50] = mask[90:92, 5] = 1
    assert np.array_equal(remove_islands(mask), lesions)


def test_a_ring_is_filled_but_not_a_bay():
    ring = np.zeros((30, 30), np.uint8)
    ring[5:20, 5:20] = 1
    ring[8:15, 8:15] = 0
    assert fill_holes(ring)[11, 11] == 1
    ring[11, :8] = 0  # opened to the outside
    assert fill_holes(ring)[11, 11] == 0


def test_smoothing_removes_a_spur_closes_a_crack_and_keeps_the_lesion_at_the_edge():
    mask = np.zeros((60, 60), np.uint8)
    mask[0:30, 10:40] = 1
    mask[15, 40:55] = 1  # a spur
    mask[5:25, 20] = 0  # a crack
    tidy = smooth(mask, radius=2)
    assert not tidy[15, 45:].any()
    assert tidy[5:25, 20].all()
    assert tidy[0, 12:38].all()


@pytest.mark.parametrize("convention", ["image", "patient"])
def test_only_what_lies_in_a_named_zone_is_kept(convention):
    mask = np.ones((90, 80), np.uint8)
    kept = keep_zones(mask, {"Ll"}, THIRDS, convention)
    y0, x0, y1, x1 = zone_boxes(mask.shape, THIRDS, convention)["Ll"]
    assert kept[y0:y1, x0:x1].all()
    assert kept.sum() == (y1 - y0) * (x1 - x0)
    assert (x0 == 0) == (convention == "image")
    assert keep_zones(mask, ZONES, THIRDS, convention).all()
