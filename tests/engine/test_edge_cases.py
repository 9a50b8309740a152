"""What the method does at its edges: in whole runs, and in the parts that other tests do not reach."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from little_films import TINY, describe, films
from test_ablations import CONTRADICTION, NEGATIVE, student_films
from test_mixing import BOTH, NO_PLACE, PLAIN, lesion, zones

from training.config import MethodConfig, NetworkConfig, RunConfig, TrainingConfig, preset
from training.engine.blocks import PatchDraw
from training.engine.checkpoint import read_network
from training.engine.inputs import labeled_student_films, patch_films, unlabeled_student_films
from training.engine.loop import run
from training.engine.methods import semi_medref
from training.engine.methods.pseudo_masks import (
    least_mass,
    watch_pseudo_masks,
    weighed_targets,
)
from training.engine.methods.semi_medref import semi_medref_pieces
from training.engine.mixing import plan_patch, side_masks, side_text
from training.engine.networks import build, collect_vocabulary
from training.engine.networks.text import SmallTextEncoder, split_words
from training.engine.objectives import consistency_loss, itcl_loss, zone_similarity
from training.engine.pace import Pace
from training.engine.setup import make_fabric
from training.engine.streams import Key
from training.engine.words import are_negative, hide_positions
from training.errors import EngineError
from training.events import EventTail
from training.formats.phantom import phantom_snapshot
from training.phantom import PhantomConfig
from training.rundir import RunFolder
from training.snapshot import Snapshot

AMBIGUOUS = "Infection on one side, perhaps both."
LONG = "upper left lung and " * 40 + "lower right lung."


def told(folder: RunFolder, kind: str) -> list[dict]:
    return [event for event in EventTail(folder.events_file).read_new() if event["kind"] == kind]


@pytest.fixture
def talkative(monkeypatch):
    monkeypatch.setattr(Pace, "may_speak", lambda self: True)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    return phantom_snapshot(folder, PhantomConfig(size=64), 0, labeled=8, unlabeled=12)


def early_hard_targets(alarm: float) -> RunConfig:
    """The release's method and views on a tiny network: hard pseudo-masks after a twentieth of burn-in."""
    released = preset("release").model_dump(mode="json")
    content = {name: {**released[name]} for name in ("method", "views")}
    content["method"]["empty_alarm"] = alarm
    content["network"] = {**TINY["network"], "zone_reading": False, "pointer": False}
    training = {"steps": 24, "burn_in": 0.05, "batch_labeled": 4, "batch_unlabeled": 4}
    content["training"] = {**training, "evaluate_every": 24, "learning_rate": 3e-4}
    return RunConfig.parse({**content, "device": "cpu"})


def test_hard_early_targets_empty_the_pseudo_masks_raise_the_alarm_and_stop_the_consistency(
    tmp_path, phantoms, talkative
):
    folder = RunFolder.create(tmp_path / "run", early_hard_targets(0.5), phantoms)
    assert run(folder)
    progress = told(folder, "progress")
    (warning,) = told(folder, "warning")
    assert "empty" in warning["sentence"]
    before = [event for event in progress if "empty_fraction" in event]
    after = progress[progress.index(before[-1]) + 1 :]
    assert all(event["lambda_u"] > 0 for event in before)
    assert before[-1]["empty_fraction"] > 0.5
    assert after
    assert all(event["lambda_u"] == 0 and "loss_unlabeled" not in event for event in after)
    assert folder.read_scores()["steps"] == 24


def test_without_an_alarm_the_same_run_goes_on_and_only_tells(tmp_path, phantoms, talkative):
    folder = RunFolder.create(tmp_path / "run", early_hard_targets(1.0), phantoms)
    assert run(folder)
    assert not told(folder, "warning")
    assert told(folder, "progress")[-1]["lambda_u"] > 0
    assert told(folder, "progress")[-1]["empty_fraction"] > 0.5


