"""One optimizer step: the method's loss, in pieces where memory does not suffice for all, then both networks. What it
tells stays on the device: nothing here waits for it."""

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
from training.engine.setup import Round, scaler_of, seed_step
from training.engine.watch import Numbers
from training.errors import EngineError

FEWER = (
    "The memory did not suffice at step {step}: from now on at most {now} films of a pool are taken at a time instead "
    "of {before}, and every step still learns from all of them."
)
COLLAPSE = (
    "Most pseudo-masks of positive descriptions are empty (step {step}): "
    "the rest of this round uses the labeled pool alone."
)
TOO_LITTLE = (
    "The memory does not suffice for one film at a time (step {step}): close other programs, or choose a smaller "
    "image_size or network; then resume or start again."
)


def one_step(this: Round, burn_in: int) -> Numbers:
    """Train on the batch of the present step; returns the numbers to tell, scalars that may lie on the device.

    A loss or gradient that is no number shows at the next `Round.look`.

    Raises
    ------
    EngineError
        Memory does not suffice for one film at a time.
    """
    training, method, step = this.config.training, this.config.method, this.counters.step
    rate = learning_rate(step, burn_in, training)
    for group in this.optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    weight = 0.0 if this.counters.alarmed else unlabeled_weight(step, burn_in, training, method)
    loss, parts = _learn(this, burn_in, weight)
    this.watch.see(step, loss, _clip(this), parts)
    this.optimizer.step()
    this.optimizer.zero_grad()
    decay = this.teacher.follow(this.student, ema_decay(step, burn_in, training, method))
    return {"loss": loss, **parts, "lr": rate, "lambda_u": weight, "ema_decay": decay}


def heed_collapse(this: Round) -> None:
    """Leave the unlabeled pool out from now on if most of its pseudo-masks are empty.

    The share stands in the counters since the last `Round.look`; asked at steps that are known beforehand, so that a
    resumed run does the same.
    """
    counters = this.counters
    if counters.alarmed or counters.empty_average <= this.config.method.empty_alarm:
        return
    counters.alarmed = True
    this.events.write("warning", sentence=COLLAPSE.format(step=counters.step))


def _clip(this: Round) -> Tensor | None:
    """Shorten a long gradient; its norm, or None where a scaler heeds it."""
    norm = this.fabric.clip_gradients(
        this.wrapped,
        this.optimizer,
        max_norm=this.config.training.clip_norm,
        error_if_nonfinite=False,
    )
    # A scaler passes over steps whose gradients overflowed in half precision, and scales less from then on.
    return norm if scaler_of(this.fabric) is None else None


def _learn(this: Round, burn_in: int, weight: float) -> tuple[Tensor, Numbers]:
    """Leave the step's gradient in the student, in ever smaller pieces if memory runs out."""
    while True:
        try:
            return _gradient(this, burn_in, weight)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        _take_smaller_pieces(this)  # not sooner: the error holds on to what was computed


def _gradient(this: Round, burn_in: int, weight: float) -> tuple[Tensor, Numbers]:
    seed_step(this.config.seed, this.counters.step)
    this.student.train()
    losses: list[Tensor] = []
    sums: Numbers = {}
    for piece in _pieces(this, burn_in, weight):
        this.fabric.backward(piece.total)
        losses.append(piece.total.detach())
        for name, value in piece.parts.items():
            sums[name] = sums.get(name, 0.0) + value
    return torch.stack(losses).sum(), sums


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
