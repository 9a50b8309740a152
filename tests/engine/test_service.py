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
from training.engine.data import shrink_image
from training.engine.inputs import Films, StudentFilms, patch_films, strong_images, weak_views
from training.engine.loop import run
from training.engine.service import answer_all
from training.engine.streams import Key
from training.pool import rounds
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
    refused = patch_films(StudentFilms(strong, targets, weak.texts, ()), keys, views, "image")
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
    assert set(reply["draws"]) == {"weak", "strong", "patch", "posaug"}
    assert all(sentence.endswith(".") for sentence in reply["words"])
    assert set(arrays) == {"weak", "strong", "mixed", "mixed_mask", "block_mask"}
    assert {arrays[name].shape for name in arrays} == {(32, 32)}
    assert set(np.unique(arrays["mixed_mask"])) <= {0, 1}


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
    ]
    replies = list(answer_all(lines, answers))
    assert [reply["id"] for reply in replies] == [None, None, 4, 5, 6, 7, 8]
    assert [reply["ok"] for reply in replies] == [False] * 6 + [True]
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
