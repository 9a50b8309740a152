from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from little_films import tiny_config
from made import small_project

from training.config import ViewsConfig
from training.engine.answers import NO_TEACHER, Answers
from training.engine.data import load_films, shrink_image, shrink_mask
from training.engine.films import Films, StudentFilms
from training.engine.inputs import (
    labeled_student_films,
    patch_films,
    strong_images,
    unlabeled_student_films,
    weak_views,
)
from training.engine.loop import run
from training.engine.meeting import Meetings
from training.engine.methods.semi_medref import teacher_probabilities
from training.engine.networks.text import FrozenBert, NoWords, words_read
from training.engine.predict import Predictor
from training.engine.prior import ZonePrior
from training.engine.service import answer_all
from training.engine.streams import Key
from training.engine.views import draw_weak
from training.engine.words import finding_of
from training.next_round import next_config, save_next_config
from training.pool import rounds
from training.pool.pairs import report_pair, withdraw_pair
from training.round import freeze
from training.rundir import RunFolder
from training.snapshot import Snapshot, SnapshotCase

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    torch.set_num_threads(1)
    return small_project(tmp_path_factory.mktemp("service") / "project")


def as_snapshot(project) -> Snapshot:
    pools: dict[str, list[SnapshotCase]] = {}
    for case in project.cases():
        known = SnapshotCase(
            case_id=case.id,
            patient=case.patient,
            image=case.image,
            description=case.description,
            mask=case.mask if case.pool != "unlabeled" else None,
        )
        pools.setdefault(case.pool, []).append(known)
    return Snapshot(root=str(project.folder), **{name: tuple(c) for name, c in pools.items()})


def promote(project, name="first") -> str:
    path = project.folder / "runs" / name
    training = {"steps": 4, "evaluate_every": 4}
    folder = RunFolder.create(path, tiny_config(training=training), as_snapshot(project))
    run(folder)
    registered = rounds.register_run(project, path, labeled=4, unlabeled=6)
    model = rounds.keep_model(project, registered, folder.best, folder.read_scores())
    rounds.import_predictions(project, model, folder)
    return model.id


@pytest.fixture(scope="module")
def teacher(project):
    return promote(project)


@pytest.fixture
def ask(project, teacher, tmp_path):
    answers = Answers(project, tmp_path, CPU)

    def ask(**request):
        (reply,) = answer_all([json.dumps({"id": 1, **request})], answers)
        arrays = {}
        if reply.get("arrays"):
            with np.load(tmp_path / reply["arrays"]) as stored:
                arrays = dict(stored)
        return reply, arrays

    return ask


def test_before_the_first_round_there_is_no_teacher_but_there_are_views(tmp_path):
    young = small_project(tmp_path / "young")
    answers = Answers(young, tmp_path, CPU)
    lines = [
        json.dumps({"id": 1, "do": "predict", "case": "case_000", "description": "x"}),
        json.dumps({"id": 2, "do": "reload"}),
        json.dumps(
            {"id": 3, "do": "views", "case": "case_000", "partner": None, "description": "x"}
        ),
    ]
    predict, reload, views = answer_all(lines, answers)
    assert predict == {"id": 1, "ok": False, "error": NO_TEACHER}
    assert (reload["ok"], reload["model"]) == (True, None)
    assert views["ok"], views


def test_a_prediction_is_the_promoted_teachers_at_its_resolution(ask, project, teacher):
    case = project.case("case_005")
    reply, arrays = ask(do="predict", case=case.id, description=case.description)
    assert reply["ok"]
    assert reply["model"] == teacher
    assert reply["milliseconds"] > 0
    assert arrays["probability"].shape == arrays["entropy"].shape == (32, 32)
    assert arrays["probability"].dtype == np.float32
    assert 0 <= arrays["probability"].min() <= arrays["probability"].max() <= 1
    _, stored = rounds.read_proposal(project, case.id)
    assert np.abs(stored - arrays["probability"]).max() <= 1 / 255 + 1e-4