def test_the_empty_rate_is_of_positive_descriptions_at_the_threshold_of_the_targets():
    maps = torch.full((4, 1, 8, 8), 0.52)
    texts = (describe("left"), BOTH, NEGATIVE, NO_PLACE)
    assert watch_pseudo_masks(maps, texts, 1.0, 0.5)["empty_fraction"] == 0
    assert watch_pseudo_masks(maps, texts, 1.0, 0.55)["empty_fraction"] == 1
    maps[0] = 0.9
    assert watch_pseudo_masks(maps, texts, 1.0, 0.55)["empty_fraction"] == 0.5
    assert watch_pseudo_masks(maps[:2], (NEGATIVE, NO_PLACE), 1.0, 0.6)["empty_fraction"] == 0


def step_total(inside: bool, lambda_u: float, lambda_itcl: float) -> float:
    method = {"itcl_u_inside_ramp": inside, "lambda_unlabeled_itcl": lambda_itcl}
    config = RunConfig.parse({"network": TINY["network"], "method": method})
    texts = (describe("left"), describe("right"), BOTH)
    torch.manual_seed(0)
    network = build(config.network, collect_vocabulary(texts)).eval()
    labeled = films([0, 1, 2])
    unlabeled = type(labeled)(labeled.keys, labeled.images, None, texts)
    step = semi_medref_pieces(network, network, labeled, unlabeled, config, lambda_u, "image")
    return next(step).total.item()


def test_itcl_of_the_unlabeled_pool_stands_inside_or_outside_the_ramp():
    for inside, shrinks in ((True, 0.25), (False, 1.0)):
        at_full = step_total(inside, 1.0, 0.5) - step_total(inside, 1.0, 0.0)
        early = step_total(inside, 0.25, 0.5) - step_total(inside, 0.25, 0.0)
        assert at_full > 1e-3
        assert early == pytest.approx(shrinks * at_full, rel=1e-3)
    assert RunConfig().method.itcl_u_inside_ramp


@pytest.mark.parametrize("rule", ["zones", "conjunction", "replace"])
def test_no_position_means_probability_mode_alone_and_no_edit_under_every_rule(rule):
    views = PLAIN.model_copy(update={"patch_text": rule})
    donor = (lesion(False), describe("right"))
    for text in (NO_PLACE, AMBIGUOUS, ""):
        own = (lesion(True), text)
        by_position = PatchDraw("position", ((0.5, 0.5, 0.5),))
        assert not plan_patch(by_position, own, donor, views, "image").accepted
        by_probability = PatchDraw("probability", ((0.5, 0.5, 0.5),))
        plan = plan_patch(by_probability, own, donor, views, "image")
        assert plan.accepted
        assert plan.text == text
        assert hide_positions(text, Key(0, "a").stream("posaug"), 1.0, 0.5)[0] == text


def test_itcl_gives_rows_and_columns_without_a_position_neither_gradient_nor_influence():
    generator = torch.Generator().manual_seed(0)
    images, texts = (torch.randn(4, 8, generator=generator).requires_grad_() for _ in "ab")
    known = torch.tensor([True, True, False, True])
    similarity = zone_similarity(torch.eye(6)[:4], known)
    assert not similarity[2].any()
    assert not similarity[:, 2].any()
    loss = itcl_loss(images, texts, similarity, known, 0.07)
    loss.backward()
    for vectors in (images, texts):
        assert not vectors.grad[2].any()
        assert vectors.grad[known].abs().sum(1).min() > 0
    other = images.detach().clone()
    other[2] = 100.0
    assert itcl_loss(other, texts, similarity, known, 0.07).item() == pytest.approx(loss.item())


def test_a_negative_film_is_never_a_donor_of_patches_and_its_target_is_empty():
    assert are_negative([NEGATIVE, describe("left"), NO_PLACE, CONTRADICTION, ""]).tolist() == [
        True, False, False, False, False,
    ]  # fmt: skip
    hallucinated = (lesion(False), NEGATIVE)
    for mode in ("position", "probability"):
        draw = PatchDraw(mode, ((0.5, 0.5, 0.5),))
        plan = plan_patch(draw, (lesion(True), describe("left")), hallucinated, PLAIN, "image")
        assert not plan.accepted


