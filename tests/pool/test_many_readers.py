"""Several readers at one project, on either database: nothing is lost, nothing silently overwritten."""

from __future__ import annotations

import numpy as np
import pytest
from made import LEFT, RIGHT, spot

from training.errors import PoolError
from training.pool import Project
from training.pool.adjudication import adjudicate, contested_cases
from training.pool.agreement import cohen_kappa, measure_agreement, raise_disagreements
from training.pool.audit import audit
from training.pool.leases import CaseLeased, give_back, leases_of_others, take_lease
from training.pool.queries import skips_of
from training.pool.second_reading import (
    ask_second_reading,
    blinded,
    draw_for_second_reading,
    second_readings_for,
)
from training.review import ReviewDesk
from training.review_queue import plan_queue

CASE = "case_003"


def _read(project, reader, left=True, case_id=CASE, **options):
    words = LEFT if left else RIGHT
    return project.accept(case_id, spot(left, 32), words, reader, source="drawn", **options)


def test_what_is_accepted_is_there_after_reopening(pool):
    revision = _read(
        pool, "Ada", dice_to_proposal=np.float32(0.5), strokes=np.int64(3), model_id="m"
    )
    again = Project.open(pool.folder)
    assert again.revisions(CASE) == [revision]
    assert again.case(CASE).pool == "labeled"
    assert again.case(CASE).zones == {"Ll"}
    assert np.array_equal(again.read_reference_mask(CASE), spot(True, 32))
    assert audit(again).problems == ()


def test_two_readers_who_started_from_the_same_state_are_both_kept_and_the_case_is_contested(pool):
    seen = pool.case(CASE).revision_id
    first = _read(pool, "Ada", started_from=seen)
    second = _read(pool, "Bo", left=False, started_from=seen)
    case = pool.case(CASE)
    assert [revision.reader for revision in pool.revisions(CASE)] == ["Ada", "Bo"]
    assert case.contested
    assert case.revision_id == first.id
    assert np.array_equal(pool.read_reference_mask(CASE), spot(True, 32))
    assert second.parent_id is None
    assert [case.id for case in contested_cases(pool)] == [CASE]
    assert audit(pool).problems == ()


def test_a_reader_who_saw_the_other_ones_revision_may_improve_on_it(pool):
    first = _read(pool, "Ada", started_from=None)
    second = _read(pool, "Bo", left=False, started_from=first.id)
    assert not pool.case(CASE).contested
    assert pool.case(CASE).revision_id == second.id


def test_adjudication_settles_a_dispute_and_keeps_both_readings(pool):
    _read(pool, "Ada", started_from=None)
    second = _read(pool, "Bo", left=False, started_from=None)
    settled = adjudicate(pool, CASE, "Chief", second.id)
    case = pool.case(CASE)
    assert not case.contested
    assert case.revision_id == settled.id
    assert np.array_equal(pool.read_reference_mask(CASE), spot(False, 32))
    assert case.description == RIGHT
    assert [revision.reader for revision in pool.revisions(CASE)] == ["Ada", "Bo", "Chief"]
    assert contested_cases(pool) == []
    assert audit(pool).problems == ()


def test_an_adjudicator_may_draw_a_third_mask(pool):
    _read(pool, "Ada", started_from=None)
    _read(pool, "Bo", left=False, started_from=None)
    third = np.ones((32, 32), np.uint8)
    pool.accept(CASE, third, LEFT, "Chief", source="drawn", reading="adjudication")
    assert not pool.case(CASE).contested
    assert np.array_equal(pool.read_reference_mask(CASE), third)


def test_a_revision_of_another_case_cannot_settle_a_dispute(pool):
    other = _read(pool, "Ada", case_id="case_002")
    with pytest.raises(PoolError, match="no revision"):
        adjudicate(pool, CASE, "Chief", other.id)
    assert pool.revisions(CASE) == []


def test_a_case_is_leased_to_one_reader_until_it_is_given_back(pool):
    take_lease(pool, CASE, "Ada")
    with pytest.raises(CaseLeased, match="on Ada's desk until"):
        take_lease(pool, CASE, "Bo")
    assert set(leases_of_others(pool, "Bo")) == {CASE}
    assert leases_of_others(pool, "Ada") == {}
    take_lease(pool, CASE, "Ada")
    give_back(pool, CASE, "Ada")
    assert take_lease(pool, CASE, "Bo").reader == "Bo"