def test_the_prediction_follows_the_words(ask):
    words = ("lower left lung", "upper right lung")
    left, right = (ask(do="predict", case="case_004", description=w)[1] for w in words)
    assert not np.allclose(left["probability"], right["probability"], atol=1e-4)


def test_a_prediction_brings_what_the_student_and_other_words_would_make_of_it(ask):
    words = "Unilateral pulmonary infection, one infected area, lower left lung."
    swapped = words.replace("left", "right")
    also = ["student", "wordless", "mirrored"]
    reply, arrays = ask(do="predict", case="case_004", description=words, also=also)
    assert reply["ok"], reply
    assert set(arrays) == {"probability", "entropy", *also}
    for name, text in (("wordless", ""), ("mirrored", swapped)):
        alone = ask(do="predict", case="case_004", description=text)[1]["probability"]
        assert np.allclose(arrays[name], alone, atol=1e-5)
    plain = ask(do="predict", case="case_004", description=words)[1]
    assert set(plain) == {"probability", "entropy"}
    assert np.allclose(arrays["probability"], plain["probability"], atol=1e-5)
    assert not np.allclose(arrays["student"], arrays["probability"], atol=1e-6)


def test_a_prediction_refuses_names_it_does_not_know(ask):
    for also in (["grandmother"], "student"):
        reply, _ = ask(do="predict", case="case_004", description="x", also=also)
        assert not reply["ok"]
        assert "also" in reply["error"] or "grandmother" in reply["error"]


def test_the_views_are_those_that_training_would_see(ask, project):
    pair = ("case_004", "case_001")
    texts = [project.case(name).description for name in pair]
    request = {"case": pair[0], "partner": pair[1], "description": texts[0], "seed": 3, "epoch": 2}
    reply, arrays = ask(do="views", **request)
    assert reply["partner"] == pair[1]

    views = ViewsConfig(patch_probability=1.0)
    pictures = [shrink_image(project.read_image(name), 32) for name in pair]
    images = torch.from_numpy(np.stack(pictures))[:, None].float() / 255
    keys = tuple(Key(3, name, 2) for name in pair)
    weak = weak_views(Films(keys, images, None, tuple(texts)), views)
    strong = strong_images(weak, views)
    assert np.array_equal(arrays["weak"], weak.images[0, 0].numpy())
    assert np.array_equal(arrays["strong"], strong[0, 0].numpy())
    inside = arrays["block_mask"].astype(bool)
    assert np.array_equal(arrays["mixed"][inside], strong[1, 0].numpy()[inside])
    assert np.array_equal(arrays["mixed"][~inside], strong[0, 0].numpy()[~inside])
    targets = torch.zeros(2, 1, 32, 32)
    refused = patch_films(StudentFilms(strong, targets, weak.texts, ()), weak, views, "image")
    assert not refused.plans[0].accepted  # The service knows of lesions that zeros do not show.


def test_the_same_request_gives_the_same_views_and_another_seed_others(ask):
    request = {"do": "views", "case": "case_004", "partner": None, "description": "lower left lung"}
    one, other, third = ask(**request)[1], ask(**request)[1], ask(**request, seed=1)[1]
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not np.array_equal(one["strong"], third["strong"])


def test_views_are_told_in_words_with_texts_and_edits(ask):
    hide = {"posaug_probability": 1.0, "posaug_fuzz_share": 0.0}
    text = "Unilateral pulmonary infection, one infected area, lower left lung."
    reply, arrays = ask(
        do="views", case="case_004", partner="case_001", description=text, views=hide
    )
    assert "[UNK_POS]" in reply["texts"]["posaug"]
    assert {edit["kind"] for edit in reply["edits"]["posaug"]} >= {"drop"}
    assert set(reply["draws"]) >= {"weak", "strong", "patch", "posaug", "side", "mirrored"}
    assert all(sentence.endswith(".") for sentence in reply["words"])
    assert set(arrays) == {
        "weak", "strong", "mixed", "mixed_mask", "block_mask", "tried_mask",
        "student", "student_mask", "side_mask",
    }  # fmt: skip
    assert {arrays[name].shape for name in arrays} == {(32, 32)}
    assert set(np.unique(arrays["mixed_mask"])) <= {0, 1}