@pytest.mark.parametrize("kind", ["soft", "hard", "banded"])
def test_what_the_teacher_imagines_in_a_film_without_lesions_is_not_taught_when_a_side_is_mixed_in(
    kind, monkeypatch
):
    views = PLAIN.model_copy(update={"side_paste_probability": 1.0, "patch_probability": 0.0})
    config = RunConfig.parse(
        {"network": TINY["network"], "method": {"targets": kind}, "views": views.model_dump()}
    )
    labeled, unlabeled = films([0, 1, 2, 3]), films([8, 9, 10, 11, 12, 13])
    unlabeled = type(unlabeled)(unlabeled.keys, unlabeled.images, None, (NEGATIVE,) * 6)
    network = build(config.network, collect_vocabulary((*labeled.texts, NEGATIVE))).eval()

    def imagining(images, texts):
        return network(images, texts)._replace(logits=torch.full_like(images, 2.0))

    taught = []

    def note(*asked):
        taught.append(weighed_targets(*asked))
        return taught[-1]

    mixed = []

    def watched(*asked):
        mixed.append(unlabeled_student_films(*asked))
        return mixed[-1]

    monkeypatch.setattr(semi_medref, "weighed_targets", note)
    monkeypatch.setattr(semi_medref, "unlabeled_student_films", watched)
    next(semi_medref_pieces(network, imagining, labeled, unlabeled, config, 1.0, "image"))
    (pseudo,), (shown,) = taught, mixed
    pasted = side_masks(shown.sides, *shown.images.shape[2:])
    named = [number for number, text in enumerate(shown.full_texts) if text != NEGATIVE]
    assert named  # their words deny nothing any more
    for number in named:
        assert pasted[number].any()
        own = pseudo.targets[number][~pasted[number]]
        assert not own.any()
    assert any(pseudo.targets[number][pasted[number]].any() for number in named)


@pytest.mark.parametrize("kind", ["soft", "hard", "banded"])
def test_an_empty_pseudo_mask_teaches_background_only_where_the_settings_want_it(kind):
    logits = torch.full((1, 1, 32, 32), 0.5, requires_grad=True)
    maps, texts = torch.full((1, 1, 32, 32), 1e-4), (describe("left"),)
    pushed = {}
    for skip in (True, False):
        method = MethodConfig(targets=kind, skip_empty=skip, dice_only=True)
        least, taught = least_mass(maps, method)
        assert least == pytest.approx(5e-4 * 32 * 32)
        pseudo = weighed_targets(maps, texts, texts, method, taught)
        loss = consistency_loss(logits, pseudo, method.dice_only, taught)
        (pushed[skip],) = torch.autograd.grad(loss, logits)
    assert not pushed[True].any()
    assert (pushed[False] > 0).all()  # down, to background
    assert preset("default").method.skip_empty
    assert not preset("release").method.skip_empty


def test_a_contradiction_gives_no_patches_and_no_sides_and_takes_no_sides():
    views = PLAIN.model_copy(update={"side_mix_probability": 1.0, "side_paste_probability": 1.0})
    views = views.model_copy(update={"patch_probability": 1.0, "patch_gate": 0.0})
    assert side_text(CONTRADICTION, describe("left"), "left", "image") is None
    assert side_text(describe("left"), CONTRADICTION, "left", "image") is None
    weak = films([0, 1])
    contradicting = type(weak)(weak.keys, weak.images, weak.masks, (CONTRADICTION,) * 2)
    labeled = labeled_student_films(contradicting, views, "image")
    assert torch.equal(labeled.images, weak.images)
    assert labeled.texts == (CONTRADICTION,) * 2
    mixed = unlabeled_student_films(weak, weak.masks, labeled, views.model_copy(
        update={"patch_probability": 0.0}), "image")  # fmt: skip
    assert torch.equal(mixed.images, weak.images)
    _, own = student_films([0, 1])
    own = type(own)(own.images, own.targets, (CONTRADICTION,) * 2, (CONTRADICTION,) * 2)
    assert not any(plan.accepted for plan in patch_films(own, weak, views, "image").plans)


