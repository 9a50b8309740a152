from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from little_films import describe, films

from training.config import ViewsConfig
from training.engine.blocks import PatchDraw
from training.engine.films import StudentFilms
from training.engine.inputs import (
    labeled_partners,
    labeled_student_films,
    patch_films,
    unlabeled_student_films,
    weak_views,
)
from training.engine.mixing import plan_patch, side_text
from training.engine.streams import Key
from training.engine.words import finding_of, hide_positions

PLAIN = ViewsConfig(
    jitter_probability=0, blur_probability=0, posaug_probability=0, patch_probability=0,
    labeled_patch_probability=0, side_mix_probability=0, side_paste_probability=0, patch_gate=0.25, patch_block=0.3,
)  # fmt: skip
BOTH = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung."
NO_PLACE = "Pulmonary infection."


def zones(text):
    return finding_of(text).zones


def lesion(left: bool, size: int = 40) -> np.ndarray:
    """A sure lesion: lower left of the picture, or upper right."""
    probability = np.zeros((size, size), np.float32)
    if left:
        probability[24:34, 6:16] = 0.9
    else:
        probability[6:16, 24:34] = 0.9
    return probability


def test_a_swapped_side_brings_its_words_and_takes_the_old_ones_away():
    left, right = describe("left"), describe("right")
    assert zones(side_text(left, right, "right", "image")) == {"Ll", "Ru"}
    assert zones(side_text(left, BOTH, "left", "image")) == {"Lu"}
    assert zones(side_text(BOTH, right, "right", "image")) == {"Lu", "Ru"}


def test_with_the_patients_left_the_other_side_of_the_words_moves():
    assert zones(side_text(describe("left"), BOTH, "left", "patient")) == {"Ll", "Rl"}


def test_a_side_is_not_swapped_where_the_words_do_not_fix_it_or_nothing_would_be_left():
    assert side_text(describe("left"), NO_PLACE, "left", "image") is None
    assert side_text(NO_PLACE, describe("left"), "left", "image") is None
    assert side_text(describe("left"), describe("right"), "left", "image") is None


def test_pixels_masks_and_words_of_swapped_sides_come_from_the_same_film():
    views = PLAIN.model_copy(update={"side_mix_probability": 1.0})
    weak = films([0, 1, 2, 3])
    mixed = labeled_student_films(weak, views, "image")
    changed = 0
    for number in range(4):
        for side, half in (("L", slice(0, 24)), ("R", slice(24, 48))):
            pixels = mixed.images[number, 0, :, half]
            source = next(
                other for other in range(4) if torch.equal(pixels, weak.images[other, 0, :, half])
            )
            assert torch.equal(mixed.targets[number, 0, :, half], weak.masks[source, 0, :, half])
            named = {zone for zone in zones(mixed.texts[number]) if zone[0] == side}
            assert named == {zone for zone in zones(weak.texts[source]) if zone[0] == side}
            changed += source != number
    assert changed > 0


def plan(mode="probability", own=None, partner=None, views=PLAIN, place=(0.5, 0.5, 0.5)):
    own = own or (lesion(True), describe("left"))
    partner = partner or (lesion(False), describe("right"))
    return plan_patch(PatchDraw(mode, (place,)), own, partner, views, "image")


def test_a_patch_of_the_partners_lesion_adds_its_zone_and_keeps_the_own_one():
    mixed = plan()
    assert mixed.accepted
    assert zones(mixed.text) == {"Ll", "Ru"}
    assert lesion(False)[mixed.blocks].mean() >= PLAIN.patch_gate


def test_a_patch_over_the_own_lesion_takes_its_zone_away():
    big = PLAIN.model_copy(update={"patch_block": 0.5, "patch_gate": 0.05})
    own, partner = (lesion(False), describe("right")), (lesion(False), describe("right"))
    partner = (np.roll(partner[0], 2, axis=0), partner[1])
    covered = plan("probability", own, partner, big)
    assert not ((own[0] > 0.5) & ~covered.blocks).any()
    assert zones(covered.text) == {"Ru"}


def test_the_gate_is_asked_before_anything_is_mixed():
    refused = plan(partner=(lesion(False) * 0.1, describe("right")))
    assert not refused.accepted
    assert refused.text == describe("left")
    assert "Refused" in refused.words


def test_by_position_patches_need_a_common_side_and_lie_in_the_named_zones():
    assert not plan("position").accepted
    same = (lesion(True), describe("left"))
    inside = plan("position", same, (np.ones((40, 40), np.float32), describe("left")))
    rows, columns = np.nonzero(inside.blocks)
    assert inside.accepted
    assert columns.max() < 20
    assert rows.min() >= 18


def test_words_that_fix_no_place_are_never_donors_and_are_never_edited():
    assert not plan(partner=(lesion(False), NO_PLACE)).accepted
    target = plan(own=(lesion(True), NO_PLACE))
    assert target.accepted
    assert target.text == NO_PLACE
    assert not plan("position", own=(lesion(True), NO_PLACE)).accepted


def test_an_empty_teacher_mask_and_an_untried_draw_paste_nothing():
    assert not plan(partner=(np.zeros((40, 40), np.float32), describe("right"))).accepted
    assert not plan_patch(
        PatchDraw(), (lesion(True), describe("left")), (lesion(False), describe("right")),
        PLAIN, "image",
    ).accepted  # fmt: skip


