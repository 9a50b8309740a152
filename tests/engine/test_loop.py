from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from little_films import same
from PIL import Image
from safetensors.torch import load_file
from transformers import ConvNextConfig, ConvNextModel

from training.engine import loop
from training.engine.checkpoint import ROLES, read_network
from training.engine.loop import run
from training.engine.objectives import segmentation_loss
from training.engine.pace import Pace
from training.engine.schedules import burn_in_steps, ema_decay, learning_rate, unlabeled_weight
from training.engine.setup import prepare
from training.errors import EngineError, RunFolderError
from training.events import EventTail, EventWriter, RunStatus, fold


def events(folder):
    return EventTail(folder.events_file).read_new()


def losses(folder):
    """Loss of every step; a step told twice keeps the later one."""
    told = (e for e in events(folder) if e["kind"] == "progress")
    return {e["step"]: e["loss"] for e in told}


@pytest.fixture(autouse=True)
def talkative(monkeypatch):
    monkeypatch.setattr(Pace, "may_speak", lambda self: True)


def test_a_round_leaves_everything_the_architecture_promises(make_run):
    folder = make_run()
    assert run(folder)
    status = RunStatus()
    for event in events(folder):
        status = fold(status, event)
    assert status.state == "finished"
    assert (status.step, status.labeled, status.unlabeled) == (12, 6, 6)
    assert (status.pid, status.device) == (os.getpid(), "cpu")
    assert status.predictions_done == status.predictions_total == 6
    phases = [e["name"] for e in events(folder) if e["kind"] == "phase"]
    assert phases == ["burn-in", "semi-supervised", "evaluation", "prediction"]
    assert {(e.half, e.role) for e in status.evaluations} == {
        (half, role) for half in ("gate", "report") for role in ("student", "teacher")
    }
    scores = folder.read_scores()
    assert scores["steps"] == 12
    assert set(scores["report"]["teacher"]) == {
        "dice_global", "dice_per_image", "iou_global", "iou_per_image",
    }  # fmt: skip
    assert set(scores["report_errors"]) == {
        "hd95_median",
        "hd95_images",
        "one_empty",
        "zone_recall",
    }
    assert set(scores["gate_cases"]) == {case.case_id for case in folder.read_snapshot().gate}
    index = folder.read_predictions_index()
    for case in folder.read_snapshot().unlabeled:
        with Image.open(folder.predictions / f"{case.case_id}.png") as picture:
            assert picture.size == (32, 32)
            assert picture.mode == "L"
        assert 0 <= index[case.case_id]["entropy"] <= np.log(2)
        assert 0 <= index[case.case_id]["foreground"] <= 1
    assert {p.suffix for p in folder.best.iterdir()} == {".json", ".safetensors"}


def test_seconds_left_are_told_once_measured_and_progress_names_its_parts(make_run):
    folder = make_run()
    run(folder)
    told = [e for e in events(folder) if e["kind"] == "progress"]
    # The first step warms up: nothing is promised from it.
    assert "seconds_left" not in told[0]
    assert all(e["seconds_left"] >= 0 for e in told[1:])
    semi = told[-1]
    assert {
        "loss",
        "loss_labeled",
        "loss_unlabeled",
        "loss_itcl",
        "lr",
        "lambda_u",
        "ema_decay",
    } <= set(semi)
    assert {"confident_fraction", "empty_fraction", "mix_accepted", "steps_per_second"} <= set(semi)


def test_a_killed_and_resumed_run_tells_the_same_losses_as_an_uninterrupted_one(make_run):
    whole, broken = make_run("whole"), make_run("broken")
    run(whole)
    original, calls = loop.one_step, []

    def dying(this, burn_in):
        calls.append(this.counters.step)
        if this.counters.step == 5 and len(calls) == 6:
            this.save()
        if len(calls) == 9:
            raise KeyboardInterrupt  # As sudden as a kill: nothing after it is written.
        return original(this, burn_in)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "one_step", dying)
        with pytest.raises(KeyboardInterrupt):
            run(broken)
    assert run(broken)
    resumed = [e["resumed_at"] for e in events(broken) if e["kind"] == "started"]
    assert resumed == [0, 5]
    assert losses(broken) == losses(whole)
    for role in ROLES:
        early = read_network(whole.best, role).state_dict()
        ours, theirs = (read_network(f.last, role).state_dict() for f in (broken, whole))
        assert same(ours, theirs)
        assert not same(ours, early)
    assert same(*(load_file(f.last / "optimizer.safetensors") for f in (broken, whole)))


def test_equal_seeds_give_equal_runs_and_other_seeds_others(make_run):
    one, two, other = make_run("a"), make_run("b"), make_run("c", seed=1)
    for folder in (one, two, other):
        run(folder)
    assert losses(one) == losses(two)
    assert losses(one) != losses(other)