LOUD = {"flip_probability": 1.0, "side_paste_probability": 1.0, "side_mix_probability": 1.0}
LEFT_TEXT = "Unilateral pulmonary infection, one infected area, lower left lung."


def weak_of(project, names, views, epoch=0):
    """Weak views of cases as the trainer makes them, with the masks of those that have one."""
    pictures = [shrink_image(project.read_image(name), 32) for name in names]
    masks = [project.read_reference_mask(name) for name in names]
    small = [np.zeros((32, 32)) if mask is None else shrink_mask(mask, 32) for mask in masks]
    images = torch.from_numpy(np.stack(pictures))[:, None].float() / 255
    texts = tuple(project.case(name).description for name in names)
    keys = tuple(Key(0, name, epoch) for name in names)
    lesions = torch.from_numpy(np.stack(small))[:, None].float()
    return weak_views(Films(keys, images, lesions, texts), views)


def test_the_students_view_is_the_trainers_with_side_mirror_and_changed_words(
    ask, project, teacher
):
    views = ViewsConfig(**LOUD, text_change="textstrong")
    pair = weak_of(project, ("case_004", "case_001"), views)
    network = Predictor.load(rounds.serving_model(project).folder, CPU).network
    films = load_films(project.folder, freeze(project).labeled, 32, pytest.fail, need_masks=True)
    prior = ZonePrior.from_films(films, next_config(project).method.zone_prior)
    draws = [draw_weak(key, views) for key in pair.keys]
    seen = prior.apply(teacher_probabilities(network, pair), pair.texts, draws)
    probabilities = torch.cat([seen[:1], pair.masks[1:]])
    donor = labeled_student_films(weak_of(project, ("case_001",), views), views, "image")
    expected = unlabeled_student_films(pair, probabilities, donor, views, "image")
    reply, arrays = ask(
        do="views", case="case_004", partner="case_001", description=pair.texts[0],
        views={**LOUD, "text_change": "textstrong"},
    )  # fmt: skip
    assert reply["donor"] == "case_001"
    assert np.array_equal(arrays["student"], expected.images[0, 0].numpy())
    assert np.array_equal(arrays["student_mask"], (expected.targets[0, 0] >= 0.5).numpy())
    assert reply["texts"]["student"] == expected.texts[0]
    assert reply["texts"]["student_full"] == expected.full_texts[0]
    assert reply["draws"]["mirrored"] is True
    assert reply["draws"]["text_change"] == "textstrong"
    half = reply["draws"]["side"]
    assert half in ("left", "right", None)
    # Mirrored, a side taken from the left lies on the right.
    columns = np.nonzero(arrays["side_mask"].any(0))[0].tolist()
    assert columns == (
        [] if half is None else list(range(16)) if half == "right" else list(range(16, 32))
    )
    if half is not None:
        inside = arrays["side_mask"].astype(bool)
        assert np.array_equal(arrays["student"][inside], donor.images[0, 0].flip(1).numpy()[inside])
    assert any("mirrored" in sentence for sentence in reply["words"])


def test_over_epochs_sides_are_pasted_and_told_and_words_follow(ask):
    halves = set()
    for epoch in range(12):
        reply, arrays = ask(
            do="views", case="case_004", partner="case_001", description=LEFT_TEXT, epoch=epoch,
            views={"side_paste_probability": 1.0, "patch_probability": 0.0, "posaug_probability": 0.0},
        )  # fmt: skip
        half = reply["draws"]["side"]
        halves.add(half)
        assert any("pasted in" in sentence for sentence in reply["words"]) == (half is not None)
        assert bool(arrays["side_mask"].any()) == (half is not None)
        # The partner's lesion is on the right: its left half would leave no zone to name.
        named = {"Ll", "Ru"} if half == "right" else {"Ll"}
        assert finding_of(reply["texts"]["student"]).zones == named
    assert halves == {None, "right"}


