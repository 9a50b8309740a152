"""Models and promotions: keeping what a run learned, and which teacher serves."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from training.errors import PoolError, RunFolderError
from training.files import sentence_for
from training.pool import schema
from training.pool.project import Project
from training.pool.records import Model, Run
from training.pool.times import now

WEIGHTS = "teacher.safetensors"


def model_of_row(project: Project, row: sa.Row[*tuple[Any, ...]], promoted: bool) -> Model:
    """The model that a row of ``models`` is about."""
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
    return None if row is None else model_of_row(project, row, promoted=True)


def model_id_of(weights: Path) -> str:
    """A model's id: the beginning of the SHA-256 of its teacher's weights, in the folder ``weights``.

    Raises
    ------
    RunFolderError
        The folder holds no weights.
    """
    if not (weights / WEIGHTS).is_file():
        raise RunFolderError(
            f"{weights} holds no {WEIGHTS}: the run left no model; start the round again."
        )
    with (weights / WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def keep_model(
    project: Project,
    run: Run,
    weights: Path,
    scores: dict[str, Any],
    card: dict[str, Any] | None = None,
) -> Model:
    """Copy a run's model folder into the project under the hash of its teacher's weights and register it.

    Parameters
    ----------
    weights : Path
        Folder with ``teacher.safetensors`` and ``model.json``.
    scores : dict
        Content of the run's ``scores.json``.
    card : dict, optional
        How the model came about (`training.models.card`), JSON-able.

    Raises
    ------
    RunFolderError
        The folder holds no weights.
    """
    model_id = model_id_of(weights)
    folder = project.folder / "models" / model_id
    if not folder.exists():
        copy_folder(weights, folder)
    row: dict[str, Any] = {
        "id": model_id,
        "run_id": run.id,
        "folder": folder.relative_to(project.folder).as_posix(),
        "scores": scores,
        "created_at": now(),
        "card": card,
    }
    table = schema.models
    with project.writing() as connection:
        if connection.scalar(sa.select(table.c.id).where(table.c.id == model_id)) is None:
            connection.execute(sa.insert(table).values(row))
        kept = connection.execute(sa.select(table).where(table.c.id == model_id)).one()
    return model_of_row(project, kept, promoted=False)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder whole or not at all.

    Raises
    ------
    PoolError
        The disk is full, or may not be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as temporary:
            copy = shutil.copytree(source, Path(temporary) / target.name)
            os.replace(copy, target)
    except OSError as error:
        raise PoolError(sentence_for(error, target)) from error


def add_promotion(
    connection: sa.Connection,
    model_id: str,
    reason: str,
    *,
    reader: str | None = None,
    confidence: float | None = None,
) -> None:
    """Let a model serve from the end of this transaction on."""
    row: dict[str, Any] = {"model_id": model_id, "created_at": now(), "reason": reason}
    row |= {"reader": reader, "confidence": confidence}
    connection.execute(sa.insert(schema.promotions).values(row))
