"""One optimizer step: the method's loss, in pieces where memory does not suffice for all, then both networks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from training.engine.methods.lvit_epi import lvit_epi_pieces
from training.engine.methods.semi_medref import semi_medref_pieces
from training.engine.methods.supervised import StepLoss, supervised_pieces
from training.engine.room import give_back_memory, is_out_of_memory
from training.engine.schedules import ema_decay, learning_rate, unlabeled_weight
from training.engine.setup import Round, seed_step
from training.errors import EngineError

EMPTY_MEMORY = 0.95  # Weight of the past in the running share of empty pseudo-masks.
FEWER = (
    "The memory did not suffice at step {step}: from now on at most {now} films of a pool are taken at a time instead "
    "of {before}, and every step still learns from all of them."
)
NO_NUMBER = (
    "The {what} is no number any more at step {step}: lower the learning rate and start again."
)
TOO_LITTLE = (
    "The memory does not suffice for one film at a time (step {step}): close other programs, or choose a smaller "
    "image_size or network; then resume or start again."
)


def one_step(this: Round, burn_in: int) -> dict[str, float]:
    """Train on the batch of the present step; returns the numbers to tell.

    Raises
    ------
    EngineError
        Loss or gradient is no number any more, or memory does not suffice for one film at a time.
    """
    training, method, step = this.config.training, this.config.method, this.counters.step
    rate = learning_rate(step, training)
    for group in this.optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    weight = 0.0 if this.counters.alarmed else unlabeled_weight(step, burn_in, training, method)
    loss, parts = _learn(this, burn_in, weight)
    _clip(this)
    this.optimizer.step()
    this.optimizer.zero_grad()
    decay = this.teacher.follow(this.student, ema_decay(step, burn_in, training, method))
    _watch_for_collapse(this, parts)
    return {"loss": loss, **parts, "lr": rate, "lambda_u": weight, "ema_decay": decay}


def _clip(this: Round) -> None:
    norm = this.fabric.clip_gradients(
        this.wrapped,
        this.optimizer,
        max_norm=this.config.training.clip_norm,
        error_if_nonfinite=False,
    )
    # A scaler passes over steps whose gradients overflowed in half precision, and scales less from then on.
    scaled = getattr(this.fabric.strategy.precision, "scaler", None) is not None
    if not scaled and norm is not None and not math.isfinite(float(norm)):
        raise EngineError(NO_NUMBER.format(what="gradient", step=this.counters.step))


def _learn(this: Round, burn_in: int, weight: float) -> tuple[float, dict[str, float]]:
    """Leave the step's gradient in the student, in ever smaller pieces if memory runs out."""
    while True:
        try:
            return _gradient(this, burn_in, weight)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        _take_smaller_pieces(this)  # not sooner: the error holds on to what was computed


def _gradient(this: Round, burn_in: int, weight: float) -> tuple[float, dict[str, float]]:
    seed_step(this.config.seed, this.counters.step)
    this.student.train()
    told: list[tuple[str, Tensor | float]] = []
    for piece in _pieces(this, burn_in, weight):
        this.fabric.backward(piece.total)
        told += [("", piece.total.detach()), *piece.parts.items()]
    sums = _read(told)
    total = sums.pop("")
    if not math.isfinite(total):
        raise EngineError(NO_NUMBER.format(what="loss", step=this.counters.step))
    return total, sums


def _read(told: list[tuple[str, Tensor | float]]) -> dict[str, float]:
    """The sum by name; all that lies on the device is fetched at once, so that it waits a single time."""
    there = [value.float() for _, value in told if isinstance(value, Tensor)]
    fetched = iter(torch.stack(there).tolist())
    sums: dict[str, float] = {}
    for name, value in told:
        number = next(fetched) if isinstance(value, Tensor) else value
        sums[name] = sums.get(name, 0.0) + number
    return sums


def _pieces(this: Round, burn_in: int, weight: float) -> Iterator[StepLoss]:
    config, step, device = this.config, this.counters.step, this.fabric.device
    count = this.counters.pieces
    picks = this.labeled_order.batch(step, config.training.batch_labeled)
    labeled = this.pools.labeled.films(picks, config.seed, device)
    if step < burn_in or weight == 0.0:
        return supervised_pieces(this.wrapped, labeled, config, this.convention, count)
    picks = this.unlabeled_order.batch(step - burn_in, config.training.batch_unlabeled)
    unlabeled = this.pools.unlabeled.films(picks, config.seed, device)
    films = labeled, unlabeled, config, weight, this.convention
    if this.memory is not None:
        return lvit_epi_pieces(this.wrapped, this.student, *films, this.memory, count)
    return semi_medref_pieces(this.wrapped, this.teacher.network, *films, this.prior, count)


def _take_smaller_pieces(this: Round) -> None:
    counters, training = this.counters, this.config.training
    this.optimizer.zero_grad()
    give_back_memory()
    most = max(training.batch_labeled, training.batch_unlabeled)
    if counters.pieces >= most:
        raise EngineError(TOO_LITTLE.format(step=counters.step))
    before = math.ceil(most / counters.pieces)
    counters.pieces = min(most, 2 * counters.pieces)
    now = math.ceil(most / counters.pieces)
    sentence = FEWER.format(step=counters.step, now=now, before=before)
    this.events.write("warning", sentence=sentence)


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