def test_a_labeled_case_is_also_shown_as_the_labeled_pool_sees_it(ask, project):
    views = ViewsConfig(side_mix_probability=1.0)
    halves = set()
    for epoch in range(6):
        reply, arrays = ask(
            do="views", case="case_000", partner="case_001", epoch=epoch,
            description=project.case("case_000").description,
            views={"side_mix_probability": 1.0},
        )  # fmt: skip
        pair = weak_of(project, ("case_000", "case_001"), views, epoch)
        expected = labeled_student_films(pair, views, "image")
        assert np.array_equal(arrays["labeled"], expected.images[0, 0].numpy())
        assert np.array_equal(arrays["labeled_mask"], expected.targets[0, 0].numpy())
        assert reply["texts"]["labeled"] == expected.texts[0]
        halves.add(reply["draws"]["labeled_side"])
    assert "right" in halves


def test_without_a_request_the_views_follow_the_projects_next_round(ask, project):
    request = {"do": "views", "case": "case_004", "partner": "case_001", "description": LEFT_TEXT}
    assert ask(**request)[0]["draws"]["mirrored"] is False
    config = next_config(project)
    loud = config.views.model_copy(update={"flip_probability": 1.0, "text_change": "textstrong"})
    save_next_config(project, config.model_copy(update={"views": loud}))
    reply, _ = ask(**request)
    save_next_config(project, config)
    assert reply["draws"]["mirrored"] is True
    assert reply["draws"]["text_change"] == "textstrong"
    assert finding_of(reply["texts"]["student_full"]).zones >= {"Rl"}


def test_wrong_requests_get_a_sentence_and_the_service_goes_on(ask, project, teacher, tmp_path):
    answers = Answers(project, tmp_path, CPU)
    lines = [
        "no json\n",
        "\n",
        '{"do": "predict"}',
        '{"id": 4, "do": "dance"}',
        '{"id": 5, "do": "predict", "case": "case_000"}',
        '{"id": 6, "do": "predict", "case": "nobody", "description": "x"}',
        '{"id": 7, "do": "views", "case": "case_000", "description": "x", "views": {"shift": 9}}',
        '{"id": 8, "do": "reload"}',
        '{"id": 9, "do": "warm"}',
    ]
    replies = list(answer_all(lines, answers))
    assert [reply["id"] for reply in replies] == [None, None, 4, 5, 6, 7, 8, 9]
    assert [reply["ok"] for reply in replies] == [False] * 6 + [True] * 2
    assert replies[-1]["model"] == replies[-2]["model"] is not None
    assert "dance" in replies[2]["error"]
    assert "description" in replies[3]["error"]
    assert "nobody" in replies[4]["error"]
    assert "shift" in replies[5]["error"]


def test_the_process_speaks_json_lines_and_ends_with_its_input(project, teacher, tmp_path):
    command = [sys.executable, "-m", "training", "serve", str(project.folder)]
    requests = [
        {"id": 7, "do": "predict", "case": "case_000", "description": "lower left lung"},
        {"id": 8, "do": "reload"},
    ]
    done = subprocess.run(
        [*command, "--exchange", str(tmp_path / "new"), "--device", "cpu"],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(reply["id"], reply["ok"]) for reply in replies] == [(7, True), (8, True)]
    assert (tmp_path / "new" / "7.npz").is_file()


GATED = {"patch_gate": 0.6, "patch_position_share": 0.0, "patch_block": 0.2}
MIX = {"case": "case_004", "partner": "case_001", "description": LEFT_TEXT}


