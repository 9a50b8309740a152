"""One round from start to end: burn-in, semi-supervised steps, evaluation, predictions. Flat on purpose. What a step
computes is the matter of `step`."""

from __future__ import annotations

import contextlib
import os
import time

import torch

from training.engine.evaluate import evaluate
from training.engine.finish import finish, tell_evaluation
from training.engine.learnt import burn_in_is_over, next_look
from training.engine.pace import Pace
from training.engine.pausing import may_go_on
from training.engine.predict import Predictor
from training.engine.room import check_room, is_out_of_memory
from training.engine.setup import Round, prepare
from training.engine.step import heed_collapse, one_step
from training.engine.tensorboard import TensorBoard
from training.engine.watch import LOOK_EVERY, read
from training.errors import EngineError, RunFolderError, SemiMedRefError
from training.events import EventWriter
from training.rundir import RunFolder

NO_MEMORY = "The memory is used up: close other programs, or choose a smaller image_size; then resume or start again."


def run(folder: RunFolder, device: str | None = None) -> bool:
    """Train one round; continue it where an earlier process left off.

    A request to stop that is already there is honored: whoever resumes withdraws it first.

    Parameters
    ----------
    folder : RunFolder
        Read: config, snapshot, checkpoints, stop. Written: everything else.
    device : str, optional
        Overrides the config's device.

    Returns
    -------
    bool
        True if the round was finished, False if it was asked to stop.

    Raises
    ------
    SemiMedRefError
        For whatever the reader can act on; the same sentence stands in a ``failed`` event.
    """
    with folder.lock():
        curves = TensorBoard(folder.path / "tensorboard")
        events = EventWriter(folder.events_file, also=curves.take)
        try:
            return _run(folder, events, device)
        except SemiMedRefError as error:
            _tell_failure(events, str(error))
            raise
        except Exception as error:
            if is_out_of_memory(error):
                _tell_failure(events, NO_MEMORY)
                raise EngineError(NO_MEMORY) from error
            _tell_failure(events, f"The trainer broke: {type(error).__name__}: {error}")
            raise
        finally:
            curves.close()


def _tell_failure(events: EventWriter, sentence: str) -> None:
    # Where nothing can be written any more, the first error is the one to tell.
    with contextlib.suppress(RunFolderError):
        events.write("failed", sentence=sentence)


def _run(folder: RunFolder, events: EventWriter, device: str | None) -> bool:
    torch.set_flush_denormal(True)
    started = time.monotonic()
    this = prepare(folder, events, device)
    pace = _make_pace(this, started)
    events.write(
        "started",
        pid=os.getpid(),
        device=str(this.fabric.device),
        steps_planned=this.config.training.steps,
        labeled=len(this.pools.labeled),
        unlabeled=len(this.pools.unlabeled),
        resumed_at=this.counters.step,
    )
    tight = check_room(this.config, this.fabric.device)
    if tight:
        events.write("warning", sentence=tight)
    complete = _train(this, pace)
    this.counters.seconds = pace.seconds_spent()
    this.save()
    if not complete or not finish(this, pace):
        events.write("stopped", step=this.counters.step)
        return False
    events.write("finished", seconds=round(pace.seconds_spent(), 1))
    return True


def _train(this: Round, pace: Pace) -> bool:
    training, counters = this.config.training, this.counters
    phase = ""
    while counters.step < training.steps and not _has_enough(this):
        if not may_go_on(this, pace):
            return False
        _decide_burn_in(this, pace)
        name = "burn-in" if counters.step < counters.burn_in else "semi-supervised"
        if name != phase:
            this.events.write("phase", name=name)
            phase = name
        begun = time.monotonic()
        told = one_step(this, counters.burn_in)
        counters.step += 1
        last = counters.step == training.steps
        speaks, judges = pace.may_speak() or last, counters.step % LOOK_EVERY == 0
        evaluates = counters.step % training.evaluate_every == 0 or last
        looks = speaks or judges or evaluates
        if looks:
            this.look()
        pace.count_step(counters.step, time.monotonic() - begun, done=looks)
        if judges:
            heed_collapse(this)
        if speaks:
            _tell(this, pace, read(told))
        if evaluates:
            _look_at_gate(this, pace)
        if pace.must_save():
            counters.seconds = pace.seconds_spent()
            this.save()
    return True


def _decide_burn_in(this: Round, pace: Pace) -> None:
    """Where burn-in would end, look whether it may."""
    counters, pools = this.counters, this.pools
    asked = this.teacher.network, pools.labeled, pools.gate, this.config, this.fabric.device
    if counters.step == counters.burn_in and not burn_in_is_over(*asked):
        counters.burn_in = next_look(counters.step, this.config.training.steps)
    pace.burn_in = counters.burn_in


def _has_enough(this: Round) -> bool:
    """Whether training stops early; also true of a run that is resumed after it did."""
    patience = this.config.training.patience
    return patience > 0 and this.counters.stale >= patience


def _tell(this: Round, pace: Pace, told: dict[str, float]) -> None:
    step = this.counters.step
    numbers = {name: float(f"{value:.6g}") for name, value in told.items()}
    this.events.write(
        "progress",
        step=step,
        **numbers,
        steps_per_second=round(pace.steps_per_second(step), 3),
        seconds_left=round(pace.seconds_left(step), 1) if pace.has_measured else None,
    )


def _look_at_gate(this: Round, pace: Pace) -> None:
    gate, counters = this.pools.gate, this.counters
    if len(gate) == 0:
        return
    limit, least_gain = this.config.training.evaluation_limit, this.config.training.least_gain
    begun = time.monotonic()
    dice: dict[str, float] = {}
    for role, network in (("student", this.student), ("teacher", this.teacher.network)):
        predictor = Predictor(network, this.fabric.device)
        result = evaluate(predictor, gate, this.config.method.threshold, limit)
        tell_evaluation(this, "gate", role, result)
        dice[role] = result.scores.dice_global
    pace.count_films(2 * min(limit, len(gate)), time.monotonic() - begun)
    best = dice[this.config.training.select_by]
    counters.stale += 1
    if best > counters.best_dice + (least_gain if counters.best_step else 0.0):
        counters.best_dice, counters.best_step, counters.stale = best, counters.step, 0
        this.save_best()


def _make_pace(this: Round, began: float) -> Pace:
    training, pools = this.config.training, this.pools
    films = len(pools.unlabeled) + 2 * (len(pools.gate) + len(pools.report))
    return Pace(
        training.steps,
        this.counters.burn_in,
        films,
        training.checkpoint_seconds,
        began=began,
        before=this.counters.seconds,
    )
