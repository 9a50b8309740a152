"""The session: signals, drafts written off the GUI thread, and a change of teacher."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa
from made import small_project, spot
from teachers import probability, promote

from napari_semimedref.session import UNUSABLE, ReviewSession
from training.errors import PoolError
from training.pool import schema
from training.pool.leases import take_lease


def test_opening_a_case_tells_it_with_its_proposal(session):
    seen = []
    session.opened.connect(seen.append)
    session.next()
    assert seen[-1] is session.current
    assert np.array_equal(session.mask, session.current.proposal)
    assert session.mask.any()


def test_the_queue_carries_a_reason_for_every_place(session):
    queue = session.queue()
    assert len(queue) == 6
    assert all(choice.reason for choice in queue)


def test_accepting_opens_the_next_case_and_counts_it(session):
    session.next()
    first, labeled = session.current.case.id, session.counts["labeled"]
    session.accept()
    assert session.current.case.id != first
    assert session.counts["labeled"] == labeled + 1
    assert session.project.case(first).pool == "labeled"


def test_an_autosaved_draft_is_there_in_the_next_session(session):
    session.next()
    case = session.current.case.id
    session.edit_mask(spot(False))
    saved = []
    session.draft_saved.connect(lambda: saved.append(True))
    session.autosave()
    session.settle()
    assert saved
    later = ReviewSession(session.project, "Ada", rng=np.random.default_rng(0))
    later.open(case)
    assert later.current.restored
    assert np.array_equal(later.mask, spot(False))
    later.close()


def test_a_reader_is_told_why_the_case_they_left_does_not_come_back(session):
    session.next()
    case = session.current.case.id
    session.edit_mask(spot(False))
    session.rest()
    take_lease(session.project, case, "Ben")
    later = ReviewSession(session.project, "Ada", rng=np.random.default_rng(0))
    told = []
    later.failed.connect(told.append)
    later.begin()
    assert len(told) == 1
    assert case in told[0]
    assert "Ben's desk" in told[0]
    assert later.current.case.id != case
    assert later.project.draft(case, "Ada") is not None
    later.close()


def test_a_draft_that_is_being_written_does_not_outlive_its_acceptance(session):
    session.next()
    case = session.current.case.id
    session.edit_mask(spot(False))
    session.autosave()
    session.accept()
    assert session.project.draft(case, "Ada") is None


def test_a_draft_that_cannot_be_written_stays_unsaved_and_is_told(session, monkeypatch):
    session.next()
    session.edit_mask(spot(False))

    def refuse(*_arguments):
        raise PoolError("The disk is full.")

    monkeypatch.setattr(session.project, "save_draft", refuse)
    told = []
    session.failed.connect(told.append)
    session.autosave()
    session.settle()
    assert told == ["The disk is full."]
    assert session.desk.dirty
    monkeypatch.undo()


def test_a_proposal_for_another_case_is_dropped(session):
    session.next()
    before = session.mask.copy()
    assert not session.take_proposal("case_999", probability(False), "m")
    assert np.array_equal(session.mask, before)


def test_a_new_teacher_renews_proposal_and_mask_of_an_untouched_case(session):
    session.next()
    promote(session.project, "second-teacher", probability(False))
    changed = []
    session.proposal_changed.connect(changed.append)
    assert session.refresh()
    assert changed
    assert session.current.model_id == "second-teacher"
    assert np.array_equal(session.mask, session.current.proposal)
    assert session.mask[:, 32:].any()
    assert not session.mask[:, :32].any()


def test_a_new_teacher_leaves_the_readers_strokes_alone(session):
    session.next()
    drawn = np.zeros((64, 64), np.uint8)
    drawn[3:9, 3:9] = 1
    session.edit_mask(drawn)
    promote(session.project, "second-teacher", probability(False))
    assert session.refresh()
    assert np.array_equal(session.mask, drawn)
    assert session.current.model_id == "second-teacher"


def test_a_proposal_that_comes_within_the_first_stroke_leaves_it_alone(session):
    session.next()
    drawn = session.mask.copy()
    drawn[0, :5] = 1
    session.edit_mask(drawn, strokes=0)
    assert session.take_proposal(session.current.case.id, probability(False), "m")
    assert np.array_equal(session.mask, drawn)


def test_each_stroke_counts_once_however_often_it_is_told(session):
    session.next()
    for strokes in (0, 0, 1, 0, 0, 1, 1):
        session.edit_mask(session.mask, strokes=strokes)
    assert session.desk.strokes == 3


def test_without_a_change_of_teacher_nothing_is_renewed(session):
    session.next()
    session.queue_changed.connect(lambda: pytest.fail("the queue was planned anew"))
    assert not session.refresh()


def test_the_holdout_never_gets_a_proposal(tmp_path):
    project = small_project(tmp_path / "p", holdout=2)
    promote(project, "teacher", probability())
    session = ReviewSession(project, "Ada", rng=np.random.default_rng(0))
    session.open(project.cases("gate")[0].id)
    assert not session.wants_proposals
    assert not session.take_proposal(session.current.case.id, probability(), "teacher")
    assert session.current.proposal is None
    session.close()


def test_an_unusable_proposal_is_skipped_as_rejected(session):
    session.next()
    first = session.current.case.id
    session.skip(UNUSABLE)
    with session.project.reading() as connection:
        rows = connection.execute(sa.select(schema.skips)).all()
    assert [(row.case_id, row.reason, row.outcome) for row in rows] == [
        (first, UNUSABLE, "rejected")
    ]


def test_at_the_end_of_a_short_queue_the_waiting_cases_are_planned(session):
    session.desk.set_queue(session.desk.queue[:2])
    seen = set()
    session.next()
    while session.current is not None:
        seen.add(session.current.case.id)
        session.skip()
    assert len(seen) == 6
    assert session.project.counts()["unlabeled"] == 6