def test_a_lease_expires_by_itself(pool):
    take_lease(pool, CASE, "Ada", seconds=-1.0)
    assert leases_of_others(pool, "Bo") == {}
    assert take_lease(pool, CASE, "Bo").reader == "Bo"
    with pytest.raises(CaseLeased):
        take_lease(pool, CASE, "Ada")


def test_saving_a_draft_renews_the_lease_of_whoever_holds_it(pool):
    take_lease(pool, CASE, "Ada", seconds=1.0)
    before = leases_of_others(pool, "Bo")[CASE].expires_at
    pool.save_draft(CASE, "Cy", spot(True, 32), LEFT, 1)
    assert leases_of_others(pool, "Bo")[CASE].expires_at == before
    pool.save_draft(CASE, "Ada", spot(True, 32), LEFT, 1)
    assert leases_of_others(pool, "Bo")[CASE].expires_at > before + 60


def test_a_refused_lease_leaves_the_former_one_in_place(pool):
    take_lease(pool, "case_002", "Ada")
    take_lease(pool, CASE, "Bo")
    with pytest.raises(CaseLeased):
        take_lease(pool, CASE, "Ada", leave="case_002")
    assert set(leases_of_others(pool, "Bo")) == {"case_002"}


def test_two_desks_never_share_a_case_and_next_passes_over_the_others(pool):
    queue = [choice.case_id for choice in plan_queue(pool, "random", np.random.default_rng(0))]
    ada, bo = ReviewDesk(pool, "Ada"), ReviewDesk(Project.open(pool.folder), "Bo")
    ada.set_queue(queue)
    bo.set_queue(queue)
    assert ada.next().case.id == queue[0]
    assert bo.next().case.id == queue[1]
    with pytest.raises(CaseLeased):
        bo.open(queue[0])
    assert bo.current.case.id == queue[1]
    ada.accept()
    assert ada.next().case.id == queue[2]
    bo.close()
    assert ada.open(queue[1]).case.id == queue[1]


def test_a_desk_whose_lease_ran_out_loses_nothing(pool):
    ada, bo = ReviewDesk(pool, "Ada"), ReviewDesk(pool, "Bo")
    ada.open(CASE)
    take_lease(pool, CASE, "Ada", seconds=-1.0)
    bo.open(CASE)
    bo.edit_mask(spot(False, 32))
    bo.accept()
    ada.edit_mask(spot(True, 32))
    ada.accept()
    assert [revision.reader for revision in pool.revisions(CASE)] == ["Bo", "Ada"]
    assert pool.case(CASE).contested


def test_a_reader_may_accept_a_case_again_without_contesting_themselves(pool):
    desk = ReviewDesk(pool, "Ada")
    desk.open(CASE)
    desk.accept()
    desk.edit_mask(spot(True, 32))
    desk.accept()
    assert not pool.case(CASE).contested
    assert np.array_equal(pool.read_reference_mask(CASE), spot(True, 32))


def test_a_blind_reader_sees_neither_mask_nor_words_of_the_first(pool):
    _read(pool, "Ada", left=True)
    assert ask_second_reading(pool, [CASE]) == 1
    assert ask_second_reading(pool, [CASE]) == 0
    assert second_readings_for(pool, "Ada") == []
    assert second_readings_for(pool, "Bo") == [CASE]
    seen = blinded(pool, CASE)
    assert (seen.mask, seen.description, seen.revision_id) == (None, RIGHT, None)

    desk = ReviewDesk(pool, "Bo", blind=True)
    desk.set_queue(second_readings_for(pool, "Bo"))
    opened = desk.next()
    assert not desk.mask.any()
    assert opened.case.description == RIGHT
    desk.edit_mask(spot(False, 32))
    revision = desk.accept()
    assert revision.reading == "blind"
    assert np.array_equal(pool.read_reference_mask(CASE), spot(True, 32))
    assert pool.case(CASE).description == LEFT
    assert not pool.case(CASE).contested
    assert second_readings_for(pool, "Cy") == []
    assert audit(pool).problems == ()


def test_a_blind_reading_by_the_first_reader_or_of_a_case_nobody_asked_for_is_refused(pool):
    _read(pool, "Ada")
    with pytest.raises(PoolError, match="is wanted any more"):
        _read(pool, "Bo", reading="blind")
    ask_second_reading(pool, [CASE])
    with pytest.raises(PoolError, match="needs another reader"):
        _read(pool, "Ada", reading="blind")
    assert len(pool.revisions(CASE)) == 1
    with pytest.raises(PoolError, match="has no first reading"):
        ask_second_reading(pool, ["case_004"])


