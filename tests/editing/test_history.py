"""Undo and redo of a mask: every state comes back exactly, on paper too, and a damaged history does no harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.editing import History, Trail
from training.editing import history as module

SHAPE = (9, 13)
states = st.lists(hnp.arrays(np.uint8, SHAPE, elements=st.integers(0, 1)), min_size=1, max_size=8)


def recorded(masks):
    history = History(masks[0])
    for number, mask in enumerate(masks[1:]):
        history.record(mask, f"change {number}")
    return history


def different(masks):
    return [m for before, m in zip([None, *masks], masks, strict=False) if not same(before, m)]


def same(first, second):
    return first is not None and np.array_equal(first, second)


@given(masks=states)
def test_undo_goes_back_through_every_state_and_redo_forward_again(masks):
    history, masks = recorded(masks), different(masks)
    for mask in masks[-2::-1]:
        assert np.array_equal(history.undo(), mask)
    assert history.undo() is None
    for mask in masks[1:]:
        assert np.array_equal(history.redo(), mask)
    assert history.redo() is None


@given(masks=states, back=st.integers(0, 7))
def test_a_written_history_goes_on_where_it_was(masks, back):
    history, masks = recorded(masks), different(masks)
    place = len(masks) - 1
    for _ in range(min(back, place)):
        history.undo()
        place -= 1
    again = History.following(Trail.read(history.trail().write()), masks[place])
    assert (again.to_undo, again.to_redo) == (history.to_undo, history.to_redo)
    for mask in masks[place + 1 :]:
        assert np.array_equal(again.redo(), mask)
    for mask in masks[-2::-1]:
        assert np.array_equal(again.undo(), mask)


def mask_with(*pixels):
    mask = np.zeros(SHAPE, np.uint8)
    for pixel in pixels:
        mask[pixel] = 1
    return mask


THREE = [mask_with(), mask_with((1, 1)), mask_with((1, 1), (4, 5))]


def test_a_history_one_step_ahead_of_its_mask_offers_that_step_again():
    trail = recorded(THREE).trail()
    found = History.following(trail, THREE[1])
    assert (found.to_undo, found.to_redo) == ("change 0", "change 1")
    assert np.array_equal(found.redo(), THREE[2])


def test_what_the_reader_is_in_the_midst_of_is_a_step_on_paper_only():
    history = recorded(THREE[:2])
    found = History.following(history.trail(THREE[2], "stroke"), THREE[2])
    assert (found.to_undo, history.to_undo) == ("stroke", "change 0")
    assert np.array_equal(found.undo(), THREE[1])
    assert len(history.trail(THREE[1], "stroke").steps) == 1


def test_the_history_of_another_mask_is_forgotten():
    found = History.following(recorded(THREE).trail(), mask_with((8, 8)))
    assert found.is_empty
    assert History.following(recorded(THREE).trail(), np.zeros((4, 4), np.uint8)).is_empty


def test_a_change_after_an_undo_ends_what_could_be_redone():
    history = recorded(THREE)
    history.undo()
    assert history.record(mask_with((7, 7)), "another way")
    assert history.redo() is None
    assert np.array_equal(history.undo(), THREE[1])


def test_no_change_is_no_step():
    history = recorded(THREE)
    assert not history.record(THREE[2].copy(), "nothing")
    assert history.to_undo == "change 1"


def test_a_history_has_a_greatest_length(monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 3)
    masks = [mask_with(*[(0, column) for column in range(n)]) for n in range(8)]
    history = recorded(masks)
    for mask in (masks[6], masks[5], masks[4]):
        assert np.array_equal(history.undo(), mask)
    assert history.undo() is None


def test_a_history_has_a_greatest_size(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 60)
    history = recorded([mask_with((n, n)) for n in range(8)])
    size = sum(len(step.bits) for step in history.trail().steps)
    assert 0 < size <= 60
    assert np.array_equal(history.undo(), mask_with((6, 6)))


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"at":2', '"at":9'),
        lambda text: text.replace('"box":[4,5', '"box":[400,5'),
    ],
)
def test_a_damaged_history_is_no_history(harm):
    assert Trail.read(harm(recorded(THREE).trail().write())) is None


def test_damaged_pixels_are_never_put_into_a_mask():
    trail = recorded(THREE).trail()
    steps = tuple(step.model_copy(update={"bits": "AAAA"}) for step in trail.steps)
    history = History.following(trail.model_copy(update={"steps": steps}), THREE[2])
    assert history.undo() is None
    assert history.is_empty
