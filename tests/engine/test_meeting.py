"""What the views dock draws is what a run used: the same partners, donors, patches, sides and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from little_films import tiny_config

from training.engine.inputs import labeled_partners, patch_partners, side_donors
from training.engine.loop import run
from training.engine.meeting import Meetings
from training.engine.methods import semi_medref
from training.engine.preview import plan_of, preview
from training.engine.streams import Key

LOUD = {"patch_probability": 0.7, "patch_gate": 0.1, "flip_probability": 0.3}


def some(films, numbers, masks):
    return replace(
        films,
        keys=tuple(films.keys[number] for number in numbers),
        images=films.images[numbers],
        masks=masks[numbers],
        texts=tuple(films.texts[number] for number in numbers),
    )


@pytest.fixture
def used(make_run, snapshot, monkeypatch):
    """What every semi-supervised step of a run mixed, and with what result."""
    steps, labeled = [], []
    sides, mixing = semi_medref.labeled_student_films, semi_medref.unlabeled_student_films

    def note_labeled(weak, views, convention):
        labeled.append(weak)
        return sides(weak, views, convention)

    def note(weak, probabilities, with_masks, views, convention):
        made = mixing(weak, probabilities, with_masks, views, convention)
        steps.append((weak, probabilities, labeled[-1], made))
        return made

    monkeypatch.setattr(semi_medref, "labeled_student_films", note_labeled)
    monkeypatch.setattr(semi_medref, "unlabeled_student_films", note)
    pairs = (("film_010", "film_012"), ("film_001", "film_013"))
    run(make_run(of=snapshot.model_copy(update={"apart": pairs}), views=LOUD))
    assert len(steps) == 6
    return steps


def test_a_film_meets_whom_the_run_let_it_meet_and_looks_as_it_did(used, snapshot):
    config = tiny_config(views=LOUD)
    ids = [tuple(case.case_id for case in pool) for pool in (snapshot.labeled, snapshot.unlabeled)]
    meetings, patches, sides = Meetings(*ids, config), 0, 0
    for number, (weak, probabilities, labeled, made) in enumerate(used):
        partners, donors = patch_partners(weak.keys), side_donors(weak.keys, len(labeled.keys))
        others = labeled_partners(labeled.keys)
        for place, key in enumerate(weak.keys):
            met, donor = meetings.of(key), donors[place]
            assert (met.step, met.later) == (6 + number, False)
            assert met.partner == weak.keys[partners[place]]
            assert met.donors == (labeled.keys[donor], labeled.keys[others[donor]])
            pair = some(weak, [place, partners[place]], probabilities)
            two = some(labeled, [donor, others[donor]], labeled.masks)
            arrays, told = preview(pair, two, False, config.views, "image")
            assert np.array_equal(arrays["student"], made.images[place, 0].numpy())
            assert told["texts"]["student"] == made.texts[place]
            assert told["texts"]["student_full"] == made.full_texts[place]
            assert told["draws"]["side"] == made.sides[place].half
            plan = made.plans[place]
            assert told["gate"]["tried_in_training"] == (plan.tried is not None)
            if plan.tried is not None:
                assert told["gate"]["sentence"] == plan.words
                assert told["gate"]["value"] == plan.rate
                assert np.array_equal(arrays["tried_mask"], plan.tried)
                assert np.array_equal(arrays["block_mask"], plan.blocks)
                assert plan_of(pair, config.views, "image").words == plan.words
            patches += plan.accepted
            sides += made.sides[place].half is not None
    assert patches
    assert sides


def test_a_labeled_film_meets_its_partner_of_the_labeled_batch(used, snapshot):
    config = tiny_config(views=LOUD)
    ids = [tuple(case.case_id for case in pool) for pool in (snapshot.labeled, snapshot.unlabeled)]
    meetings = Meetings(*ids, config)
    for number, (_, _, labeled, _) in enumerate(used):
        for place, key in enumerate(labeled.keys):
            met = meetings.of(key)
            partner = labeled.keys[labeled_partners(labeled.keys)[place]]
            assert (met.step, met.partner, met.donors) == (6 + number, partner, (partner,))


def test_a_film_of_neither_pool_and_a_film_alone_in_its_batch_meet_nobody():
    config = tiny_config(training={"batch_labeled": 1, "batch_unlabeled": 1})
    meetings = Meetings(["a"], ["b", "c"], config)
    assert meetings.of(Key(0, "z")) is None
    assert meetings.of(Key(0, "b")).partner is None
    assert meetings.of(Key(0, "b")).donors == (Key(0, "a", meetings.of(Key(0, "b")).step),)
    assert meetings.of(Key(0, "a")).donors == ()
