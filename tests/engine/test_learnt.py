"""When burn-in ends: how often the teacher errs on films it has seen, and on films it has not."""

from __future__ import annotations

import math

import pytest
import torch
from little_films import same

from training.config import PRESETS, preset
from training.engine import loop
from training.engine.checkpoint import read_network
from training.engine.learnt import error_ratio, next_look
from training.engine.loop import run
from training.engine.setup import prepare
from training.engine.step import one_step
from training.events import EventTail, EventWriter

LEARNS_FAST = {"steps": 60, "burn_in": 0.1, "learning_rate": 5e-3, "evaluate_every": 60}


def phases(folder):
    return [e["name"] for e in EventTail(folder.events_file).read_new() if e["kind"] == "phase"]


def first_semi_step(folder):
    """How many steps were made before the unlabeled pool was used."""
    steps = {}
    phase = ""
    for event in EventTail(folder.events_file).read_new():
        phase = event.get("name", phase) if event["kind"] == "phase" else phase
        if event["kind"] == "progress":
            steps.setdefault(phase, event["step"])
    return steps["semi-supervised"] - 1


@pytest.fixture(autouse=True)
def talkative(monkeypatch):
    monkeypatch.setattr(loop.Pace, "may_speak", lambda self: True)


@pytest.fixture
def of_others(snapshot):
    """The same pools, but on gate films the lesion that nobody named is the mask: nothing learned serves there."""
    told = {"left": "Unilateral pulmonary infection, one infected area, upper right lung."}
    told["right"] = "Unilateral pulmonary infection, one infected area, lower left lung."
    wrong = tuple(
        case.model_copy(
            update={"description": told["left" if "left" in case.description else "right"]}
        )
        for case in snapshot.gate
    )
    return snapshot.model_copy(update={"gate": wrong})


@pytest.mark.parametrize(
    ("seen", "unseen", "ratio"), [(0.2, 0.3, 1.5), (0.5, 0.5, 1.0), (0.0, 0.1, math.inf)]
)
def test_the_ratio_compares_what_is_wrong(seen, unseen, ratio):
    assert error_ratio(seen, unseen) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("step", "steps", "then"), [(1200, 2400, 1320), (2390, 2400, 2400), (3, 10, 4)]
)
def test_a_run_asks_again_a_twentieth_later(step, steps, then):
    assert next_look(step, steps) == then


def test_a_burn_in_that_never_ends_is_supervised_training(make_run):
    never = make_run("never", training={"burn_in": 0.2, "burn_in_until": 10})
    alone = make_run("alone", method={"name": "supervised"})
    run(never)
    run(alone)
    assert phases(never) == ["burn-in", "evaluation", "prediction"]
    assert same(*(read_network(each.last, "student").state_dict() for each in (never, alone)))


def test_without_their_weight_unlabeled_films_teach_nothing_and_the_rate_still_restarts(make_run):
    silent = {"lambda_u": 0.0}
    runs = (
        make_run("alone", method={"name": "supervised"}),
        make_run("steady", method=silent, training={"rate_restarts": False}),
        make_run("restarted", method=silent),
    )
    for each in runs:
        run(each)
    alone, steady, restarted = (read_network(each.last, "student").state_dict() for each in runs)
    assert same(alone, steady)
    assert not same(alone, restarted)


def test_it_ends_once_labeled_films_are_known_and_others_are_not(make_run, of_others):
    folder = make_run(of=of_others, training=LEARNS_FAST | {"burn_in_until": 1.5})
    run(folder)
    first = first_semi_step(folder)
    # The first look, at 6 steps, comes too early for a network that knows nothing yet.
    assert first in range(9, 60, 3)
    assert phases(folder)[:2] == ["burn-in", "semi-supervised"]


def test_without_gate_films_the_share_of_the_steps_decides(make_run, snapshot):
    bare = snapshot.model_copy(update={"gate": ()})
    folder = make_run(of=bare, training={"burn_in": 0.5, "burn_in_until": 10})
    run(folder)
    assert first_semi_step(folder) == 6


def test_a_resumed_run_ends_its_burn_in_where_the_uninterrupted_one_does(make_run, of_others):
    asked = LEARNS_FAST | {"burn_in_until": 1.5}
    whole, broken = (make_run(name, of=of_others, training=asked) for name in ("whole", "broken"))
    run(whole)
    first = first_semi_step(whole)
    calls = []

    def dying(this, burn_in):
        calls.append(this.counters.step)
        if len(calls) == first:  # the last step of burn-in, after it was put off at least once
            this.save()
            raise KeyboardInterrupt
        return one_step(this, burn_in)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "one_step", dying)
        with pytest.raises(KeyboardInterrupt):
            run(broken)
    assert prepare(broken, EventWriter(broken.events_file), "cpu").counters.burn_in == first
    run(broken)
    assert first_semi_step(broken) == first
    assert same(*(read_network(each.last, "teacher").state_dict() for each in (whole, broken)))


def test_looking_leaves_the_training_as_it_was(make_run):
    """A run that looks, and one that does not, make the same steps until then."""
    looks = make_run("looks", training={"burn_in": 0.5, "burn_in_until": 0.1})
    does_not = make_run("does not", training={"burn_in": 0.5})
    for folder in (looks, does_not):
        run(folder)
    assert first_semi_step(looks) == first_semi_step(does_not)
    weights = [read_network(each.last, "student").state_dict() for each in (looks, does_not)]
    assert same(*weights)
    assert all(torch.isfinite(value).all() for value in weights[0].values())


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_of_the_papers_count_steps_alone_and_keep_one_rate(name):
    published = name in ("paper", "release", "lvit", "lvit-small")
    assert (preset(name).training.burn_in_until == 0) == published
    assert preset(name).training.rate_restarts != published
