"""When a run stops early, and which of its models it keeps: by chosen evaluations, so that only the choosing counts."""

from __future__ import annotations

import pytest
from little_films import same

from training.engine import loop
from training.engine.checkpoint import ROLES, read_network
from training.engine.evaluate import Evaluation
from training.engine.loop import run
from training.events import EventTail
from training.metrics import Scores


def events(folder):
    return EventTail(folder.events_file).read_new()


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.fixture
def judge(monkeypatch):
    """Lets the evaluations on the way say a chosen Dice; gives the weights that were judged, by role."""

    def choose(**dice):
        judged = {role: [] for role in dice}

        def evaluate(predictor, *_):
            learns = any(each.requires_grad for each in predictor.network.parameters())
            role = "student" if learns else "teacher"
            value = dice[role][len(judged[role])]
            judged[role].append(weights(predictor.network))
            return Evaluation(Scores(value, value, value, value), {}, {})

        monkeypatch.setattr(loop, "evaluate", evaluate)
        return judged

    return choose


RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_training_stops_early_when_the_role_that_selects_no_longer_improves(make_run, judge):
    judge(student=RISING, teacher=[0.3, 0.5, 0.4, 0.45, 0.6, 0.7])
    folder = make_run(training={"evaluate_every": 2, "patience": 2})
    run(folder)
    scores = folder.read_scores()
    assert (scores["steps"], scores["best_step"]) == (8, 4)


@pytest.mark.parametrize(
    ("least_gain", "ends", "best"), [(0.1, 10, 6), (0.0, 12, 12)], ids=["asked for", "not"]
)
def test_a_small_gain_does_not_count_as_better(make_run, judge, least_gain, ends, best):
    judge(student=RISING, teacher=[0.05, 0.1, 0.2, 0.25, 0.28, 0.29])
    folder = make_run(training={"evaluate_every": 2, "patience": 2, "least_gain": least_gain})
    run(folder)
    scores = folder.read_scores()
    assert (scores["steps"], scores["best_step"]) == (ends, best)


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "asked to stop"])
def test_a_run_that_stopped_early_and_is_resumed_takes_no_further_step(make_run, judge, killed):
    judge(student=RISING, teacher=[0.5, 0.4, 0.3, 0.6, 0.7, 0.8])
    folder = make_run(training={"evaluate_every": 2, "patience": 2})
    original = loop.finish

    def broken_off(this, pace):
        if killed:
            raise KeyboardInterrupt
        folder.request_stop()
        return original(this, pace)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "finish", broken_off)
        if killed:
            with pytest.raises(KeyboardInterrupt):
                run(folder)
        else:
            assert run(folder) is False
    folder.withdraw_requests()
    before = len(events(folder))
    assert run(folder) is True
    after = events(folder)[before:]
    assert after[0]["resumed_at"] == 6
    assert [e["name"] for e in after if e["kind"] == "phase"] == ["evaluation", "prediction"]
    assert not any(e["kind"] == "progress" for e in after)
    scores = folder.read_scores()
    assert (scores["steps"], scores["best_step"]) == (6, 2)


@pytest.mark.parametrize(("role", "best"), [("student", 2), ("teacher", 4)])
def test_the_model_that_is_kept_is_chosen_by_the_role_that_selects(make_run, judge, role, best):
    judged = judge(student=[0.1, 0.5, 0.3, 0.2, 0.4, 0.5], teacher=[0.3, 0.1, 0.2, 0.6, 0.4, 0.5])
    folder = make_run(training={"steps": 6, "evaluate_every": 1, "select_by": role})
    run(folder)
    assert folder.read_scores()["best_step"] == best
    for each in ROLES:
        kept = read_network(folder.best, each).state_dict()
        assert [same(kept, then) for then in judged[each]] == [n == best for n in range(1, 7)]
