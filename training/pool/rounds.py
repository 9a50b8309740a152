"""Runs, models, promotions and proposals: what rounds leave in the pool. Deciding is `training.round`'s business.

Only `import_predictions` and `register_run` and their kin write here, each in one transaction, so that a crash
leaves the former teacher and its proposals in place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from training.errors import FormatError, PoolError, RunFolderError
from training.files import sentence_for
from training.pool import schema
from training.pool.case_scores import keep_measured
from training.pool.images import decode_mask, read_image
from training.pool.project import Laterality, Project, now
from training.pool.records import Model, Proposal, Run
from training.pool.standing import bits_of
from training.report import zones_of
from training.rundir import RunFolder

WEIGHTS = "teacher.safetensors"


def register_run(project: Project, folder: Path, labeled: int, unlabeled: int) -> Run:
    """Note a new run whose folder lies in the project."""
    row: dict = {
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


def _model(project: Project, row: sa.Row, promoted: bool) -> Model:
    values = dict(row._mapping) | {"folder": project.folder / row.folder, "promoted": promoted}
    return Model(**values)


def serving_model(project: Project) -> Model | None:
    """The teacher that was promoted last; None before the first promotion."""
    models, promotions = schema.models, schema.promotions
    query = (
        sa.select(models)
        .join(promotions, promotions.c.model_id == models.c.id)
        .order_by(promotions.c.id.desc())
        .limit(1)
    )
    with project.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else _model(project, row, promoted=True)


def keep_model(project: Project, run: Run, weights: Path, scores: dict) -> Model:
    """Copy a run's model folder into the project under the hash of its teacher's weights and register it.

    Parameters
    ----------
    weights : Path
        Folder with ``teacher.safetensors`` and ``model.json``.
    scores : dict
        Content of the run's ``scores.json``.

    Raises
    ------
    RunFolderError
        The folder holds no weights.
    """
    if not (weights / WEIGHTS).is_file():
        raise RunFolderError(
            f"{weights} holds no {WEIGHTS}: the run left no model; start the round again."
        )
    model_id = hashlib.sha256((weights / WEIGHTS).read_bytes()).hexdigest()[:16]
    folder = project.folder / "models" / model_id
    if not folder.exists():
        _copy_folder(weights, folder)
    row: dict = {
        "id": model_id,
        "run_id": run.id,
        "folder": str(folder.relative_to(project.folder)),
        "scores": scores,
        "created_at": now(),
    }
    with project.writing() as connection:
        known = connection.scalar(
            sa.select(schema.models.c.id).where(schema.models.c.id == model_id)
        )
        if known is None:
            connection.execute(sa.insert(schema.models).values(row))
    return Model(model_id, run.id, folder, scores, False, row["created_at"])


def _copy_folder(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as temporary:
            copy = shutil.copytree(source, Path(temporary) / target.name)
            os.replace(copy, target)
    except OSError as error:
        raise PoolError(sentence_for(error, target)) from error


def import_predictions(project: Project, model: Model, folder: RunFolder) -> int:
    """Promote ``model`` and bring in its run's pseudo-masks, all in one transaction.

    Cases that have left the pool meanwhile are passed over.

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
        connection.execute(sa.insert(schema.promotions).values(model_id=model.id, created_at=now()))
    return len(rows)


def _proposal_rows(project: Project, model: Model, folder: RunFolder) -> list[dict]:
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


def _zones_touched(content: bytes, convention: Laterality) -> int | None:
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