def test_the_next_mix_is_the_first_one_behind_the_epoch_that_the_gate_accepts(ask):
    def accepted(epoch):
        reply, arrays = ask(do="views", **MIX, epoch=epoch, views=GATED)
        gate = reply["gate"]
        assert gate["accepted"] == bool(arrays["block_mask"].any())
        assert arrays["tried_mask"].any()  # refused blocks are told, too
        assert gate["threshold"] == 0.6
        assert gate["accepted"] == (gate["value"] >= 0.6) or "name no zone" in gate["sentence"]
        return gate["accepted"]

    fates = [accepted(epoch) for epoch in range(12)]
    assert set(fates) == {True, False}
    for start in range(6):
        reply, _ = ask(do="next_mix", **MIX, epoch=start, views=GATED, most=6)
        first = next((e for e in range(start + 1, start + 7) if fates[e]), None)
        assert reply["found"] == first
        assert reply["epoch"] == (start + 6 if first is None else first)


def test_a_search_ends_after_so_many_epochs_and_tells_the_last_refusal(ask):
    reply, _ = ask(do="next_mix", **MIX, epoch=3, views={**GATED, "patch_gate": 1.0}, most=5)
    assert (reply["found"], reply["epoch"]) == (None, 8)
    assert reply["sentence"].startswith("Refused: the partner's lesion fills")
    for most in (0, 65, "all"):
        assert "most" in ask(do="next_mix", **MIX, most=most)[0]["error"]


def test_the_partner_is_drawn_as_the_next_round_would(ask, project):
    frozen = freeze(project)
    labeled, unlabeled = (
        [case.case_id for case in pool] for pool in (frozen.labeled, frozen.unlabeled)
    )
    meetings = Meetings(labeled, unlabeled, next_config(project))
    partners = set()
    for case in ("case_005", "case_000"):
        for epoch in range(4):
            reply, _ = ask(
                do="views", case=case, partner=None, description=LEFT_TEXT, seed=3, epoch=epoch
            )
            met = meetings.of(Key(3, case, epoch))
            assert reply["partner"] == met.partner.case_id
            assert reply["donor"] == met.donors[0].case_id
            assert reply["step"] == met.step
            # Only what waits for the end of burn-in may come later.
            assert reply["later"] == met.later == (case in unlabeled)
            partners.add(reply["partner"])
    assert len(partners) > 2


def test_a_pair_called_nonsense_is_refused_in_the_preview_as_in_training(ask, project):
    views = {**GATED, "patch_gate": 0.05, "side_paste_probability": 1.0}
    texts = set()
    assert ask(do="next_mix", **MIX, views=views, most=8)[0]["found"] is not None
    report_pair(project, "case_001", "case_004", "Ada")
    for epoch in range(8):
        reply, arrays = ask(do="views", **MIX, epoch=epoch, views=views)
        assert reply["gate"]["sentence"] == "Refused: a reader called this pair nonsense."
        assert not reply["gate"]["accepted"]
        assert arrays["tried_mask"].any()
        assert not arrays["block_mask"].any()
        assert not arrays["side_mask"].any()
        texts |= set(reply["words"])
    assert "A half of a labeled film: refused: a reader called this pair nonsense." in texts
    assert ask(do="next_mix", **MIX, views=views, most=8)[0]["found"] is None
    withdraw_pair(project, "case_004", "case_001", "Ada")
    assert ask(do="next_mix", **MIX, views=views, most=8)[0]["found"] is not None


def test_the_service_tells_how_many_words_of_a_long_description_are_read(ask):
    assert ask(do="words", description=LEFT_TEXT)[0]["read"] is None
    long = "lung, " * 40  # two tokens each; 48 are read
    assert ask(do="words", description=long)[0]["read"] == 24


def test_words_of_a_pretrained_encoder_are_counted_by_its_own_tokens(bert):
    encoder = FrozenBert(bert, 8, 0.0)
    words = ["lower", "upper", "left", "right", "lung", "lower", "upper"]
    assert words_read(encoder, " ".join(words[:6])) is None
    assert words_read(encoder, " ".join(words)) == 6
    assert len(encoder.token_numbers(" ".join(words))) == 8  # six words and both ends
    assert words_read(NoWords(()), "lung " * 500) is None
