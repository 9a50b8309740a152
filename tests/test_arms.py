"""Arms of the queue: the random control, cases without a proposal, and planted proposals that teach nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa
from made import small_project
from typer.testing import CliRunner

from training.acquisition import STRATEGIES, Candidate, Choice
from training.arms import (
    JUDGES,
    MEASURED,
    MEASURED_MIXES,
    Arms,
    arms_of,
    mix_arms,
    save_arms,
    why_silent,
)
from training.cli import app
from training.errors import ConfigError, PoolError
from training.pool import schema
from training.pool.adjudication import adjudicate
from training.pool.audit import audit
from training.pool.images import encode_gray
from training.pool.rounds import register_run
from training.pool.showings import answered, last_showing
from training.pool.times import now
from training.review import ReviewDesk
from training.review_queue import plan_queue
from training.round import freeze

POOL = [Candidate(f"c{i}", f"p{i}", frozenset({"Ll"}), 0.1, 0.1) for i in range(200)]
POOLS = ("unlabeled", "labeled", "gate", "report")
CHOSEN = [Choice(f"c{i}", f"reason {i}") for i in range(100)]


def _mix(arms: Arms, seed: int = 0) -> list[Choice]:
    explain = lambda some: [Choice(case.case_id, f"reason {case.case_id[1:]}") for case in some]  # noqa: E731
    return mix_arms(CHOSEN, POOL, arms, np.random.default_rng(seed), explain)


def test_every_ten_places_hold_their_share_of_the_control():
    mixed = _mix(Arms(control=0.1))
    for start in range(0, 100, 10):
        assert sum(choice.arm == "control" for choice in mixed[start : start + 10]) == 1
    assert {choice.arm for choice in mixed} == {"control", "strategy"}


def test_the_control_is_drawn_from_all_that_wait_not_from_what_was_chosen():
    drawn = [
        int(choice.case_id[1:])
        for seed in range(30)
        for choice in _mix(Arms(control=0.2), seed)
        if choice.arm == "control"
    ]
    assert 85 < np.mean(drawn) < 115  # of 0 to 199; the chosen ones are below 100


def test_nobody_comes_twice_and_reasons_do_not_tell():
    mixed = _mix(Arms(control=0.3, no_proposal=0.2, planted=0.1))
    assert len({choice.case_id for choice in mixed}) == len(mixed)
    assert all(choice.reason == f"reason {choice.case_id[1:]}" for choice in mixed)
    assert Counter(choice.arm for choice in mixed[:100])["planted"] == 10


def test_without_shares_the_queue_is_the_strategys():
    assert _mix(Arms(control=0)) == CHOSEN


def test_what_has_no_proposal_is_not_shown_without_one():
    pool = [case._replace(entropy=None) for case in POOL]
    mixed = mix_arms(
        CHOSEN, pool, Arms(control=0, planted=0.5), np.random.default_rng(0), lambda some: []
    )
    assert mixed == CHOSEN


def test_shares_beyond_the_whole_are_refused():
    with pytest.raises(ConfigError, match="exceed the whole queue"):
        Arms(control=0.7, no_proposal=0.5)


def test_shares_are_kept_with_the_project(tmp_path):
    project = small_project(tmp_path / "project")
    assert arms_of(project) == Arms(control=0.1, no_proposal=0.0, planted=0.0)
    save_arms(project, Arms(planted=0.2))
    assert arms_of(project).planted == 0.2
    (project.folder / "arms.json").write_text("{")
    with pytest.raises(ConfigError, match=r"arms\.json cannot be read"):
        arms_of(project)
    (project.folder / "arms.json").write_bytes(b"\xff")
    with pytest.raises(PoolError, match=r"arms\.json cannot be used"):
        plan_queue(project, "zones", np.random.default_rng(0))
    (project.folder / "arms.json").unlink()
    (project.folder / "arms.json").mkdir()
    with pytest.raises(PoolError, match=r"arms\.json cannot be used"):
        save_arms(project, Arms())


@pytest.fixture
def proposed(tmp_path):
    """A project whose teacher proposes something on the left of every film."""
    project = small_project(tmp_path / "project", unlabeled=8)
    run = register_run(project, project.folder / "runs" / "0001", 4, 8)
    left = (np.indices((16, 16))[1] < 5).astype(np.uint8) * 255
    path = project.probabilities.put(encode_gray(left), ".png")
    made = {"folder": "models/m", "scores": {}, "created_at": now()}
    with project.writing() as connection:
        connection.execute(sa.insert(schema.models).values(id="m", run_id=run.id, **made))
        connection.execute(sa.insert(schema.promotions).values(model_id="m", created_at=now()))
        rows = [
            {
                "case_id": case.id,
                "model_id": "m",
                "probability": path,
                "description": case.description,
                "entropy": 0.1,
                "foreground": 0.3,
                "zones": 7,
            }
            for case in project.cases("unlabeled")
        ]
        connection.execute(sa.insert(schema.proposals), rows)
    return project


def _desk(project, **shares) -> ReviewDesk:
    desk = ReviewDesk(project, "anna")
    arms = Arms(**({"control": 0} | shares))
    queue = plan_queue(project, "zones", np.random.default_rng(0), arms=arms)
    desk.take_plan([choice for choice in queue if choice.arm != "strategy"], "zones")
    return desk


def test_a_planted_proposal_is_wrong_and_one_that_is_let_stand_is_kept_and_never_trains(proposed):
    desk = _desk(proposed, planted=0.5)
    opened = desk.next()
    assert opened.arm == "planted"
    assert opened.proposal[:, :10].sum() == 0
    assert opened.proposal[:, -15:].all()
    revision = desk.accept()
    case = proposed.case(opened.case.id)
    assert revision.reading == "planted"
    assert (case.pool, case.contested, case.revisions) == ("unlabeled", True, 1)
    assert case.id not in {labeled.case_id for labeled in freeze(proposed).labeled}
    # The made-up teacher has no weights; all else is in order.
    assert [each for each in audit(proposed).problems if "weights" not in each] == []
    (told,) = answered(proposed)
    assert (told.showing.arm, told.reading, told.outcome) == ("planted", "planted", "as is")


def test_whoever_redraws_a_planted_proposal_has_labeled_the_case(proposed):
    desk = _desk(proposed, planted=0.5)
    opened = desk.next()
    mask = np.zeros((64, 64), np.uint8)
    mask[40:50, 10:20] = 1
    desk.edit_mask(mask)
    assert desk.accept().reading == "open"
    case = proposed.case(opened.case.id)
    assert (case.pool, case.contested) == ("labeled", False)


def test_a_touched_up_plant_is_let_stand_all_the_same(proposed):
    desk = _desk(proposed, planted=0.5)
    opened = desk.next()
    mask = opened.proposal.copy()
    mask[0, -3:] = 0
    desk.edit_mask(mask)
    assert desk.accept().reading == "planted"
    assert proposed.case(opened.case.id).pool == "unlabeled"


def test_a_case_whose_plant_was_let_stand_comes_back_as_it_is(proposed):
    desk = _desk(proposed, planted=0.5)
    case_id = desk.next().case.id
    desk.accept()
    desk.close()
    opened = desk.open(case_id)
    assert opened.arm == "strategy"
    assert opened.proposal[:, :10].all()
    desk.accept()
    assert proposed.case(case_id).pool == "labeled"


def test_a_judge_may_let_a_kept_plant_stand(proposed):
    desk = _desk(proposed, planted=0.5)
    revision = (desk.next(), desk.accept())[1]
    adjudicate(proposed, revision.case_id, "judge", revision.id)
    case = proposed.case(revision.case_id)
    assert (case.pool, case.contested) == ("labeled", False)


def test_neither_a_new_proposal_nor_reopening_betrays_an_arm(proposed):
    for shares, empty in (({"planted": 0.5}, False), ({"no_proposal": 0.9}, True)):
        desk = _desk(proposed, **shares)
        opened = desk.next()
        desk.take_proposal(np.full((16, 16), 0.9, np.float32), "m")
        assert desk.current is opened
        assert (opened.proposal is None) == empty
        desk.close()
        later = ReviewDesk(proposed, "anna").open(opened.case.id)
        assert later.arm == opened.arm


def test_every_showing_leaves_a_row_and_an_acceptance_answers_the_last(proposed):
    desk = _desk(proposed, control=0.3)
    case_id = desk.next().case.id
    first = last_showing(proposed, case_id, "anna")
    assert (first.arm, first.strategy, first.model_id, first.revision_id) == (
        "control",
        "zones",
        "m",
        None,
    )
    desk.close()
    desk.open(case_id)
    revision = desk.accept()
    again = last_showing(proposed, case_id, "anna")
    assert again.id > first.id
    assert again.revision_id == revision.id


def test_a_case_opened_from_a_list_has_no_strategy(proposed):
    desk = ReviewDesk(proposed, "anna")
    case_id = proposed.cases("unlabeled")[0].id
    desk.open(case_id)
    assert last_showing(proposed, case_id, "anna").strategy == ""
    labeled = proposed.cases("labeled")[0].id
    desk.open(labeled)
    assert last_showing(proposed, labeled, "anna") is None


@pytest.mark.parametrize(
    ("shares", "waiting"),
    [({}, ""), ({"planted": 0.1}, MEASURED), ({"no_proposal": 0.1}, MEASURED)],
)
def test_the_teacher_shows_nothing_that_would_tell_an_arm(tmp_path, shares, waiting):
    project = small_project(tmp_path / "project")
    save_arms(project, Arms(**shares))
    said = {pool: {why_silent(project, case) for case in project.cases(pool)} for pool in POOLS}
    assert said == {"unlabeled": {waiting}, "labeled": {""}, "gate": {JUDGES}, "report": {JUDGES}}
    mixes = {why_silent(project, case, with_others=True) for case in project.cases("labeled")}
    assert mixes == {MEASURED_MIXES if waiting else ""}
    project.close()


def test_the_command_says_and_sets_the_shares(proposed):
    runner, folder = CliRunner(), str(proposed.folder)
    said = runner.invoke(app, ["arms", folder])
    assert "control: 10%" in said.output
    said = runner.invoke(app, ["arms", folder, "--planted", "0.05", "--no-proposal", "0.2"])
    assert "planted: 5%" in said.output
    assert arms_of(proposed) == Arms(control=0.1, no_proposal=0.2, planted=0.05)
    refused = runner.invoke(app, ["arms", folder, "--control", "0.9"])
    assert isinstance(refused.exception, ConfigError)
    assert "exceed the whole queue" in str(refused.exception)
    assert arms_of(proposed).control == 0.1


def test_the_command_lists_all_strategies():
    said = CliRunner().invoke(app, ["strategies"]).output
    assert all(name in said for name in STRATEGIES)
