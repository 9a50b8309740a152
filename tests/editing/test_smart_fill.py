"""Segmentation inside a lasso: finds the lesion, never leaves the lasso, and never fails on a strange one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.editing import inside_polygon, smart_fill


def film_with_disk(side: int, center: tuple[float, float], radius: float) -> tuple:
    rows, columns = np.mgrid[:side, :side]
    lesion = (rows - center[0]) ** 2 + (columns - center[1]) ** 2 <= radius**2
    noise = np.random.default_rng(0).normal(0, 0.03, (side, side))
    return np.clip(0.3 + 0.4 * lesion + noise, 0, 1).astype(np.float32), lesion


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.sum((first > 0) & (second > 0)) / (np.sum(first > 0) + np.sum(second > 0))


def square(side: int, low: float, high: float) -> np.ndarray:
    corners = np.array([[low, low], [low, high], [high, high], [high, low]]) * side
    return inside_polygon((side, side), corners)


@pytest.mark.parametrize("side", [64, 256, 700])
def test_a_loose_lasso_finds_a_bright_lesion_by_its_gray(side):
    image, lesion = film_with_disk(side, (side * 0.5, side * 0.45), side * 0.15)
    assert dice(smart_fill(image, None, square(side, 0.2, 0.75)), lesion) > 0.9


def test_the_teachers_probability_leads_where_gray_says_nothing():
    image = np.full((128, 128), 0.4, np.float32)
    _, lesion = film_with_disk(128, (60, 60), 20)
    probability = np.where(lesion, 0.9, 0.1).astype(np.float32)
    assert dice(smart_fill(image, probability, square(128, 0.2, 0.8)), lesion) > 0.8


def test_where_nothing_tells_anything_apart_the_lasso_itself_is_filled():
    flat = np.full((60, 60), 0.4, np.float32)
    lasso = square(60, 0.3, 0.6)
    assert np.array_equal(smart_fill(flat, flat, lasso), lasso.astype(np.uint8))


@settings(max_examples=40, deadline=None)
@given(
    corners=st.lists(st.tuples(st.floats(-20, 90), st.floats(-20, 90)), min_size=1, max_size=9),
    seed=st.integers(0, 5),
    taught=st.booleans(),
)
def test_nothing_outside_the_lasso_is_ever_filled(corners, seed, taught):
    rng = np.random.default_rng(seed)
    image = rng.random((60, 70), dtype=np.float32)
    probability = rng.random((60, 70), dtype=np.float32) if taught else None
    lasso = inside_polygon((60, 70), np.array(corners))
    filled = smart_fill(image, probability, lasso)
    assert (filled.shape, filled.dtype) == ((60, 70), np.uint8)
    assert set(np.unique(filled)) <= {0, 1}
    assert not filled[~lasso].any()