def test_refused_patches_leave_image_target_and_words_untouched():
    views = PLAIN.model_copy(update={"patch_probability": 1.0, "patch_gate": 1.0})
    weak = films([0, 1])
    own = StudentFilms(weak.images, weak.masks * 0.5, weak.texts, weak.texts)
    mixed = patch_films(own, weak, views, "image")
    assert torch.equal(mixed.images, weak.images)
    assert torch.equal(mixed.targets, own.targets)
    assert mixed.texts == weak.texts


def test_mixing_agrees_with_a_loop_over_pixels():
    views = PLAIN.model_copy(update={"patch_probability": 1.0, "patch_gate": 0.05})
    weak = films([0, 1])
    own = StudentFilms(weak.images, weak.masks, weak.texts, weak.texts)
    mixed = patch_films(own, weak, views, "image")
    assert any(plan.accepted for plan in mixed.plans)
    for i, j in ((0, 1), (1, 0)):
        for row in range(0, 48, 5):
            for column in range(0, 48, 5):
                source = j if mixed.plans[i].blocks[row, column] else i
                assert mixed.images[i, 0, row, column] == weak.images[source, 0, row, column]
                assert mixed.targets[i, 0, row, column] == weak.masks[source, 0, row, column]


def test_a_batch_of_one_is_left_alone_by_every_mix():
    views = ViewsConfig(
        patch_probability=1, side_mix_probability=1, jitter_probability=0, blur_probability=0,
        posaug_probability=0, side_paste_probability=0,
    )  # fmt: skip
    one = films([0])
    labeled = labeled_student_films(one, views, "image")
    assert torch.equal(labeled.images, one.images)
    assert zones(labeled.texts[0]) == zones(one.texts[0])
    unlabeled = unlabeled_student_films(one, one.masks, labeled, views, "image")
    assert torch.equal(unlabeled.images, one.images)


def test_labeled_films_get_patches_of_each_other_with_exact_masks_and_words():
    views = PLAIN.model_copy(update={"labeled_patch_probability": 1.0, "patch_gate": 0.05})
    weak = films(list(range(12)))
    shown = labeled_student_films(weak, views, "image")
    partners = labeled_partners(weak.keys)
    accepted = [number for number, plan in enumerate(shown.plans) if plan.accepted]
    assert accepted
    for number, (plan, partner) in enumerate(zip(shown.plans, partners, strict=True)):
        blocks = torch.from_numpy(plan.blocks)
        for mixed, before in ((shown.images, weak.images), (shown.targets, weak.masks)):
            assert torch.equal(mixed[number, 0][blocks], before[partner, 0][blocks])
            assert torch.equal(mixed[number, 0][~blocks], before[number, 0][~blocks])
        assert shown.texts[number] == shown.full_texts[number] == plan.text
        assert (plan.text != weak.texts[number]) <= plan.accepted
        own, both = {f"film_{number}"}, {f"film_{number}", f"film_{partner}"}
        assert shown.sources[number] == (both if plan.accepted else own)
    still = views.model_copy(update={"labeled_patch_probability": 0.0})
    assert torch.equal(labeled_student_films(weak, still, "image").images, weak.images)


def test_patches_of_labeled_films_are_planned_by_the_masks_that_the_host_has():
    views = PLAIN.model_copy(update={"labeled_patch_probability": 1.0, "patch_gate": 0.05})
    weak = films(list(range(12)))
    elsewhere = replace(weak, masks=torch.zeros_like(weak.masks), known=weak.masks)
    expected = labeled_student_films(weak, views, "image")
    shown = labeled_student_films(elsewhere, views, "image")
    assert any(plan.accepted for plan in shown.plans)
    assert torch.equal(shown.images, expected.images)
    assert shown.texts == expected.texts
    moving = ViewsConfig()
    moved = weak_views(replace(weak, known=weak.masks), moving)
    assert torch.equal(moved.known, moved.masks)


def test_labeled_sides_are_pasted_with_their_exact_masks():
    views = PLAIN.model_copy(update={"side_paste_probability": 1.0})
    labeled_weak, weak = films([1, 3, 5]), films([0, 2, 4])
    labeled = labeled_student_films(labeled_weak, views, "image")
    soft = torch.full_like(weak.images, 0.3)
    mixed = unlabeled_student_films(weak, soft, labeled, views, "image")
    pasted = mixed.images != weak.images
    assert pasted.any()
    assert set(mixed.targets[pasted].unique().tolist()) <= {0.0, 1.0}
    for number in range(3):
        if pasted[number].any():
            assert zones(mixed.texts[number]) == {"Ll", "Ru"}


def test_hidden_positions_are_hidden_after_mixing_and_the_full_words_are_kept():
    views = PLAIN.model_copy(
        update={"patch_probability": 1.0, "patch_gate": 0.05, "posaug_probability": 1.0}
    )
    weak = films([0, 1])
    labeled = labeled_student_films(films([2, 3]), PLAIN, "image")
    mixed = unlabeled_student_films(weak, weak.masks, labeled, views, "image")
    assert all(not zones(text) for text in mixed.texts)
    accepted = [plan.accepted for plan in mixed.plans]
    assert any(accepted)
    assert any(len(zones(text)) == 2 for text in mixed.full_texts)


def test_hiding_with_probability_zero_or_one_does_nothing_or_all():
    rng = Key(0, "a").stream("posaug")
    assert hide_positions(BOTH, rng, 0, 0.5) == (BOTH, ("keep", "keep"))
    text, actions = hide_positions(BOTH, rng, 1, 0)
    assert "keep" not in actions
    assert "[UNK_POS]" in text
    assert "left" not in text
    assert "ilateral" not in text
