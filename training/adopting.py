"""The end of a round on the pool's side: its model is registered, the gate decides, and the pseudo-masks come in."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.config import RunConfig
from training.errors import RunFolderError
from training.files import write_atomically
from training.models.card import FILE as CARD
from training.models.card import make_card
from training.models.judging import judge
from training.models.measured import Measure, measured_in, write_measured
from training.models.measuring import SETTINGS, measure_model
from training.pool import Model, Project, Run
from training.pool.models import keep_model, model_id_of
from training.pool.queries import makers_of
from training.pool.rounds import close_run, import_predictions
from training.rundir import RunFolder


@dataclass(frozen=True)
class RoundOutcome:
    """How a round ended.

    Attributes
    ----------
    state : str
        "promoted", "refused", "stopped", "failed" or "lost" (its folder is gone).
    sentence : str
        The gate's, or why it did not come to the gate.
    scores : dict or None
        Content of the run's ``scores.json``; None without any.
    model : Model or None
        What the round left.
    proposals : int
        Pseudo-masks that came in.
    """

    state: str
    sentence: str
    run: Run
    scores: dict[str, Any] | None = None
    model: Model | None = None
    proposals: int = 0


def adopt(project: Project, run: Run, measure: Measure = measure_model) -> RoundOutcome:
    """Register a finished run's model, let the gate decide, and promote it with its pseudo-masks if it may serve.

    Parameters
    ----------
    measure : callable
        Measures the serving model anew where its figures do not cover the gate half as it is.

    Raises
    ------
    RunFolderError
        The run has no scores or no model.
    EngineError
        The serving model cannot be measured; the run stays undecided.
    """
    folder = RunFolder.open(run.folder)
    scores = folder.read_scores()
    model = _register(project, run, folder, scores)
    decision = judge(project, model, folder, measure)
    told = (decision.sentence, decision.confidence)
    proposals = import_predictions(project, model, folder, *told) if decision.promote else 0
    outcome = "promoted" if decision.promote else "refused"
    close_run(project, run, outcome, decision.sentence)
    return RoundOutcome(outcome, decision.sentence, run, scores, model, proposals)


def _register(project: Project, run: Run, folder: RunFolder, scores: dict[str, Any]) -> Model:
    """Keep the run's teacher and student with their card and what they were measured on."""
    weights, config, measured = _with_config(folder), folder.read_config(), measured_in(folder)
    snapshot = folder.read_snapshot()
    with project.reading() as connection:
        masks = {case.case_id: case.mask for case in snapshot.labeled}
        makers = makers_of(connection, masks)
    card = make_card(
        model=model_id_of(weights),
        project=project.folder.name,
        number=run.id,
        created_at=run.created_at,
        parent=_parent(config),
        config=config,
        snapshot=snapshot,
        masks_from=makers,
        scores=scores,
        measured=measured,
    )
    model = keep_model(project, run, weights, scores, card.model_dump(mode="json"))
    write_measured(model.folder, measured)
    write_atomically(model.folder / CARD, card.text())
    return model


def _parent(config: RunConfig) -> str | None:
    """Id of the model that a run started from; None for a fresh start, or where that model is gone."""
    if config.init_from is None:
        return None
    with contextlib.suppress(RunFolderError, OSError):
        return model_id_of(Path(config.init_from))
    return None


def _with_config(folder: RunFolder) -> Path:
    """The run's best model folder, its settings laid beside the weights so that the next round can compare."""
    if not folder.best.is_dir():
        raise RunFolderError(f"{folder.path} has no model: resume the run.")
    write_atomically(folder.best / SETTINGS, folder.read_config().model_dump_json(indent=1))
    return folder.best