def test_a_stop_is_honored_within_a_step_and_the_run_can_go_on(make_run, monkeypatch):
    folder = make_run()
    original = loop.one_step

    def asked(this, burn_in):
        if this.counters.step == 3:
            folder.request_stop()
        return original(this, burn_in)

    monkeypatch.setattr(loop, "one_step", asked)
    assert run(folder) is False
    assert events(folder)[-1]["kind"] == "stopped"
    assert events(folder)[-1]["step"] == 4
    monkeypatch.undo()
    folder.withdraw_requests()
    assert run(folder) is True
    assert next(e for e in reversed(events(folder)) if e["kind"] == "started")["resumed_at"] == 4


def test_a_second_trainer_is_refused_and_the_first_ones_events_are_left_alone(make_run):
    folder = make_run()
    with folder.lock():
        with pytest.raises(RunFolderError, match="already trains"):
            run(folder)
        assert not folder.events_file.exists()


def test_what_the_reader_can_act_on_stands_in_a_failed_event(make_run, snapshot):
    empty = make_run("empty", snapshot.model_copy(update={"labeled": ()}))
    with pytest.raises(EngineError, match="labeled pool is empty"):
        run(empty)
    assert events(empty)[-1]["kind"] == "failed"
    assert "labeled pool is empty" in events(empty)[-1]["sentence"]
    nowhere = make_run("nowhere", device="cuda:7")
    if not torch.cuda.is_available():
        with pytest.raises(EngineError, match="cuda:7"):
            run(nowhere)


@pytest.mark.parametrize(
    "change",
    [
        {"unlabeled": ()},
        {"gate": (), "report": ()},
    ],
    ids=["no unlabeled films", "no holdout"],
)
def test_a_round_works_with_an_empty_pool(make_run, snapshot, change):
    folder = make_run("odd", snapshot.model_copy(update=change))
    assert run(folder)
    assert read_network(folder.best) is not None


def test_a_labeled_pool_of_one_and_batches_of_one_work(make_run, snapshot):
    single = snapshot.model_copy(update={"labeled": snapshot.labeled[:1]})
    batches = {"steps": 6, "burn_in": 0.3, "batch_labeled": 1, "batch_unlabeled": 1}
    assert run(make_run("single", single, training=batches))


def test_the_supervised_method_never_looks_at_unlabeled_films(make_run):
    folder = make_run(method={"name": "supervised"})
    run(folder)
    assert not any("loss_unlabeled" in e for e in events(folder))
    phases = [e["name"] for e in events(folder) if e["kind"] == "phase"]
    assert phases == ["burn-in", "evaluation", "prediction"]


@pytest.mark.parametrize("targets", ["soft", "hard", "banded"])
def test_every_kind_of_pseudo_mask_trains(make_run, targets):
    folder = make_run(targets, method={"targets": targets, "lambda_u": 1.0})
    run(folder)
    assert all(np.isfinite(value) for value in losses(folder).values())


def test_empty_pseudo_masks_raise_an_alarm_and_stop_the_consistency(make_run):
    folder = make_run(
        training={"steps": 40, "burn_in": 0.05, "learning_rate": 1e-6}, method={"empty_alarm": 0.3}
    )
    run(folder)
    warnings = [e["sentence"] for e in events(folder) if e["kind"] == "warning"]
    assert len(warnings) == 1
    assert "empty" in warnings[0]
    assert [e for e in events(folder) if e["kind"] == "progress"][-1]["lambda_u"] == 0


def test_a_broken_film_is_a_warning_and_not_the_end(make_run, snapshot, tmp_path):
    (tmp_path / "films" / snapshot.unlabeled[0].image).write_bytes(b"x")
    folder = make_run()
    assert run(folder)
    assert snapshot.unlabeled[0].case_id in status_of(folder).warnings[0]
    assert len(folder.read_predictions_index()) == 5


def status_of(folder):
    status = RunStatus()
    for event in events(folder):
        status = fold(status, event)
    return status


def test_a_warm_start_begins_with_the_weights_of_the_other_models_teacher(make_run):
    first = make_run("first")
    run(first)
    kept = read_network(first.best).state_dict()
    for name, start in (("warm", str(first.best)), ("fresh", None)):
        folder = make_run(name, init_from=start)
        this = prepare(folder, EventWriter(folder.events_file), None)
        for network in (this.student, this.teacher.network):
            assert same(network.state_dict(), kept) == (start is not None)


