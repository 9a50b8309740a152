"""Faults inside the trainer: what it says, what it keeps, and that it goes on where it can. Rows of docs/faults.md."""

from __future__ import annotations

import errno
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from little_films import tiny_config

from training.engine import checkpoint, loop, predict
from training.engine.checkpoint import OLDER, UNREADABLE, is_sound
from training.engine.finish import BEST_DAMAGED
from training.engine.loop import NO_MEMORY, run
from training.engine.networks.mmi_unet import MMIUNet
from training.engine.pace import Pace
from training.engine.room import TIGHT, TOO_LITTLE, check_room, is_out_of_memory
from training.engine.step import FEWER
from training.engine.step import TOO_LITTLE as NOT_EVEN_ONE
from training.engine.watch import NO_NUMBER
from training.errors import EngineError, RunFolderError
from training.estimate import Memory
from training.events import EventTail, RunStatus, fold

OUT = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def events(folder):
    return EventTail(folder.events_file).read_new()


def status_of(folder):
    status = RunStatus()
    for event in events(folder):
        status = fold(status, event)
    return status


def losses(folder):
    return {e["step"]: e["loss"] for e in events(folder) if e["kind"] == "progress"}


def fits(template: str, sentence: str) -> bool:
    """Whether a sentence is the template with its places filled."""
    words = re.sub(r"\\\{\w+\\\}", ".+", re.escape(template))
    return re.fullmatch(words, sentence) is not None


@pytest.fixture(autouse=True)
def talkative(monkeypatch):
    monkeypatch.setattr(Pace, "may_speak", lambda self: True)


@pytest.fixture
def room_for(monkeypatch):
    """Let the network take no more than so many films at once while it trains."""

    def room(most: int, error: BaseException = OUT) -> list[int]:
        original, taken = MMIUNet.forward, []

        def forward(self, images, descriptions):
            if self.training:
                taken.append(len(images))
                if len(images) > most:
                    raise error
            return original(self, images, descriptions)

        monkeypatch.setattr(MMIUNet, "forward", forward)
        return taken

    return room


# -- memory ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        OUT,
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    ],
)
def test_want_of_memory_is_known_by_its_errors(error):
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


def test_where_memory_is_short_the_run_goes_on_from_the_same_step_with_smaller_pieces(
    make_run, room_for
):
    folder = make_run()
    taken = room_for(2)
    assert run(folder)
    sentences = [e["sentence"] for e in events(folder) if e["kind"] == "warning"]
    assert sentences[0] == FEWER.format(step=0, now=2, before=4)
    assert all(fits(FEWER, sentence) for sentence in sentences)
    assert sorted(losses(folder)) == list(range(1, 13))  # no step is left out
    assert min(taken) == 2  # one labeled and one unlabeled film at last
    assert checkpoint.newest_state(folder.last, lambda **_: None) is not None


def test_pieces_are_remembered_by_a_resumed_run(make_run, room_for):
    folder = make_run()
    taken = room_for(2)
    folder.request_stop()
    assert not run(folder)
    folder.withdraw_requests()
    original = loop.one_step

    def stopping(this, burn_in):
        told = original(this, burn_in)
        folder.request_stop()
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "one_step", stopping)
        assert not run(folder)
    folder.withdraw_requests()
    taken.clear()
    assert run(folder)
    assert taken[0] == 2


def endless(gradient):
    return torch.full_like(gradient, float("inf"))


def overflowing(this, burn_in, original=loop.one_step):
    """A step whose loss is a number and whose gradient is none."""
    weight = next(p for p in this.student.parameters() if p.requires_grad)
    hook = weight.register_hook(endless)
    try:
        return original(this, burn_in)
    finally:
        hook.remove()


def test_a_gradient_that_is_no_number_ends_the_run_with_a_sentence(make_run, monkeypatch):
    folder = make_run()
    monkeypatch.setattr(loop, "one_step", overflowing)
    with pytest.raises(EngineError) as caught:
        run(folder)
    assert str(caught.value) == NO_NUMBER.format(what="gradient", step=0)
    assert status_of(folder).sentence == str(caught.value)


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(make_run, monkeypatch):
    folder = make_run()

    def lost(this, burn_in, original=loop.one_step):
        with torch.no_grad():
            next(p for p in this.student.parameters() if p.requires_grad).fill_(float("nan"))
        return original(this, burn_in)

    monkeypatch.setattr(loop, "one_step", lost)
    with pytest.raises(EngineError) as caught:
        run(folder)
    assert str(caught.value) == NO_NUMBER.format(what="loss", step=0)
    assert status_of(folder).sentence == str(caught.value)