def test_posaug_at_one_half_hides_half_of_the_phrases_each_on_its_own_and_half_of_these_vaguely():
    drawn = [
        hide_positions(BOTH, Key(0, f"film {n}").stream("posaug"), 0.5, 0.5) for n in range(2000)
    ]
    actions = np.array([actions for _, actions in drawn])
    hidden = actions != "keep"
    assert hidden.mean(0) == pytest.approx([0.5, 0.5], abs=0.04)
    assert (hidden[:, 0] & hidden[:, 1]).mean() == pytest.approx(0.25, abs=0.03)
    assert (actions[hidden] == "fuzz").mean() == pytest.approx(0.5, abs=0.04)
    for text, done in drawn[:200]:
        kept = {zone for zone, action in zip(("Lu", "Rl"), done, strict=True) if action == "keep"}
        assert zones(text) == kept
        assert ("[UNK_POS]" in text) <= ("drop" in done)


def test_posaug_in_the_trainer_follows_its_probability_and_spares_the_labeled_words():
    views = PLAIN.model_copy(update={"posaug_probability": 0.5})
    weak = films(list(range(200)))
    labeled = labeled_student_films(films([300, 301]), views, "image")
    mixed = unlabeled_student_films(weak, weak.masks, labeled, views, "image")
    changed = [text != full for text, full in zip(mixed.texts, mixed.full_texts, strict=True)]
    assert np.mean(changed) == pytest.approx(0.5, abs=0.12)
    assert mixed.full_texts == weak.texts
    assert labeled.texts == films([300, 301]).texts


def test_a_description_longer_than_the_limit_loses_its_end_and_nothing_else():
    encoder = SmallTextEncoder(collect_vocabulary([LONG]), 16, 1, 2, max_tokens=12).eval()
    assert len(encoder.number_words(LONG)) == 12
    short = " ".join(split_words(LONG)[:12])
    one, two = (encoder([text])[0] for text in (LONG, short))
    assert one.shape == (1, 12, 16)
    assert torch.allclose(one, two)


def with_texts(snapshot: Snapshot, text: str) -> Snapshot:
    pools = {
        name: tuple(
            case.model_copy(update={"description": text}) for case in getattr(snapshot, name)
        )
        for name in ("labeled", "unlabeled", "gate", "report")
    }
    return snapshot.model_copy(update=pools)


@pytest.mark.parametrize(
    "text",
    [BOTH, LONG, CONTRADICTION, NO_PLACE, NEGATIVE, ""],
    ids=["all equal", "too long", "contradiction", "no position", "negative", "empty"],
)
def test_a_whole_run_survives_one_odd_text_for_all_cases(text, snapshot, make_run, talkative):
    views = {"posaug_probability": 0.5, "patch_probability": 1.0, "flip_probability": 0.5}
    training = {"steps": 4, "burn_in": 0.25, "evaluate_every": 4}
    folder = make_run("odd", with_texts(snapshot, text), views=views, training=training)
    assert run(folder)
    assert all(np.isfinite(event["loss"]) for event in told(folder, "progress"))
    assert len(folder.read_predictions_index()) == 6


@pytest.mark.parametrize("network", ["mmi-unet", "guide-decoder", "lvit-t", "u-net"])
def test_every_kind_of_network_trains_with_a_labeled_pool_and_batches_of_one(
    network, snapshot, make_run
):
    assert network in str(NetworkConfig.model_fields["name"].annotation)
    single = snapshot.model_copy(update={"labeled": snapshot.labeled[:1]})
    training = {"steps": 3, "burn_in": 0.3, "batch_labeled": 1, "batch_unlabeled": 1}
    sizes = {"name": network, "widths": [8, 8, 8, 8]}
    folder = make_run("one", single, network=sizes, training={**training, "evaluate_every": 3})
    assert run(folder)
    assert read_network(folder.best) is not None


def test_a_gpu_that_is_not_there_is_named_without_a_librarys_words():
    there = torch.cuda.device_count()
    with pytest.raises(EngineError, match=rf"that torch finds: {there}\): choose auto"):
        make_fabric("cuda:99", TrainingConfig())
    for odd in ("cuda:x", "cuda:0,1", "gpu"):
        with pytest.raises(EngineError, match=f"The device {odd} cannot be used here"):
            make_fabric(odd, TrainingConfig())