def test_second_readings_are_drawn_among_cases_that_a_reader_has_read_once(pool):
    for case_id in ("case_002", CASE, "case_004"):
        _read(pool, "Ada", case_id=case_id)
    drawn = draw_for_second_reading(pool, 2, np.random.default_rng(0))
    assert len(drawn) == 2
    ask_second_reading(pool, drawn)
    rest = draw_for_second_reading(pool, 9, np.random.default_rng(0))
    assert set(drawn) | set(rest) == {"case_002", CASE, "case_004"}
    assert not set(drawn) & set(rest)


def test_agreement_is_measured_and_disagreement_goes_to_adjudication(pool):
    for case_id, left in (("case_002", True), (CASE, False), ("case_004", True)):
        _read(pool, "Ada", case_id=case_id, left=left)
        ask_second_reading(pool, [case_id])
        _read(pool, "Bo", case_id=case_id, left=True, reading="blind")
    found = measure_agreement(pool)
    assert [pair.case_id for pair in found.pairs] == ["case_002", CASE, "case_004"]
    assert [pair.dice for pair in found.pairs] == [1.0, 0.0, 1.0]
    assert found.mean_dice == pytest.approx(2 / 3)
    # of three cases both name Ll twice, disagree once: chance agreement 2/3*1 + 1/3*0, observed 2/3
    assert found.zone_kappa["Ll"] == pytest.approx(0.0)
    assert raise_disagreements(pool, found, below=0.7) == [CASE]
    assert raise_disagreements(pool, found, below=0.7) == []
    assert pool.case(CASE).contested
    adjudicate(pool, CASE, "Chief", pool.revisions(CASE)[0].id)
    assert raise_disagreements(pool, measure_agreement(pool), below=0.7) == []
    assert audit(pool).problems == ()


def test_kappa_matches_a_worked_example():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.70, by chance 0.50
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa([1, 0, 2], [1, 0, 2]) == 1.0
    assert np.isnan(cohen_kappa([1, 1], [1, 1]))


def test_a_desk_says_why_a_case_was_put_aside_and_gives_it_back(pool):
    desk = ReviewDesk(pool, "Ada")
    desk.open(CASE)
    desk.edit_mask(spot(True, 32), strokes=2)
    desk.skip("the proposal is of another film", rejected=True)
    desk.close()
    with pool.reading() as connection:
        (row,) = skips_of(connection, CASE)
    assert (row.outcome, row.reason, row.strokes) == (
        "rejected",
        "the proposal is of another film",
        2,
    )
    assert row.active_seconds >= 0
    assert leases_of_others(pool, "Bo") == {}


@pytest.mark.parametrize("strategy", ["random", "zones"])
def test_a_short_queue_is_the_beginning_of_the_long_one(pool, strategy):
    pool.skip("case_002", "Ada", "rotated")
    everything = plan_queue(pool, strategy, np.random.default_rng(3), count=None)
    short = plan_queue(pool, strategy, np.random.default_rng(3), count=2)
    assert len(everything) == 4
    assert everything[-1].case_id == "case_002"
    assert short == everything[:2]


def test_a_skip_keeps_its_reason_its_kind_and_the_readers_effort(pool):
    pool.skip(CASE, "Ada", "rotated", rejected=True, model_id="m", active_seconds=4.5, strokes=2)
    assert pool.case(CASE).skipped
    assert pool.waiting()[1].skipped
    _read(pool, "Ada")
    assert not pool.case(CASE).skipped


def test_pages_and_counts_agree_with_the_whole_list(pool):
    everything = pool.cases()
    paged, after = [], None
    while page := pool.cases_page(after=after, count=3):
        paged += page
        after = page[-1].id
    assert paged == everything
    assert pool.counts() == {"labeled": 2, "unlabeled": 4, "gate": 1, "report": 1}
    assert [case.id for case in pool.cases_page("unlabeled", count=2)] == ["case_002", "case_003"]
    assert pool.zone_counts() == {"Ll": 1, "Ru": 1}
    _read(pool, "Ada", case_id="case_003", left=True)
    assert pool.zone_counts() == {"Ll": 2, "Ru": 1}


def test_a_description_may_hold_anything_that_can_be_typed(pool):
    revision = _read(pool, "Ada", case_id="case_002")
    words = "naïve 肺 'quoted' \"twice\" % :x \\ \u2028 end"
    pool.accept(CASE, spot(True, 32), words + "\0", "Ada", source="drawn", started_from=None)
    assert pool.case(CASE).description == words
    assert revision.reader == "Ada"
    assert audit(pool).problems == ()
