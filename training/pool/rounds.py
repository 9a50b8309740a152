"""Runs and proposals: what rounds leave in the pool, beside models (`training.pool.models`). Deciding is
`training.round`'s business.

Only `import_predictions` and `register_run` and their kin write here, each in one transaction, so that a crash
leaves the former teacher and its proposals in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from training.errors import FormatError, RunFolderError
from training.files import sentence_for
from training.pool import schema
from training.pool.case_scores import keep_measured
from training.pool.images import decode_mask, read_image
from training.pool.models import WEIGHTS, add_promotion, keep_model, serving_model
from training.pool.project import Project
from training.pool.records import Model, Proposal, Run
from training.pool.standing import bits_of
from training.pool.times import now
from training.report import zones_of
from training.report.zones import Convention
from training.rundir import RunFolder

__all__ = [
    "WEIGHTS",
    "all_runs",
    "close_run",
    "import_predictions",
    "keep_model",
    "proposals_of",
    "read_probability",
    "read_proposal",
    "register_run",
    "serving_model",
]


def register_run(project: Project, folder: Path, labeled: int, unlabeled: int) -> Run:
    """Note a new run whose folder lies in the project."""
    row: dict[str, Any] = {
        "folder": str(folder.relative_to(project.folder)),
        "labeled": labeled,
        "unlabeled": unlabeled,
        "created_at": now(),
    }
    with project.writing() as connection:
        key = connection.scalars(sa.insert(schema.runs).returning(schema.runs.c.id), [row]).one()
    return Run(
        id=key,
        folder=folder,
        labeled=labeled,
        unlabeled=unlabeled,
        created_at=row["created_at"],
        outcome=None,
        reason=None,
    )


def all_runs(project: Project) -> list[Run]:
    """Every run, oldest first."""
    with project.reading() as connection:
        rows = connection.execute(sa.select(schema.runs).order_by(schema.runs.c.id)).all()
    return [Run(**(dict(row._mapping) | {"folder": project.folder / row.folder})) for row in rows]


def close_run(project: Project, run: Run, outcome: str, reason: str) -> None:
    """Write down how a run ended: "promoted", "refused", "stopped", "failed" or "lost", and why."""
    statement = (
        sa.update(schema.runs)
        .where(schema.runs.c.id == run.id)
        .values(outcome=outcome, reason=reason)
    )
    with project.writing() as connection:
        connection.execute(statement)


def import_predictions(
    project: Project,
    model: Model,
    folder: RunFolder,
    reason: str = "",
    confidence: float | None = None,
) -> int:
    """Promote ``model`` and bring in its run's pseudo-masks, all in one transaction.

    Cases that have left the pool meanwhile are passed over.

    Parameters
    ----------
    reason, confidence
        The gate's, kept with the promotion.

    Returns
    -------
    int
        How many proposals came in.

    Raises
    ------
    RunFolderError
        The run's predictions are missing or damaged; the former teacher goes on serving.
    """
    rows = _proposal_rows(project, model, folder)
    table = schema.proposals
    with project.writing() as connection:
        known = set(connection.scalars(sa.select(schema.cases.c.id)))
        rows = [row for row in rows if row["case_id"] in known]
        # An adoption that was interrupted may be repeated; its rows are the same.
        connection.execute(sa.delete(table).where(table.c.model_id == model.id))
        if rows:
            connection.execute(sa.insert(table), rows)
        keep_measured(connection, model.id, folder, known)
        add_promotion(connection, model.id, reason, confidence=confidence)
    return len(rows)


def _proposal_rows(project: Project, model: Model, folder: RunFolder) -> list[dict[str, Any]]:
    descriptions = {case.case_id: case.description for case in folder.read_snapshot().unlabeled}
    convention = project.laterality
    rows = []
    for case_id, entry in folder.read_predictions_index().items():
        picture = folder.predictions / f"{case_id}.png"
        try:
            content = picture.read_bytes()
        except OSError as error:
            raise RunFolderError(sentence_for(error, picture)) from error
        rows.append(
            {
                "case_id": case_id,
                "model_id": model.id,
                "probability": project.probabilities.put(content, ".png", durable=False),
                "description": descriptions.get(case_id, ""),
                "entropy": entry["entropy"],
                "foreground": entry["foreground"],
                "zones": _zones_touched(content, convention),
            }
        )
    return rows


def _zones_touched(content: bytes, convention: Convention) -> int | None:
    """Six bits for a probability map's PNG; None where it is no picture, which whoever reads it will say."""
    try:
        return bits_of(zones_of(decode_mask(content), convention=convention))
    except (OSError, SyntaxError):
        return None


def proposals_of(project: Project, model: Model) -> dict[str, Proposal]:
    """All proposals of a model by case id."""
    query = sa.select(schema.proposals).where(schema.proposals.c.model_id == model.id)
    with project.reading() as connection:
        return {row.case_id: Proposal(**row._mapping) for row in connection.execute(query)}


def read_proposal(project: Project, case_id: str) -> tuple[Proposal, np.ndarray] | None:
    """The serving teacher's proposal for a case and its probability map.

    Returns
    -------
    (Proposal, (h, w) float32 in [0, 1]) or None
        At the network's resolution; None when no teacher has proposed anything, or its file is gone.
    """
    model = serving_model(project)
    if model is None:
        return None
    table = schema.proposals
    query = sa.select(table).where(table.c.case_id == case_id, table.c.model_id == model.id)
    with project.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    proposal = Proposal(**row._mapping)
    probability = read_probability(project, proposal)
    return None if probability is None else (proposal, probability)


def read_probability(project: Project, proposal: Proposal) -> np.ndarray | None:
    """The proposal's probability map, ``(h, w) float32 in [0, 1]``; None if its file is gone.

    A proposal can always be made again, so a missing one must not stop anybody's review.
    """
    try:
        return read_image(project.folder / proposal.probability)
    except FormatError:
        return None
