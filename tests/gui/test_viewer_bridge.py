"""The layers: data swapped in place, undo that stays within its case, and the patient's sides."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from teachers import probability

from napari_semimedref.viewer_bridge import (
    IMAGE,
    MARKERS,
    MASK,
    ORDER,
    PROPOSAL,
    UNCERTAINTY,
    ViewerBridge,
    entropy_of,
)


@pytest.fixture
def bridge():
    return ViewerBridge(ViewerModel())


def shown(bridge, session):
    session.next()
    bridge.show(session.current, session.mask)
    return bridge.viewer.layers[MASK]


def stroke(layer, row=3, column=60):
    layer.brush_size = 4
    layer.selected_label = 1
    layer.paint((row, column), 1)


def test_a_case_is_shown_as_film_proposal_and_mask(bridge, session):
    mask = shown(bridge, session)
    layers = bridge.viewer.layers
    assert [layer.name for layer in layers] == list(ORDER)
    assert np.array_equal(layers[IMAGE].data, session.current.image)
    assert np.array_equal(layers[PROPOSAL].data, session.current.proposal)
    assert np.array_equal(mask.data, session.mask)
    assert layers.selection.active is mask
    assert not layers[UNCERTAINTY].visible


def test_the_next_case_uses_the_same_layers_with_the_readers_looks(bridge, session):
    shown(bridge, session)
    before = list(bridge.viewer.layers)
    bridge.viewer.layers[MASK].opacity = 0.8
    bridge.viewer.layers[IMAGE].gamma = 1.3
    shown(bridge, session)
    assert list(bridge.viewer.layers) == before
    assert bridge.viewer.layers[MASK].opacity == 0.8
    assert bridge.viewer.layers[IMAGE].gamma == 1.3


def test_undo_never_reaches_the_next_case(bridge, session):
    stroke(shown(bridge, session))
    mask = shown(bridge, session)
    before = mask.data.copy()
    mask.undo()
    mask.redo()
    assert np.array_equal(mask.data, before)


def test_undo_never_reaches_the_next_case_with_the_brush_in_hand(bridge, session):
    mask = shown(bridge, session)
    mask.mode = "paint"
    stroke(mask)
    mask = shown(bridge, session)
    before = mask.data.copy()
    mask.undo()
    assert np.array_equal(mask.data, before)
    assert mask.mode == "paint"
    assert mask.editable


def test_painting_is_told_with_the_mask_and_one_stroke(bridge, session):
    mask = shown(bridge, session)
    told = []
    bridge.mask_painted.connect(lambda pixels, strokes: told.append((pixels.copy(), strokes)))
    stroke(mask)
    assert sum(strokes for _, strokes in told) == 1
    assert told[-1][0][3, 60] == 1


def test_undo_of_a_stroke_is_told(bridge, session):
    mask = shown(bridge, session)
    stroke(mask)
    told = []
    bridge.mask_painted.connect(lambda pixels, strokes: told.append((pixels.copy(), strokes)))
    mask.undo()
    assert told
    assert told[-1][0][3, 60] == 0
    assert sum(strokes for _, strokes in told) == 0


def test_showing_a_case_is_not_taken_for_painting(bridge, session):
    told = []
    bridge.mask_painted.connect(lambda *_: told.append(True))
    shown(bridge, session)
    shown(bridge, session)
    bridge.show(None, None)
    assert not told


def test_the_drafts_array_is_not_the_layers(bridge, session):
    mask = shown(bridge, session)
    stroke(mask)
    assert session.mask[3, 60] == 0


def test_a_new_proposal_moves_the_contour_but_not_touched_masks(bridge, session):
    mask = shown(bridge, session)
    stroke(mask)
    session.edit_mask(mask.data)
    painted = mask.data.copy()
    session.take_proposal(session.current.case.id, probability(False), "other")
    bridge.show_proposal(session.current, session.mask)
    assert np.array_equal(mask.data, painted)
    assert np.array_equal(bridge.viewer.layers[PROPOSAL].data, session.current.proposal)
    mask.undo()
    assert mask.data[3, 60] == 0


def test_a_new_proposal_replaces_an_untouched_mask(bridge, session):
    mask = shown(bridge, session)
    session.take_proposal(session.current.case.id, probability(False), "other")
    bridge.show_proposal(session.current, session.mask)
    assert np.array_equal(mask.data, session.current.proposal)
    assert mask.data[:, 32:].any()


def test_resetting_to_the_proposal_can_be_undone(bridge, session):
    mask = shown(bridge, session)
    stroke(mask)
    painted = mask.data.copy()
    bridge.replace_mask(session.current.proposal)
    assert np.array_equal(mask.data, session.current.proposal)
    mask.undo()
    assert np.array_equal(mask.data, painted)


def test_a_layer_that_the_reader_removed_comes_back(bridge, session):
    shown(bridge, session)
    del bridge.viewer.layers[PROPOSAL]
    mask = shown(bridge, session)
    assert [layer.name for layer in bridge.viewer.layers] == list(ORDER)
    told = []
    bridge.mask_painted.connect(lambda *_: told.append(True))
    stroke(mask)
    assert len(told) <= 2


def test_an_empty_desk_shows_nothing_of_the_last_case(bridge, session):
    shown(bridge, session)
    bridge.show(None, None)
    assert not any(np.any(layer.data) for layer in bridge.viewer.layers)


def test_uncertainty_is_shown_where_the_teacher_is_unsure(bridge, session):
    shown(bridge, session)
    said = np.full((64, 64), 0.5, np.float32)
    session.take_proposal(session.current.case.id, said, "other")
    bridge.show_proposal(session.current, session.mask)
    bridge.set_visible(UNCERTAINTY, True)
    assert np.allclose(bridge.viewer.layers[UNCERTAINTY].data, 1.0, atol=1e-4)


def test_entropy_is_greatest_at_one_half_and_none_at_the_ends():
    values = entropy_of(np.array([0.0, 0.5, 1.0], np.float32))
    assert values[1] == pytest.approx(1.0)
    assert max(values[0], values[2]) < 1e-4


def sides(bridge):
    return [bridge.viewer.canvas.overlays[name].text for name in MARKERS]


def test_the_patients_sides_are_marked_before_any_case_and_after(bridge, session):
    assert sides(bridge) == ["R", "L"]
    shown(bridge, session)
    assert sides(bridge) == ["R", "L"]
    assert all(bridge.viewer.canvas.overlays[name].visible for name in MARKERS)


def test_the_marks_follow_a_mirrored_camera(bridge):
    bridge.viewer.scene.camera.orientation2d = ("down", "left")
    assert sides(bridge) == ["L", "R"]


def test_the_marks_do_not_lie_about_a_transposed_view(bridge, session):
    shown(bridge, session)
    bridge.viewer.dims.order = (1, 0)
    assert sides(bridge) == ["R ?", "L ?"]


def test_films_of_other_sizes_are_framed_anew(bridge, session):
    shown(bridge, session)
    center = bridge.viewer.scene.camera.center
    wide = np.zeros((40, 200), np.uint8)
    opened = session.current
    other = type(opened)(opened.case, wide.astype(np.float32), None, None, None, False)
    bridge.show(other, wide)
    assert bridge.viewer.layers[MASK].data.shape == (40, 200)
    assert bridge.viewer.scene.camera.center != center
