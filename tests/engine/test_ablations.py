"""The ablations' views and texts, the edge cases of the method, and every pair of network, method and preset."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from little_films import TINY, describe, films
from test_mixing import BOTH, NO_PLACE, PLAIN, lesion, zones

from training.config import PRESETS, MethodConfig, NetworkConfig, RunConfig, ViewsConfig, preset
from training.engine.blocks import PatchDraw, draw_patch
from training.engine.films import StudentFilms
from training.engine.inputs import labeled_student_films, patch_films, unlabeled_student_films
from training.engine.loop import run
from training.engine.methods.semi_medref import semi_medref_pieces
from training.engine.methods.supervised import text_contrast
from training.engine.mirroring import mirror_some
from training.engine.mixing import plan_patch
from training.engine.networks import Output, build, collect_vocabulary
from training.engine.objectives import itcl_loss, zone_similarity
from training.engine.schedules import burn_in_steps, learning_rate
from training.engine.streams import Key
from training.engine.teacher import Teacher
from training.engine.words import change_words, mirrored_text, zones_of_texts
from training.errors import ConfigError
from training.events import EventTail
from training.rundir import RunFolder

NEGATIVE = "No pulmonary infection, zero infected areas."
CONTRADICTION = (
    "Unilateral pulmonary infection, one infected area, left lung and middle right lung."
)
CUTMIX = PLAIN.model_copy(update={"patch_kind": "cutmix", "patch_probability": 1.0})


def student_films(numbers):
    weak = films(numbers)
    return weak, StudentFilms(weak.images, weak.masks, weak.texts, weak.texts)


@pytest.mark.parametrize(
    ("share", "modes"),
    [(1.0, {"position"}), (0.0, {"probability"}), (0.5, {"position", "probability"})],
    ids=["position", "probability", "both"],
)
def test_patches_are_placed_by_position_by_probability_or_both(share, modes):
    views = PLAIN.model_copy(update={"patch_probability": 1.0, "patch_position_share": share})
    drawn = {draw_patch(Key(0, "a", epoch), views).mode for epoch in range(40)}
    assert drawn == modes


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("zones", {"Ll", "Ru"}), ("conjunction", {"Ll", "Lu", "Rl", "Ru"}), ("replace", {"Lu", "Rl", "Ru"})],
)  # fmt: skip
def test_words_after_a_patch_follow_the_chosen_rule(rule, expected):
    donor = "Bilateral pulmonary infection, three infected areas, upper left lung and upper lower right lung."
    assert zones(donor) == {"Lu", "Rl", "Ru"}
    views = PLAIN.model_copy(update={"patch_text": rule})
    plan = plan_patch(
        PatchDraw("probability", ((0.5, 0.5, 0.5),)), (lesion(True), describe("left")),
        (lesion(False), donor), views, "image",
    )  # fmt: skip
    assert plan.accepted
    assert zones(plan.text) == expected


def test_cutmix_pastes_a_rectangle_anywhere_and_leaves_the_words():
    weak, own = student_films(list(range(8)))
    mixed = patch_films(own, weak, CUTMIX, "image")
    assert mixed.texts == weak.texts
    for number, plan in enumerate(mixed.plans):
        rows, columns = np.nonzero(plan.blocks)
        assert plan.blocks.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert 0.01 <= plan.blocks.mean() <= 0.42
        outside = torch.from_numpy(~plan.blocks)
        assert torch.equal(mixed.images[number, 0][outside], own.images[number, 0][outside])
        inside = torch.from_numpy(plan.blocks)
        assert not torch.equal(mixed.images[number, 0][inside], own.images[number, 0][inside])
    assert len({plan.blocks.tobytes() for plan in mixed.plans}) == 8


def test_a_mirrored_film_exchanges_left_and_right_in_pixels_target_and_words():
    weak, own = student_films([0, 1])
    turned = mirror_some(own, weak.keys, PLAIN.model_copy(update={"flip_probability": 1.0}))
    assert torch.equal(turned.images, own.images.flip(3))
    assert torch.equal(turned.targets, own.targets.flip(3))
    assert [zones(text) for text in turned.texts] == [{"Rl"}, {"Lu"}]
    assert turned.full_texts == turned.texts
    still = mirror_some(own, weak.keys, PLAIN)
    assert torch.equal(still.images, own.images)
    assert still.texts == own.texts


def test_what_cannot_be_read_surely_is_not_mirrored():
    assert zones(mirrored_text(BOTH)) == {"Ru", "Ll"}
    assert mirrored_text(mirrored_text(BOTH)) == BOTH
    assert mirrored_text(CONTRADICTION) is None
    weak, own = student_films([0])
    own = StudentFilms(own.images, own.targets, (CONTRADICTION,), (CONTRADICTION,))
    same = mirror_some(own, weak.keys, PLAIN.model_copy(update={"flip_probability": 1.0}))
    assert torch.equal(same.images, own.images)
    assert same.texts == (CONTRADICTION,)


def test_textstrong_changes_the_students_words_alone_and_the_same_way_each_time():
    views = PLAIN.model_copy(update={"text_change": "textstrong"})
    weak, _ = student_films(list(range(12)))
    labeled = labeled_student_films(films([20, 21]), PLAIN, "image")
    one, two = (unlabeled_student_films(weak, weak.masks, labeled, views, "image") for _ in "ab")
    assert one.texts == two.texts
    assert one.full_texts == weak.texts
    assert one.texts != weak.texts
    assert not any("[UNK_POS]" in text for text in one.texts)
    assert change_words("", Key(0, "a").stream("textstrong")) == ""


def test_labeled_views_keep_their_brightness_where_asked():
    loud = PLAIN.model_copy(update={"jitter_probability": 1.0})
    weak = films([0, 1])
    assert not torch.equal(labeled_student_films(weak, loud, "image").images, weak.images)
    quiet = loud.model_copy(update={"labeled_photometry": False})
    assert torch.equal(labeled_student_films(weak, quiet, "image").images, weak.images)


def text_loss(texts, targets):
    count = len(texts)
    vectors = torch.randn(2, count, 8, generator=torch.Generator().manual_seed(0))
    output = Output(torch.zeros(count, 1, 4, 4), vectors[0], vectors[1], torch.zeros(count, 6))
    method = RunConfig().method.model_copy(update={"itcl_targets": targets})
    return text_contrast(output, texts, method).item()


def test_clip_takes_the_place_of_itcl_and_differs_where_zones_overlap():
    apart, same = [describe("left"), describe("right")], [describe("left")] * 2
    assert text_loss(apart, "identity") == pytest.approx(text_loss(apart, "zones"))
    assert text_loss(same, "identity") != pytest.approx(text_loss(same, "zones"))


def test_texts_without_position_and_contradictions_leave_itcl_and_donors():
    texts = [describe("left"), NO_PLACE, CONTRADICTION, NEGATIVE]
    _, known = zones_of_texts(texts)
    assert known.tolist() == [True, False, False, True]
    assert text_loss([NO_PLACE, CONTRADICTION], "zones") == 0
    donor = (lesion(False), CONTRADICTION)
    refused = plan_patch(
        PatchDraw("probability", ((0.5, 0.5, 0.5),)), (lesion(True), describe("left")), donor,
        PLAIN, "image",
    )  # fmt: skip
    assert not refused.accepted


def test_two_negatives_agree_fully_and_a_patch_on_a_negative_gives_it_zones():
    similarity = zone_similarity(torch.zeros(2, 6), torch.ones(2, dtype=torch.bool))
    assert torch.equal(similarity, torch.ones(2, 2))
    empty = np.zeros((40, 40), np.float32)
    plan = plan_patch(
        PatchDraw("probability", ((0.5, 0.5, 0.5),)), (empty, NEGATIVE),
        (lesion(False), describe("right")), PLAIN, "image",
    )  # fmt: skip
    assert plan.accepted
    assert zones(plan.text) == {"Ru"}


def test_both_sides_share_a_side_with_either():
    same = (np.ones((40, 40), np.float32), describe("right"))
    plan = plan_patch(
        PatchDraw("position", ((0.5, 0.5, 0.5),)), (lesion(True), BOTH), same, PLAIN, "image"
    )
    assert plan.accepted
    assert np.nonzero(plan.blocks)[1].min() >= 20


def test_a_film_alone_in_its_batch_is_its_own_partner_and_stays_as_it_is():
    for views in (CUTMIX, PLAIN.model_copy(update={"patch_probability": 1.0, "patch_gate": 0.0})):
        for rule in ("zones", "conjunction"):
            weak, own = student_films([0])
            asked = views.model_copy(update={"patch_text": rule})
            mixed = patch_films(own, weak, asked, "image")
            assert torch.equal(mixed.images, own.images)
            assert mixed.texts == own.texts
            assert not mixed.plans[0].accepted


def test_equal_descriptions_have_a_finite_loss_and_gradient():
    zone = torch.ones(4, 6)
    known = torch.ones(4, dtype=torch.bool)
    vectors = torch.randn(4, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    itcl_loss(vectors, torch.ones(4, 8), zone_similarity(zone, known), known, 0.07).backward()
    assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize(
    "texts",
    [
        [NO_PLACE] * 3,
        [BOTH] * 3,
        [CONTRADICTION] * 3,
        [NEGATIVE] * 3,
        ["upper left lung, " * 60] * 3,
        [""] * 3,
        [describe("left")],
    ],
    ids=["no position", "both sides", "contradiction", "negative", "too long", "empty", "alone"],
)
def test_a_step_over_odd_texts_has_a_finite_loss_and_gradient(texts):
    config = tiny(preset("default"), views={"patch_probability": 1.0, "posaug_probability": 1.0})
    torch.manual_seed(0)
    network = build(config.network, collect_vocabulary(texts)).train()
    teacher = Teacher(network).network
    numbers = list(range(len(texts)))
    batch = films(numbers)
    batch = type(batch)(batch.keys, batch.images, batch.masks, tuple(texts))
    empty = type(batch)(batch.keys, batch.images * 0, None, tuple(texts))
    step = next(semi_medref_pieces(network, teacher, batch, empty, config, 1.0, "image"))
    step.total.backward()
    assert torch.isfinite(step.total)
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    assert all(torch.isfinite(grad).all() for grad in grads)


def test_a_text_that_contradicts_itself_teaches_no_pseudo_mask():
    config = tiny(preset("default"), views={"side_paste_probability": 0.0})
    torch.manual_seed(0)
    network = build(config.network, collect_vocabulary([CONTRADICTION])).eval()
    batch = films([0, 1])
    for text, silent in ((CONTRADICTION, True), (NO_PLACE, False)):
        blind = type(batch)(batch.keys, batch.images, None, (text, text))
        step = next(semi_medref_pieces(network, network, batch, blind, config, 1.0, "image"))
        assert (step.parts["loss_unlabeled"] == 0) == silent


def tiny(config: RunConfig, **sections) -> RunConfig:
    """A preset at tiny widths: what it says about method, views and kind of network stays."""
    content = config.model_dump(mode="json")
    kept = ("pointer", "zone_reading", "bridge", "name", "use_text")
    kind = {name: content["network"][name] for name in kept}
    content["network"] = {**TINY["network"], **kind, **sections.pop("network", {})}
    content["training"] |= {
        **TINY["training"],
        "steps": 2,
        "batch_labeled": 2,
        "batch_unlabeled": 2,
    }
    content["device"] = "cpu"
    for name, change in sections.items():
        content[name] |= change
    return RunConfig.parse(content)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("network", get_args(NetworkConfig.model_fields["name"].annotation))
@pytest.mark.parametrize("method", get_args(MethodConfig.model_fields["name"].annotation))
def test_every_network_trains_with_every_method_and_preset(
    name, network, method, snapshot, tmp_path, bert
):
    few = snapshot.model_copy(update={"gate": snapshot.gate[:1], "report": snapshot.report[:1]})
    frozen = name in ("paper", "release")
    text = {"text_encoder": "hf", "text_weights": bert} if frozen else {}
    deaf = {"lv_match": "zones"} if network == "u-net" else {}  # vectors of texts need an encoder
    changed = {"network": {"name": network, **text}, "method": {"name": method, **deaf}}
    config = tiny(preset(name), **changed)
    folder = RunFolder.create(tmp_path / "run", config, few)
    assert run(folder)
    told = [e for e in EventTail(folder.events_file).read_new() if e["kind"] == "progress"]
    assert all(np.isfinite(e["loss"]) for e in told)
    assert folder.read_scores()["steps"] == 2
    assert ("loss_unlabeled" in told[-1]) == (method != "supervised")


def test_papers_and_releases_views_are_those_of_the_tables():
    paper, release = preset("paper"), preset("release")
    assert paper.views.patch_block * 224 == pytest.approx(16, abs=0.1)
    assert paper.views.blur_sigma * 224 == pytest.approx(2, abs=0.01)
    assert (release.views.patch_probability, release.views.patch_position_share) == (0.08, 1.0)
    assert (release.method.dice_only, paper.method.dice_only) == (True, False)
    burn_in = burn_in_steps(release.training, release.method, unlabeled=1)
    halfway = learning_rate(release.training.steps - 1, burn_in, release.training)
    assert halfway == pytest.approx(1.5e-4, rel=0.01)
    last = learning_rate(paper.training.steps - 1, burn_in, paper.training)
    assert last == pytest.approx(1e-6, rel=0.02)
    assert not ViewsConfig().flip_probability


def test_reading_zones_back_needs_a_network_that_can():
    with pytest.raises(ConfigError, match="lambda_zones"):
        RunConfig.parse({"network": {"zone_reading": False}})
