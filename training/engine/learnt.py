"""When burn-in is over: once the labeled films have little more to teach. Nothing is trained here."""

from __future__ import annotations

import torch

from training.config import RunConfig
from training.engine.data import FilmPool
from training.engine.evaluate import evaluate
from training.engine.networks import Network
from training.engine.predict import Predictor

LOOKS = 20  # A run asks at most so often, a twentieth of its steps apart.
FILMS = 64  # So many of each pool say enough.


def burn_in_is_over(
    teacher: Network, labeled: FilmPool, gate: FilmPool, config: RunConfig, device: torch.device
) -> bool:
    """Whether the unlabeled pool may be used from here on.

    While the teacher errs on films that it has not seen about as often as on its labeled ones, more steps on these
    teach it more than a pseudo-mask could. `error_ratio` says how far it is beyond that; ``burn_in_until`` of the
    settings is where the unlabeled pool begins to pay (decision 15).

    Parameters
    ----------
    labeled, gate : FilmPool
        With masks. Without any in ``gate``, the steps alone decide, and the answer is True.
    """
    if not config.burn_in_may_last or len(gate) == 0:
        return True
    predictor = Predictor(teacher, device)
    seen, unseen = (
        1 - evaluate(predictor, pool, config.method.threshold, FILMS).scores.dice_global
        for pool in (labeled, gate)
    )
    return error_ratio(seen, unseen) >= config.training.burn_in_until


def error_ratio(seen: float, unseen: float) -> float:
    """How much more is wrong on films that were not learned from; infinite where nothing is wrong on those that were.

    Parameters
    ----------
    seen, unseen : float in [0, 1]
        1 - Dice over all pixels.
    """
    return unseen / seen if seen > 0 else float("inf")


def next_look(step: int, steps: int) -> int:
    """The step at which a run that is still in burn-in asks again; ``steps`` where it ends before."""
    return min(steps, step + max(1, round(steps / LOOKS)))
