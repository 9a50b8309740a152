"""The hands: each change of the mask is one step that can be undone, here, after other cases, and in another window."""

from __future__ import annotations

import numpy as np
import pytest
from made import spot
from napari.components import ViewerModel
from teachers import probability

from napari_semimedref import tools
from napari_semimedref.editing import Editing
from napari_semimedref.fixed_layers import MASK
from napari_semimedref.session import ReviewSession
from napari_semimedref.viewer_bridge import ViewerBridge
from training.pool import Project


class Hands:
    """A session, a viewer and what the reader was told."""

    def __init__(self, session):
        self.session = session
        self.bridge = ViewerBridge(ViewerModel())
        self.editing = Editing()
        session.opened.connect(lambda opened: self.bridge.show(opened, session.mask))
        self.bridge.mask_painted.connect(self._on_paint)
        self.editing.attach(session, self.bridge)
        self.told = []
        self.editing.said.connect(self.told.append)
        session.next()

    def _on_paint(self, mask, strokes):
        self.session.edit_mask(mask, strokes=strokes)

    @property
    def layer(self):
        return self.bridge.viewer.layers[MASK]

    @property
    def mask(self):
        assert np.array_equal(self.layer.data > 0, self.session.mask > 0)
        return self.session.mask

    def stroke(self, row, column):
        self.layer.brush_size = 4
        self.layer.paint((row, column), 1)

    def lasso(self, tool, corners):
        self.editing.take(tool)
        self.bridge.lasso.drawn.emit(np.array(corners, float))


@pytest.fixture
def hands(session):
    return Hands(session)


def test_strokes_and_fills_are_undone_one_by_one_and_done_again(hands):
    states = [hands.mask]
    hands.stroke(3, 60)
    states.append(hands.mask)
    hands.layer.fill((0, 0), 1)
    states.append(hands.mask)
    hands.stroke(50, 50) if not hands.mask[50, 50] else hands.layer.paint((50, 50), 0)
    states.append(hands.mask)
    for expected in states[-2::-1]:
        hands.editing.undo()
        assert np.array_equal(hands.mask, expected)
    hands.editing.undo()
    assert hands.told[-1] == "There is nothing to undo in this case."
    for expected in states[1:]:
        hands.editing.redo()
        assert np.array_equal(hands.mask, expected)
    assert hands.editing.to_redo == ""


def test_a_stroke_drawn_in_many_moves_is_one_step(hands):
    before = hands.mask
    with hands.layer.block_history():
        for column in range(40, 60, 2):
            hands.stroke(5, column)
    drawn = hands.mask
    assert drawn[5, 40:60].all()
    hands.editing.undo()
    assert np.array_equal(hands.mask, before)
    hands.editing.redo()
    assert np.array_equal(hands.mask, drawn)


def test_undo_survives_the_next_case_and_an_acceptance(hands):
    first, before = hands.session.current.case.id, hands.mask
    hands.stroke(3, 60)
    hands.stroke(30, 60)
    hands.editing.undo()
    painted = hands.mask
    hands.session.skip()
    other = hands.mask
    hands.editing.undo()
    assert np.array_equal(hands.mask, other)  # nothing of the other case
    hands.session.previous()
    assert hands.session.current.case.id == first
    assert np.array_equal(hands.mask, painted)
    assert hands.editing.to_redo == "stroke"
    hands.session.accept()
    hands.session.previous()
    hands.editing.undo()
    assert np.array_equal(hands.mask, before)


def test_undo_survives_a_restart(hands, taught_project):
    case, before = hands.session.current.case.id, hands.mask
    hands.stroke(3, 60)
    hands.editing.smooth()
    after = hands.mask
    hands.session.close()
    again = ReviewSession(Project.open(taught_project.folder), "Ada", rng=np.random.default_rng(0))
    again.open(case)
    assert np.array_equal(again.mask, after)
    while again.undo():
        pass
    assert np.array_equal(again.mask, before)
    again.close()


def test_an_undone_state_is_what_a_crash_leaves(hands, taught_project):
    case, before = hands.session.current.case.id, hands.mask
    hands.stroke(3, 60)
    hands.session.autosave()
    hands.session.settle()
    hands.editing.undo()
    assert hands.session.desk.dirty
    hands.session.autosave()
    hands.session.settle()  # and then the window is gone
    draft = taught_project.draft(case, "Ada")
    assert np.array_equal(draft.mask, before)


def test_a_new_proposal_in_an_untouched_case_leaves_nothing_to_undo(hands):
    hands.session.take_proposal(hands.session.case_id, probability(False), "m")
    assert hands.editing.to_undo == ""


def test_reset_can_be_undone_and_lets_later_proposals_in(hands):
    hands.stroke(3, 60)
    painted = hands.mask
    hands.editing.reset()
    assert np.array_equal(hands.mask, hands.session.current.proposal)
    hands.session.take_proposal(hands.session.case_id, probability(False), "m")
    hands.bridge.show_mask(hands.session.mask)
    assert np.array_equal(hands.mask, hands.session.current.proposal)
    hands.editing.undo()
    hands.editing.undo()
    assert np.array_equal(hands.mask, painted)
    hands.session.take_proposal(hands.session.case_id, probability(True), "m")
    assert np.array_equal(hands.session.mask, painted)


