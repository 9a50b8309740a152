"""Ramps of a run, all scaled with its length, so that a short round passes through the same phases. Numbers in, numbers
out."""

from __future__ import annotations

import math

from training.config import MethodConfig, TrainingConfig


def burn_in_steps(training: TrainingConfig, method: MethodConfig, unlabeled: int) -> int:
    """Steps on the labeled pool alone, at least; all of them where nothing else can be used."""
    if method.name == "supervised" or unlabeled == 0:
        return training.steps
    return round(training.steps * training.burn_in)


def learning_rate(step: int, burn_in: int, training: TrainingConfig) -> float:
    """Linear warm-up, then a cosine to ``rate_floor``, ``cosine_length`` rounds long; ``step`` counts from 0.

    With ``rate_restarts`` both begin anew where burn-in ends, over the steps that are left (decision 16).
    """
    begin = burn_in if training.rate_restarts and step >= burn_in else 0
    step, steps = step - begin, training.steps - begin
    warm_up = max(1, round(steps * training.warm_up))
    if step < warm_up:
        return training.learning_rate * (step + 1) / warm_up
    length = training.cosine_length * steps
    share = (step - warm_up) / max(1.0, length - warm_up)
    floor = training.rate_floor
    return training.learning_rate * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share)))


def unlabeled_weight(
    step: int, burn_in: int, training: TrainingConfig, method: MethodConfig
) -> float:
    """lambda_u: 0 during burn-in, then a linear ramp."""
    if step < burn_in:
        return 0.0
    return method.lambda_u * _ramp(step, burn_in, training.steps, method.lambda_u_ramp)


def ema_decay(step: int, burn_in: int, training: TrainingConfig, method: MethodConfig) -> float:
    """EMA decay: ``ema_start`` during burn-in, then a linear ramp to ``ema_end``."""
    if step < burn_in:
        return method.ema_start
    ramp = _ramp(step, burn_in, training.steps, method.ema_ramp)
    return method.ema_start + (method.ema_end - method.ema_start) * ramp


def _ramp(step: int, start: int, end: int, share: float) -> float:
    length = (end - start) * share
    return 1.0 if length < 1 else min(1.0, (step - start + 1) / length)
