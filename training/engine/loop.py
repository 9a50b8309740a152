"""One round from start to end: burn-in, semi-supervised steps, evaluation, predictions. Flat on purpose."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

import torch

from training.engine.evaluate import evaluate
from training.engine.finish import finish, tell_evaluation
from training.engine.methods.lvit_epi import lvit_epi_step
from training.engine.methods.semi_medref import semi_medref_step
from training.engine.methods.supervised import StepLoss, supervised_step
from training.engine.pace import Pace
from training.engine.predict import Predictor
from training.engine.schedules import (
    burn_in_steps,
    ema_decay,
    learning_rate,
    unlabeled_weight,
)
from training.engine.setup import Round, prepare, seed_step
from training.errors import EngineError, SemiMedRefError
from training.events import EventWriter
from training.rundir import RunFolder

EMPTY_MEMORY = 0.95  # Weight of the past in the running share of empty pseudo-masks.


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
        events = EventWriter(folder.events_file)
        try:
            return _run(folder, events, device)
        except SemiMedRefError as error:
            events.write("failed", sentence=str(error))
            raise
        except Exception as error:
            events.write("failed", sentence=f"The trainer broke: {type(error).__name__}: {error}")
            raise


def _run(folder: RunFolder, events: EventWriter, device: str | None) -> bool:
    torch.set_flush_denormal(True)
    started = time.monotonic()
    this = prepare(folder, events, device)
    before = this.counters.seconds
    events.write(
        "started",
        pid=os.getpid(),
        device=str(this.fabric.device),
        steps_planned=this.config.training.steps,
        labeled=len(this.pools.labeled),
        unlabeled=len(this.pools.unlabeled),
        resumed_at=this.counters.step,
    )
    pace = _make_pace(this)
    complete = _train(this, pace, lambda: before + time.monotonic() - started)
    this.counters.seconds = before + time.monotonic() - started
    this.save()
    if not complete or not finish(this, pace):
        events.write("stopped", step=this.counters.step)
        return False
    events.write("finished", seconds=round(before + time.monotonic() - started, 1))
    return True


def _train(this: Round, pace: Pace, seconds: Callable[[], float]) -> bool:
    training, counters = this.config.training, this.counters
    phase = ""
    while counters.step < training.steps:
        if this.folder.stop_requested():
            return False
        name = "burn-in" if counters.step < pace.burn_in else "semi-supervised"
        if name != phase:
            this.events.write("phase", name=name)
            phase = name
        begun = time.monotonic()
        told = _one_step(this, pace.burn_in)
        counters.step += 1
        pace.count_step(counters.step, time.monotonic() - begun)
        if pace.may_speak() or counters.step == training.steps:
            _tell(this, pace, told)
        if counters.step % training.evaluate_every == 0 or counters.step == training.steps:
            _look_at_gate(this, pace)
            if training.patience and counters.stale >= training.patience:
                return True
        if pace.must_save():
            counters.seconds = seconds()
            this.save()
    return True


def _one_step(this: Round, burn_in: int) -> dict[str, float]:
    training, method, step = this.config.training, this.config.method, this.counters.step
    rate = learning_rate(step, training)
    for group in this.optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    seed_step(this.config.seed, step)
    this.student.train()
    weight = 0.0 if this.counters.alarmed else unlabeled_weight(step, burn_in, training, method)
    loss = _loss(this, burn_in, weight)
    value = loss.total.item()
    if not math.isfinite(value):
        raise EngineError(
            f"The loss is no number any more at step {step}: lower the learning rate and start again."
        )
    this.fabric.backward(loss.total)
    this.fabric.clip_gradients(this.wrapped, this.optimizer, max_norm=training.clip_norm)
    this.optimizer.step()
    this.optimizer.zero_grad()
    decay = this.teacher.follow(this.student, ema_decay(step, burn_in, training, method))
    _watch_for_collapse(this, loss.parts)
    return {"loss": value, **loss.parts, "lr": rate, "lambda_u": weight, "ema_decay": decay}


def _loss(this: Round, burn_in: int, weight: float) -> StepLoss:
    config, step, device = this.config, this.counters.step, this.fabric.device
    picks = this.labeled_order.batch(step, config.training.batch_labeled)
    labeled = this.pools.labeled.films(picks, config.seed, device)
    if step < burn_in or weight == 0.0:
        return supervised_step(this.wrapped, labeled, config, this.convention)
    picks = this.unlabeled_order.batch(step - burn_in, config.training.batch_unlabeled)
    unlabeled = this.pools.unlabeled.films(picks, config.seed, device)
    if this.memory is not None:
        pools = labeled, unlabeled
        return lvit_epi_step(
            this.wrapped, this.student, *pools, config, weight, this.convention, this.memory
        )
    return semi_medref_step(
        this.wrapped,
        this.teacher.network,
        labeled,
        unlabeled,
        config,
        weight,
        this.convention,
        this.prior,
    )


def _watch_for_collapse(this: Round, parts: dict[str, float]) -> None:
    counters, limit = this.counters, this.config.method.empty_alarm
    if "empty_fraction" not in parts or counters.alarmed:
        return
    average = EMPTY_MEMORY * counters.empty_average + (1 - EMPTY_MEMORY) * parts["empty_fraction"]
    counters.empty_average = average
    if average > limit:
        counters.alarmed = True
        sentence = (
            f"Most pseudo-masks of positive descriptions are empty (step {counters.step}): "
            "the rest of this round uses the labeled pool alone."
        )
        this.events.write("warning", sentence=sentence)


def _tell(this: Round, pace: Pace, told: dict[str, float]) -> None:
    step = this.counters.step
    numbers = {name: float(f"{value:.6g}") for name, value in told.items()}
    this.events.write(
        "progress",
        step=step,
        **numbers,
        steps_per_second=round(pace.steps_per_second(step), 3),
        seconds_left=round(pace.seconds_left(step), 1),
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


def _make_pace(this: Round) -> Pace:
    training, pools = this.config.training, this.pools
    burn_in = burn_in_steps(training, this.config.method, len(pools.unlabeled))
    films = len(pools.unlabeled) + 2 * (len(pools.gate) + len(pools.report))
    return Pace(training.steps, burn_in, films, training.checkpoint_seconds)
