"""Adjudication in the window: both readings are seen, and the decision is recorded as the command records it."""

from __future__ import annotations

import numpy as np
import pytest
from docking import docked
from made import LEFT, RIGHT, spot

from napari_semimedref.adjudicating import BLIND, NONE_WAITS
from napari_semimedref.fixed_layers import PROPOSAL
from napari_semimedref.reading_layers import READINGS
from napari_semimedref.widgets.adjudication import AdjudicationDock
from training.pool.adjudication import contested_cases
from training.pool.readings import contest_of


def disagree(project, case_id):
    """Two readers who had started from the same state; Bob comes second."""
    start = project.case(case_id).revision_id
    how = {"source": "drawn", "outcome": "redrawn", "started_from": start}
    project.accept(case_id, spot(True), LEFT, "Ann", **how)
    project.accept(case_id, spot(False), RIGHT, "Bob", **how)


@pytest.fixture
def contested(space):
    """Ids of two contested cases; neither is on the desk."""
    here = space.session.case_id
    cases = [case.id for case in space.session.project.cases("unlabeled") if case.id != here][:2]
    for case_id in cases:
        disagree(space.session.project, case_id)
    return cases


@pytest.fixture
def dock(qtbot, space):
    return docked(qtbot, AdjudicationDock, space)


def visible(space, name):
    return name in space.viewer.layers and space.viewer.layers[name].visible


def test_both_readings_are_drawn_with_their_words_and_figures(space, contested, dock):
    space.session.open(contested[0])
    assert np.array_equal(space.viewer.layers[READINGS[0]].data, spot(True))
    assert np.array_equal(space.viewer.layers[READINGS[1]].data, spot(False))
    assert "Ann" in dock.abouts[0].text()
    assert "Bob" in dock.abouts[1].text()
    assert [label.text() for label in dock.words] == [f"“{LEFT}”", f"“{RIGHT}”"]
    assert "Dice 0.00" in dock.likeness.text()
    assert "upper right" in dock.likeness.text()
    assert "earlier state" in dock.reason.text()
    assert not visible(space, PROPOSAL)


def test_the_contours_leave_with_the_case_and_the_proposal_comes_back(space, contested, dock):
    before = space.session.case_id
    space.session.open(contested[0])
    space.session.open(before)
    assert not visible(space, READINGS[0])
    assert visible(space, PROPOSAL)
    assert space.adjudicating.pair is None
    assert dock.keep[0].isHidden()


@pytest.mark.parametrize("which", [0, 1])
def test_keeping_one_is_recorded_and_the_next_contested_case_comes(space, contested, dock, which):
    space.session.open(contested[0])
    chosen = space.adjudicating.pair[which].revision
    dock.keep[which].click()
    project = space.session.project
    last = project.revisions(contested[0])[-1]
    assert (last.reading, last.outcome, last.reader) == ("adjudication", "adjudicated", "Ada")
    assert (last.mask, last.description, last.parent_id) == (
        chosen.mask,
        chosen.description,
        chosen.id,
    )
    assert not project.case(contested[0]).contested
    assert space.session.case_id == contested[1]
    assert contest_of(project, contested[0]) is None


def test_after_the_last_decision_the_queue_goes_on(space, contested, dock):
    for case_id in contested:
        space.session.open(case_id)
        dock.keep[1].click()
    assert contested_cases(space.session.project) == []
    assert space.session.case_id not in ("", *contested)


def test_what_is_edited_from_a_reading_and_accepted_decides(space, contested, dock):
    space.session.open(contested[0])
    dock.edit[1].click()
    assert np.array_equal(space.session.mask, spot(False))
    assert space.session.description == RIGHT
    mask = space.session.mask.copy()
    mask[0, 0] = 1
    space.session.edit_mask(mask)
    space.accept()
    project = space.session.project
    last = project.revisions(contested[0])[-1]
    assert (last.reading, last.reader, last.description) == ("adjudication", "Ada", RIGHT)
    assert not project.case(contested[0]).contested
    assert space.session.desk.adjudicating is False


def test_without_a_chosen_reading_accepting_decides_nothing(space, contested):
    space.session.open(contested[0])
    space.accept()
    assert space.session.project.case(contested[0]).contested


def test_an_edit_can_be_undone_to_the_reference(space, contested, dock):
    space.session.open(contested[0])
    dock.edit[1].click()
    space.editing.undo()
    assert np.array_equal(space.session.mask, spot(True))


def test_the_button_goes_through_the_contested_cases_in_turn(space, contested, dock):
    dock.next.click()
    first = space.session.case_id
    dock.next.click()
    assert {first, space.session.case_id} == set(contested)
    dock.next.click()
    assert space.session.case_id == first


def test_nothing_waiting_is_said(space, dock):
    dock.next.click()
    assert dock.news.text() == NONE_WAITS


def test_blind_readers_are_shown_no_readings(space, contested, dock):
    space.session.desk.blind = True
    dock.next.click()
    assert dock.news.text() == BLIND
    space.session.desk.blind = False


def test_a_third_reading_can_be_put_beside_the_reference(space, contested, dock):
    project = space.session.project
    first = project.revisions(contested[0])[0].parent_id
    how = {"source": "drawn", "outcome": "redrawn", "started_from": first}
    project.accept(contested[0], np.zeros((64, 64), np.uint8), "Nothing.", "Cleo", **how)
    space.session.open(contested[0])
    assert not dock.others.isHidden()
    assert "Cleo" in dock.abouts[1].text()
    dock.others.setCurrentIndex(1)
    dock.others.activated.emit(1)
    assert "Bob" in dock.abouts[1].text()
