"""Films that a reader called a nonsense pair are never mixed: by patches, by sides, or by way of a third film."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import torch
from little_films import describe, films
from test_mixing import PLAIN, lesion

from training.engine.apart import NONSENSE, apart_of, may_meet
from training.engine.blocks import PatchDraw
from training.engine.films import StudentFilms
from training.engine.inputs import labeled_student_films, patch_films, unlabeled_student_films
from training.engine.loop import run
from training.engine.mixing import plan_patch
from training.events import EventTail

PAIR = apart_of([("film_0", "film_1")])
PATCHED = PLAIN.model_copy(update={"patch_probability": 1.0, "patch_gate": 0.05})


def kept_apart(batch, pairs):
    return type(batch)(batch.keys, batch.images, batch.masks, batch.texts, apart_of(pairs))


def test_a_pair_is_meant_both_ways_and_through_what_a_film_holds_already():
    assert not may_meet(PAIR, ["film_1"], ["film_0"])
    assert not may_meet(PAIR, ["film_7", "film_0"], ["film_1", "film_2"])
    assert may_meet(PAIR, ["film_0", "film_2"], ["film_0", "film_3"])


def test_a_refused_pair_says_why_and_still_tells_blocks_and_gate():
    own, partner = (lesion(True), describe("left")), (lesion(False), describe("right"))
    draw = PatchDraw("probability", ((0.5, 0.5, 0.5),))
    accepted = plan_patch(draw, own, partner, PLAIN, "image")
    refused = plan_patch(draw, own, partner, PLAIN, "image", may_meet=False)
    assert accepted.accepted
    assert not refused.accepted
    assert refused.words == NONSENSE
    assert refused.text == own[1]
    assert np.array_equal(refused.tried, accepted.blocks)
    assert refused.rate == accepted.rate


def test_cutmix_keeps_a_pair_apart_too():
    own, partner = (lesion(True), describe("left")), (lesion(False), describe("right"))
    draw = PatchDraw("anywhere", ((0.5, 0.5, 0.5),))
    assert plan_patch(draw, own, partner, PLAIN, "image").accepted
    assert not plan_patch(draw, own, partner, PLAIN, "image", may_meet=False).accepted


def test_patches_of_the_pair_are_refused_and_nothing_else_changes():
    weak = films([0, 1])
    own = StudentFilms(weak.images, weak.masks, weak.texts, weak.texts)
    assert any(plan.accepted for plan in patch_films(own, weak, PATCHED, "image").plans)
    mixed = patch_films(own, replace(weak, apart=PAIR), PATCHED, "image")
    assert torch.equal(mixed.images, weak.images)
    assert mixed.texts == weak.texts
    assert [plan.words for plan in mixed.plans] == [NONSENSE, NONSENSE]


def test_other_pairs_of_the_batch_are_mixed_as_before():
    weak = films([0, 1, 2, 3])
    own = StudentFilms(weak.images, weak.masks, weak.texts, weak.texts)
    before = patch_films(own, weak, PATCHED, "image")
    after = patch_films(own, replace(weak, apart=PAIR), PATCHED, "image")
    for number, (one, other) in enumerate(zip(before.plans, after.plans, strict=True)):
        if other.words != NONSENSE:
            assert torch.equal(before.images[number], after.images[number])
            assert one.words == other.words
    assert all(PAIR.isdisjoint(map(frozenset, itertools.combinations(s, 2))) for s in after.sources)


def test_sides_of_labeled_films_stay_apart():
    views = PLAIN.model_copy(update={"side_mix_probability": 1.0})
    weak = films([0, 1])
    assert any(draw.half for draw in labeled_student_films(weak, views, "image").sides)
    mixed = labeled_student_films(kept_apart(weak, [("film_1", "film_0")]), views, "image")
    assert torch.equal(mixed.images, weak.images)
    assert torch.equal(mixed.targets, weak.masks)
    assert [draw.words() for draw in mixed.sides] == [NONSENSE, NONSENSE]


def pasted(pairs, epoch):
    """Unlabeled films 0, 2 with sides of labeled films 1, 3, which have sides of each other."""
    views = PATCHED.model_copy(update={"side_paste_probability": 1.0, "side_mix_probability": 1.0})
    with_masks = labeled_student_films(
        kept_apart(films([1, 3, 6], epoch=epoch), pairs), views, "image"
    )
    weak = kept_apart(films([0, 2, 5], epoch=epoch), pairs)
    return unlabeled_student_films(weak, weak.masks, with_masks, views, "image")


def test_no_unlabeled_film_gets_a_side_of_a_film_it_is_kept_from_nor_of_one_that_holds_it():
    pairs = [("film_0", "film_1"), ("film_5", "film_2"), ("film_6", "film_2"), ("film_3", "film_6")]
    met_before = set()
    for epoch in range(12):
        for sources in pasted([], epoch).sources:
            met_before |= {frozenset(two) for two in itertools.combinations(sources, 2)}
        for sources in pasted(pairs, epoch).sources:
            met = {frozenset(two) for two in itertools.combinations(sources, 2)}
            assert met.isdisjoint(apart_of(pairs))
    assert len(met_before & apart_of(pairs)) >= 3  # the rule had something to forbid


def test_a_run_whose_films_are_all_kept_apart_mixes_nothing(make_run, snapshot):
    ids = [case.case_id for case in snapshot.labeled + snapshot.unlabeled]
    pairs = tuple(itertools.combinations(sorted(ids), 2))
    views = {"patch_probability": 1.0, "patch_kind": "cutmix"}
    training = {"steps": 8, "batch_unlabeled": 3}  # no batch holds one film twice
    told = {}
    for name, apart in (("free", ()), ("apart", pairs)):
        folder = make_run(
            name, snapshot.model_copy(update={"apart": apart}), views=views, training=training
        )
        assert run(folder)
        events = EventTail(folder.events_file).read_new()
        told[name] = {e["mix_accepted"] for e in events if "mix_accepted" in e}
    assert told["apart"] == {0.0}
    assert max(told["free"]) > 0