def test_a_lasso_adds_and_cuts(hands):
    before = hands.mask
    square = [[2, 40], [2, 50], [12, 50], [12, 40]]
    hands.lasso(tools.LASSO_ADD, square)
    assert hands.mask[3:12, 41:50].all()
    assert np.array_equal(hands.mask[20:], before[20:])
    hands.lasso(tools.LASSO_CUT, square)
    assert np.array_equal(hands.mask, before)
    hands.editing.undo()
    assert hands.mask[3:12, 41:50].all()


def test_smart_fill_finds_the_bright_lesion_in_a_loose_lasso(hands):
    session = hands.session
    lesion = next(
        spot(left) for left in (True, False) if session.current.image[spot(left) > 0].min() > 0.9
    )
    session.edit_mask(np.zeros((64, 64), np.uint8))
    hands.bridge.show_mask(session.mask)
    rows, columns = np.nonzero(lesion)
    low, left, high, right = rows.min() - 5, columns.min() - 5, rows.max() + 5, columns.max() + 5
    hands.lasso(tools.SMART, [[low, left], [low, right], [high, right], [high, left]])
    found = hands.mask
    assert 2 * (found & lesion).sum() / (found.sum() + lesion.sum()) > 0.85
    hands.editing.undo()
    assert not hands.mask.any()


def test_regions_come_in_and_go_one_by_one(hands):
    session = hands.session
    both = np.maximum(probability(True), probability(False))
    session.edit_mask(np.zeros((64, 64), np.uint8))
    session.take_proposal(session.case_id, both, "m")
    hands.bridge.show_mask(session.mask)
    hands.editing.take(tools.REGION)
    inside = [
        tuple(int(value) for value in np.argwhere(spot(left)).mean(axis=0))
        for left in (True, False)
    ]
    hands.bridge.clicked.emit(*inside[0])
    assert hands.mask[inside[0]]
    assert not hands.mask[inside[1]]
    hands.bridge.clicked.emit(*inside[1])
    assert hands.mask[inside[1]]
    hands.bridge.clicked.emit(*inside[0])
    assert not hands.mask[inside[0]]
    hands.bridge.viewer.cursor.position = inside[1]
    hands.editing.drop_region()
    assert not hands.mask.any()
    hands.editing.drop_region()
    assert "no region of the mask" in hands.told[-1]
    hands.editing.take_region()
    assert hands.mask[inside[1]]
    for _ in range(4):
        hands.editing.undo()
    assert hands.mask.sum() == 256  # the first region alone


def test_clicks_with_another_tool_take_no_region(hands):
    before = hands.mask
    hands.editing.take(tools.MOVE)
    hands.bridge.clicked.emit(40, 16)
    assert np.array_equal(hands.mask, before)


def test_only_the_zones_of_the_words_are_kept(hands):
    session = hands.session
    session.edit_mask(np.maximum(spot(True), spot(False)))
    session.edit_description("One infected area, upper right lung.")
    hands.editing.keep_zones()
    upper = spot(False)
    upper[21:] = 0  # a third of the film
    assert np.array_equal(hands.mask, upper)
    session.edit_description("Nothing to say.")
    hands.editing.keep_zones()
    assert "name no zone" in hands.told[-1]
    assert np.array_equal(hands.mask, upper)


def test_tidying_says_what_it_did_and_that_there_was_nothing_to_do(hands):
    speck = spot(True)
    speck[0, 0] = 1
    hands.session.edit_mask(speck)
    hands.editing.remove_islands()
    assert hands.told[-1] == "Remove islands: 1 px removed."
    assert np.array_equal(hands.mask, spot(True))
    hands.editing.fill_holes()
    assert hands.told[-1] == "Fill holes: nothing to change."
    assert hands.editing.to_undo == "remove islands"


def test_the_tool_stays_in_hand_from_case_to_case(hands):
    hands.editing.take(tools.SMART)
    hands.session.skip()
    viewer = hands.bridge.viewer
    assert viewer.layers.selection.active is hands.bridge.lasso.layer
    hands.editing.take(tools.ERASER)
    hands.session.skip()
    assert hands.layer.mode == "erase"


def test_a_tool_taken_by_naparis_own_key_is_noticed(hands):
    seen = []
    hands.editing.tool_changed.connect(seen.append)
    hands.layer.mode = "erase"
    assert hands.editing.tool is tools.ERASER
    assert seen == ["eraser"]


def test_without_a_case_nothing_is_done(hands):
    while hands.session.current is not None:
        hands.session.skip()
    for act in ("undo", "redo", "smooth", "keep_zones", "reset", "take_region", "drop_region"):
        getattr(hands.editing, act)()
    Editing().undo()
    assert hands.session.mask is None