def test_where_gradients_are_scaled_the_scaler_deals_with_one_that_overflowed(
    make_run, monkeypatch
):
    folder, taken = make_run(), []

    def scaled(this, burn_in):
        precision = this.fabric.strategy.precision
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(precision, "scaler", object(), raising=False)
            patch.setattr(this.optimizer, "step", lambda: taken.append(this.counters.step))
            told = overflowing(this, burn_in)
        folder.request_stop()
        return told

    monkeypatch.setattr(loop, "one_step", scaled)
    assert not run(folder)
    assert taken == [0]


def test_where_not_even_one_film_fits_the_run_fails_with_a_sentence(make_run, room_for):
    folder = make_run()
    room_for(0, MemoryError())
    with pytest.raises(EngineError) as caught:
        run(folder)
    assert str(caught.value) == NOT_EVEN_ONE.format(step=0)
    assert status_of(folder).sentence == NOT_EVEN_ONE.format(step=0)


def test_want_of_memory_outside_of_steps_is_said(make_run, monkeypatch):
    def exhausted(*_):
        raise OUT

    folder = make_run()
    monkeypatch.setattr(loop, "prepare", exhausted)
    with pytest.raises(EngineError) as caught:
        run(folder)
    assert str(caught.value) == status_of(folder).sentence == NO_MEMORY


def test_predictions_are_made_in_halves_and_are_the_same(make_run, monkeypatch):
    whole, halved = make_run("whole"), make_run("halved")
    run(whole)
    original = predict.Predictor._said_at_once

    def small(self, images, texts):
        if len(images) > 2:
            raise OUT
        return original(self, images, texts)

    monkeypatch.setattr(predict.Predictor, "_said_at_once", small)
    assert run(halved)
    one, other = (folder.read_predictions_index() for folder in (whole, halved))
    assert one.keys() == other.keys()
    for case in one:
        assert one[case]["entropy"] == pytest.approx(other[case]["entropy"], abs=1e-3)


@pytest.mark.parametrize("pieces", [2, 3, 4])
def test_pieces_add_up_to_the_gradient_of_the_whole_batch(make_run, pieces):
    # Without the terms that compare the films of a batch, and without dropout, which draws anew.
    plain = {"lambda_labeled_itcl": 0, "lambda_unlabeled_itcl": 0, "lambda_zones": 0}
    for burn_in in (0, 12):  # both pools; the labeled one alone
        gradients = []
        for count in (1, pieces):
            from training.engine import step
            from training.engine.setup import prepare
            from training.events import EventWriter

            folder = make_run(f"{burn_in} {count}", method=plain)
            this = prepare(folder, EventWriter(folder.events_file), "cpu")
            this.counters.pieces = count
            for module in this.student.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = 0.0
                elif isinstance(module, torch.nn.MultiheadAttention):
                    module.dropout = 0.0
            loss, _ = step._gradient(this, burn_in, 0.5 if burn_in == 0 else 0.0)
            flat = [p.grad.flatten() for p in this.student.parameters() if p.grad is not None]
            gradients.append((loss.item(), torch.cat(flat)))
        (one, whole), (other, added) = gradients
        assert other == pytest.approx(one, rel=1e-5)
        assert torch.allclose(added, whole, rtol=1e-3, atol=1e-5 * whole.abs().max().item())


def test_little_free_memory_is_a_warning_and_too_little_a_refusal():
    config, cpu, gigabyte = tiny_config(), torch.device("cpu"), 2**30
    assert check_room(config, cpu, Memory(64 * gigabyte)) == ""
    wide = tiny_config(training={"batch_labeled": 1024, "batch_unlabeled": 1024})
    sentence = check_room(wide, cpu, Memory(gigabyte))
    assert fits(TIGHT, sentence)
    assert "1.0 GB is free" in sentence
    with pytest.raises(EngineError) as caught:
        check_room(config, cpu, Memory(2**20))
    assert fits(TOO_LITTLE, str(caught.value))


# -- the disk --------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_the_checkpoint_before_is_kept(make_run, monkeypatch):
    folder = make_run(training={"steps": 12, "checkpoint_seconds": 1})
    original, saves = checkpoint.save_file, []

    def full(tensors, path):
        saves.append(path)
        if len(saves) > 4 and "last" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        original(tensors, path)

    monkeypatch.setattr(Pace, "must_save", lambda self: True)
    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(RunFolderError, match="is the disk full") as caught:
        run(folder)
    assert str(caught.value) == status_of(folder).sentence
    assert is_sound(folder.last)
    monkeypatch.undo()
    assert run(folder)
    assert next(e for e in reversed(events(folder)) if e["kind"] == "started")["resumed_at"] >= 1


