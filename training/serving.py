"""Letting a model serve that is there already, imported or refused before: it faces the gate as a new one does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from training.errors import PoolError
from training.gate import GateDecision
from training.models.judging import judge
from training.models.measured import Measure
from training.models.measuring import measure_model, measuring
from training.pool import Model, Project
from training.pool.rounds import import_predictions, serving_model
from training.round import freeze
from training.round_lock import one_round_at_a_time
from training.rundir import RunFolder

Measuring = Callable[..., AbstractContextManager[RunFolder]]


@dataclass(frozen=True)
class Served:
    """What the gate decided, and how many pseudo-masks came in."""

    decision: GateDecision
    proposals: int


def let_serve(
    project: Project,
    model: Model,
    measure: Measure = measure_model,
    measured_folder: Measuring = measuring,
) -> Served:
    """Measure a model on the holdout as it is now and let the gate decide; promoted, it predicts the unlabeled pool.

    Parameters
    ----------
    measure, measured_folder : callable
        The engine's work; see `training.models.measuring`.

    Raises
    ------
    PoolError
        It serves already, or a round is under way.
    EngineError
        It, or the serving model, cannot be used.
    """
    with one_round_at_a_time(project):
        serving = serving_model(project)
        if serving is not None and serving.id == model.id:
            raise PoolError(f"Model {model.id} serves already: there is nothing to decide.")
        with measured_folder(project, model, freeze(project), predict=True) as folder:
            decision = judge(project, model, folder, measure)
            if not decision.promote:
                return Served(decision, 0)
            told = (decision.sentence, decision.confidence)
            return Served(decision, import_predictions(project, model, folder, *told))