def test_pretrained_encoders_train_and_their_model_needs_no_convnext_folder_afterwards(
    make_run, bert, tmp_path
):
    source = tmp_path / "convnext"
    ConvNextModel(ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1])).save_pretrained(
        source
    )
    folder = make_run(
        network={"text_encoder": "hf", "text_weights": bert, "vision_weights": str(source)}
    )
    assert run(folder)
    shutil.rmtree(source)
    network = read_network(folder.best)
    assert network.vision.widths == (8, 8, 16, 16)
    assert network.vision.channels == 3
    again = make_run(
        "warm",
        init_from=str(folder.best),
        network={"text_encoder": "hf", "text_weights": bert, "vision_weights": str(source)},
        training={"steps": 1},
    )
    assert run(again)
    assert read_network(again.best).vision.widths == (8, 8, 16, 16)


def test_a_slower_encoder_takes_smaller_steps_than_the_rest(make_run):
    moved = {}
    for share in (1.0, 0.01):
        folder = make_run(f"at {share}", training={"steps": 2, "encoder_rate": share, "warm_up": 0})
        fresh = make_run(f"fresh {share}", training={"steps": 1, "learning_rate": 1e-6})
        run(folder)
        run(fresh)
        one, other = (read_network(each.best).state_dict() for each in (folder, fresh))
        moved[share] = {
            part: max(
                (one[name] - other[name]).abs().max().item()
                for name in one
                if name.startswith(part)
            )
            for part in ("vision.", "ups.")
        }
    assert moved[0.01]["vision."] < 0.1 * moved[1.0]["vision."]
    assert moved[0.01]["ups."] > 0.5 * moved[1.0]["ups."]


def test_words_and_films_together_are_learned(make_run):
    folder = make_run(
        training={"steps": 90, "learning_rate": 4e-3, "evaluate_every": 90, "burn_in": 0.6},
        views={"side_mix_probability": 0, "side_paste_probability": 0, "patch_probability": 0},
    )
    run(folder)
    told = losses(folder)
    assert np.mean([told[s] for s in range(45, 54)]) < 0.7 * told[1]
    assert folder.read_scores()["report"]["student"]["dice_global"] > 0.4


def test_the_trainer_is_a_process_that_ends_on_a_polite_signal(make_run):
    folder = make_run(training={"steps": 100_000, "checkpoint_seconds": 1})
    command = [sys.executable, "-m", "training", "run", str(folder.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as trainer:
        deadline = time.monotonic() + 60
        while not any(e["kind"] == "progress" for e in events(folder)):
            assert trainer.poll() is None, trainer.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        trainer.send_signal(signal.SIGTERM)
        assert trainer.wait(timeout=60) == 3
    assert events(folder)[-1]["kind"] == "stopped"
    assert json.loads((folder.last / "state.json").read_text())["step"] > 0


def test_every_ramp_scales_with_the_length_of_the_round(make_run):
    folder = make_run(training={"steps": 1000, "burn_in": 0.4})
    config = folder.read_config()
    training, method = config.training, config.method
    burn_in = burn_in_steps(training, method, unlabeled=10)
    assert burn_in == 400
    assert burn_in_steps(training, method, unlabeled=0) == 1000
    assert unlabeled_weight(399, burn_in, training, method) == 0
    assert unlabeled_weight(489, burn_in, training, method) == pytest.approx(method.lambda_u / 2)
    assert unlabeled_weight(999, burn_in, training, method) == method.lambda_u
    slow = method.model_copy(update={"ema_start": 0.9, "ema_end": 0.99})
    assert ema_decay(0, burn_in, training, slow) == 0.9
    assert ema_decay(999, burn_in, training, slow) == pytest.approx(0.99)
    rates = [learning_rate(step, 1000, training) for step in range(1000)]
    assert max(rates) == pytest.approx(training.learning_rate)
    assert rates[0] < rates[25] < rates[49]
    assert rates[-1] == pytest.approx(0.01 * training.learning_rate, rel=0.01)


def test_the_rate_begins_anew_where_burn_in_ends(make_run):
    training = make_run(training={"steps": 1000}).read_config().training
    rest = training.model_copy(update={"steps": 600})
    alone = [learning_rate(step, 1000, training) for step in range(400)]
    after = [learning_rate(step, 600, rest) for step in range(600)]
    assert [learning_rate(step, 400, training) for step in range(1000)] == alone + after
    steady = training.model_copy(update={"rate_restarts": False})
    told = [learning_rate(step, 400, steady) for step in range(1000)]
    assert told == [learning_rate(step, 1000, training) for step in range(1000)]


def test_a_student_that_learns_nothing_has_a_finite_loss_on_empty_films():
    logits = torch.zeros(2, 1, 8, 8, requires_grad=True)
    loss = segmentation_loss(logits, torch.zeros_like(logits))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
