"""The layers: data swapped in place, undo that stays within its case, and the patient's sides."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers.labels._labels_utils import get_contours
from scipy.ndimage import gaussian_filter
from teachers import probability

from napari_semimedref.fixed_layers import (
    IMAGE,
    MASK,
    ORDER,
    OVERLAY,
    PROPOSAL,
    make_layer,
    rim,
)
from napari_semimedref.overlays import entropy_of
from napari_semimedref.sides import MARKERS
from napari_semimedref.viewer_bridge import ViewerBridge


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
    assert not layers[OVERLAY].visible


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


def test_naparis_own_undo_and_redo_only_tell_that_they_are_wanted(bridge, session):
    mask = shown(bridge, session)
    stroke(mask)
    painted, told = mask.data.copy(), []
    bridge.undo_wanted.connect(lambda: told.append("undo"))
    bridge.redo_wanted.connect(lambda: told.append("redo"))
    mask.undo()
    mask.redo()
    assert told == ["undo", "redo"]
    assert np.array_equal(mask.data, painted)


def test_a_stroke_cut_short_by_the_next_case_cannot_be_taken_back_there(bridge, session):
    mask = shown(bridge, session)
    mask._begin_stroke()  # what napari does while the button is down
    stroke(mask)
    mask = shown(bridge, session)
    before = mask.data.copy()
    mask._abort_stroke()  # what Escape does
    assert np.array_equal(mask.data, before)


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


def test_a_new_proposal_replaces_an_untouched_mask(bridge, session):
    mask = shown(bridge, session)
    session.take_proposal(session.current.case.id, probability(False), "other")
    bridge.show_proposal(session.current, session.mask)
    assert np.array_equal(mask.data, session.current.proposal)
    assert mask.data[:, 32:].any()


def test_another_draft_of_the_case_is_shown_and_not_told(bridge, session):
    mask = shown(bridge, session)
    told = []
    bridge.mask_painted.connect(lambda *_: told.append(True))
    other = 1 - session.mask
    bridge.show_mask(other)
    assert np.array_equal(mask.data, other)
    assert not told


def test_any_label_the_reader_paints_with_looks_like_mask(bridge, session):
    mask = shown(bridge, session)
    assert np.array_equal(mask.colormap.map(7), mask.colormap.map(1))
    assert mask.colormap.map(0)[..., 3] == 0


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


def test_a_map_is_laid_over_the_film_and_gone_with_the_case(bridge, session):
    shown(bridge, session)
    values = np.full((64, 64), 0.5, np.float32)
    bridge.show_overlay(values, (0.0, 0.5, 1.0))
    layer = bridge.viewer.layers[OVERLAY]
    assert layer.visible
    assert np.array_equal(layer.data, values)
    nothing, full = layer.colormap.map(np.array([0.0, 1.0]))
    assert nothing[3] == 0  # the film alone
    assert np.allclose(full[:3], (0, 0.5, 1), atol=0.01)
    shown(bridge, session)
    assert not layer.data.any()
    bridge.show_overlay(None)
    assert not layer.visible


def test_mask_and_proposal_turn_from_fill_to_contour_and_back(bridge, session):
    mask = shown(bridge, session)
    proposal = bridge.viewer.layers[PROPOSAL]
    assert (mask.contour, proposal.contour > 0) == (0, True)
    for _ in range(2):
        bridge.turn_contour(MASK)
        bridge.turn_contour(PROPOSAL)
    assert (mask.contour, proposal.contour > 0) == (0, True)
    bridge.turn_contour(MASK)
    assert mask.contour > 0


@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_the_quick_contour_is_the_one_that_napari_draws(thickness):
    noise = np.random.default_rng(thickness).normal(size=(70, 50))
    mask = (gaussian_filter(noise, 3) > 0.02).astype(np.uint8)  # touches all edges of the film
    assert np.array_equal(rim(mask, thickness), get_contours(mask, thickness, 0))
    layer = make_layer(PROPOSAL, mask)
    layer.contour = thickness
    part = slice(20, 50), slice(0, 30)
    assert np.array_equal(layer._raw_to_displayed(mask, part), rim(mask, thickness)[part])


def test_a_box_is_brought_into_the_middle_and_nearer(bridge, session):
    shown(bridge, session)
    camera = bridge.viewer.scene.camera
    far = camera.zoom
    bridge.camera.look_at((40, 8, 48, 16))
    assert tuple(camera.center[-2:]) == (43.5, 11.5)
    assert camera.zoom > far
    bridge.camera.look_at_all()
    assert camera.zoom == far


def test_the_lasso_tells_its_corners_and_is_empty_again(bridge, session):
    shown(bridge, session)
    corners = []
    bridge.lasso.drawn.connect(corners.append)
    bridge.take_tool("lasso")
    layer = bridge.lasso.layer
    assert bridge.viewer.layers.selection.active is layer
    line = [(2, 3), (2, 20), (20, 20)]
    event = SimpleNamespace(type="mouse_press", button=1, position=line[0])
    (draw,) = layer.mouse_drag_callbacks
    drawing = draw(layer, event)
    next(drawing)
    for event.position in line[1:]:
        event.type = "mouse_move"
        next(drawing)
    assert layer.shape_type == ["path"]  # seen while it is drawn
    event.type = "mouse_release"
    assert next(drawing, None) is None
    assert np.array_equal(corners[0], line)
    assert len(layer.data) == 0
    bridge.take_tool("paint")
    assert not layer.visible
    assert bridge.viewer.layers.selection.active is bridge.viewer.layers[MASK]
    bridge.take_tool("lasso")
    assert bridge.lasso.layer is layer
    shown(bridge, session)
    assert [each.name for each in bridge.viewer.layers if each is not layer] == list(ORDER)


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