def damage(path: Path) -> None:
    """Turn one bit over in the middle of a file: its header still reads well."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.fixture
def left(make_run, monkeypatch):
    """A run that was left at step 8, with checkpoints of step 8 and step 7."""
    folder = make_run()
    original = loop.one_step

    def leaving(this, burn_in):
        if this.counters.step in (7, 8):
            this.save()
        if this.counters.step == 8:
            raise KeyboardInterrupt
        return original(this, burn_in)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "one_step", leaving)
        with pytest.raises(KeyboardInterrupt):
            run(folder)
    return folder


@pytest.mark.parametrize("name", ["student.safetensors", "optimizer.safetensors", "state.json"])
def test_a_damaged_checkpoint_is_said_and_the_one_before_serves(left, make_run, name):
    whole = make_run("whole")
    run(whole)
    damage(left.last / name)
    assert run(left)
    sentences = [e["sentence"] for e in events(left) if e["kind"] == "warning"]
    assert sentences == [OLDER.format(step=7)]
    assert losses(left) == losses(whole)  # it goes on exactly as if nothing had happened


def test_two_damaged_checkpoints_are_said(left):
    for folder in (left.last, left.last.with_name("last.old")):
        damage(folder / "teacher.safetensors")
    with pytest.raises(EngineError) as caught:
        run(left)
    assert str(caught.value) == UNREADABLE.format(folder=left.last)


def test_a_damaged_best_model_is_replaced_by_the_last_one(left):
    damage(left.best / "teacher.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_look_at_gate", lambda this, pace: None)  # no better one comes
        assert run(left)
    sentences = [e["sentence"] for e in events(left) if e["kind"] == "warning"]
    assert sentences == [BEST_DAMAGED]
    assert is_sound(left.best)
    assert left.read_scores()["best_step"] == 12


# -- waiting ---------------------------------------------------------------------------------------


def test_a_paused_run_waits_with_a_checkpoint_and_goes_on_as_if_nothing_had_been(make_run):
    whole, paused = make_run("whole"), make_run("paused")
    run(whole)
    original = loop.one_step

    def pausing(this, burn_in):
        if this.counters.step == 3:
            paused.request_pause()
        return original(this, burn_in)

    found: list[dict] = []

    def reader():
        while not any(e["kind"] == "paused" for e in events(paused)):
            time.sleep(0.05)
        found.append({"checkpoint": is_sound(paused.last), "state": status_of(paused).state})
        time.sleep(1.5)
        paused.withdraw_pause()

    thread = threading.Thread(target=reader)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "one_step", pausing)
        assert run(paused)
    thread.join()
    assert found == [{"checkpoint": True, "state": "paused"}]
    assert losses(paused) == losses(whole)
    (went_on,) = [e for e in events(paused) if e["kind"] == "continued"]
    assert went_on["step"] == 4
    assert went_on["seconds"] >= 1.5
    stamps = [e["time"] for e in events(paused)]
    finished = next(e for e in events(paused) if e["kind"] == "finished")
    assert finished["seconds"] <= stamps[-1] - stamps[0] - 1.5 + 60  # loading comes before


def test_time_paused_is_not_counted():
    now = [0.0]
    pace = Pace(10, 5, 0, 30.0, clock=lambda: now[0], before=7.0)
    now[0] = 10.0
    pace.leave_out(6.0)
    assert pace.seconds_spent() == 11.0
    now[0] = 32.0
    assert not pace.must_save()  # 26 seconds of work since the last checkpoint


def test_a_paused_run_can_be_stopped(make_run):
    folder = make_run()
    folder.request_pause()

    def reader():
        while not any(e["kind"] == "paused" for e in events(folder)):
            time.sleep(0.05)
        folder.request_stop()

    thread = threading.Thread(target=reader)
    thread.start()
    assert run(folder) is False
    thread.join()
    assert [e["kind"] for e in events(folder)][-2:] == ["paused", "stopped"]


# -- curves ----------------------------------------------------------------------------------------


def test_curves_for_tensorboard_are_written_and_a_failure_ends_no_run(make_run, monkeypatch):
    folder = make_run()
    assert run(folder)
    (written,) = (folder.path / "tensorboard").iterdir()
    content = written.read_bytes()
    for name in (b"loss/total", b"schedule/lambda_u", b"pseudo-masks/accepted_mixes"):
        assert name in content
    import tensorboardX

    def broken(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensorboardX, "SummaryWriter", broken)
    again = make_run("again")
    assert run(again)
    assert losses(again) == losses(folder)
    assert np.isfinite(list(losses(again).values())).all()
    monkeypatch.setitem(sys.modules, "tensorboardX", None)  # importing it fails
    without = make_run("without")
    assert run(without)
    assert losses(without) == losses(folder)
    assert events(without)[-1]["kind"] == "finished"
