"""The models of a project: all that rounds left and that came from elsewhere, which one serves, and which did before.

A promotion is a row that is only ever added; rolling back adds one, too. Pseudo-masks belong to the model that made
them, so that those of the model that serves again are there again with that row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from training.errors import PoolError
from training.pool import schema
from training.pool.models import WEIGHTS, add_promotion, model_of_row, serving_model
from training.pool.project import Project
from training.pool.records import Model
from training.pool.times import now

SHORTEST = 4  # letters of a model's id that may stand for it


@dataclass(frozen=True)
class Promotion:
    """A model began to serve: ``confidence`` is the gate's, ``reader`` who rolled back (None: the gate decided)."""

    id: int
    model_id: str
    created_at: str
    reason: str
    reader: str | None
    confidence: float | None


def all_models(project: Project) -> list[Model]:
    """Every model, oldest first; ``promoted`` says whether it ever served."""
    with project.reading() as connection:
        rows = connection.execute(sa.select(schema.models)).all()
        served = set(connection.scalars(sa.select(schema.promotions.c.model_id)))
    rows = sorted(rows, key=lambda row: (row.created_at, row.id))
    return [model_of_row(project, row, row.id in served) for row in rows]


def find_model(project: Project, name: str) -> Model:
    """A model by its id, or the beginning of it, or its round as ``round-3``, or ``serving``.

    Raises
    ------
    PoolError
        There is none, or more than one.
    """
    models = all_models(project)
    if name == "serving":
        serving = serving_model(project)
        found = [] if serving is None else [serving]
    elif name.startswith("round-"):
        found = [model for model in models if str(model.run_id) == name.removeprefix("round-")]
    else:
        found = [model for model in models if model.id == name] or [
            model for model in models if len(name) >= SHORTEST and model.id.startswith(name)
        ]
    if not found:
        known = ", ".join(model.id for model in models[-5:]) or "none yet"
        raise PoolError(f"There is no model {name!r} in {project.folder}: it has {known}.")
    if len(found) > 1:
        raise PoolError(f"More than one model is called {name!r}: give more of its id.")
    return found[0]


def promotions(project: Project) -> list[Promotion]:
    """Every promotion, oldest first."""
    with project.reading() as connection:
        return _promotions(connection)


def _promotions(connection: sa.Connection) -> list[Promotion]:
    table = schema.promotions
    rows = connection.execute(sa.select(table).order_by(table.c.id)).all()
    return [Promotion(**row._mapping) for row in rows]


def earlier_models(history: list[Promotion]) -> list[str]:
    """Ids of the models that rolling back leads to, the nearest first; those rolled back from are not among them."""
    stack: list[str] = []
    for promotion in history:
        if promotion.reader is not None and promotion.model_id in stack:
            del stack[stack.index(promotion.model_id) + 1 :]
        else:
            stack = [each for each in stack if each != promotion.model_id] + [promotion.model_id]
    return stack[-2::-1]


def roll_back(project: Project, reader: str, model: Model | None = None) -> Model:
    """Let an earlier model serve again, with its pseudo-masks, in one transaction. No accepted mask is touched.

    Parameters
    ----------
    reader : str
        Who decided it.
    model : Model, optional
        One that served before; the one before the serving one if left out.

    Raises
    ------
    PoolError
        There is none to go back to, or it never passed the gate, or its weights are gone.
    """
    if not reader.strip():
        raise PoolError("Say who rolls back: give a reader's name.")
    with project.writing() as connection:
        history = _promotions(connection)
        target = _target(project, history, model)
        _refuse_without_weights(project, connection, target)
        reason = f"Rolled back by {reader.strip()} from model {history[-1].model_id}."
        add_promotion(connection, target, reason, reader=reader.strip())
    return find_model(project, target)


def _target(project: Project, history: list[Promotion], model: Model | None) -> str:
    if not history:
        raise PoolError(f"No model serves in {project.folder} yet: there is nothing to roll back.")
    if model is None:
        before = earlier_models(history)
        if not before:
            raise PoolError("No model served before this one: there is nothing to go back to.")
        return before[0]
    if model.id == history[-1].model_id:
        raise PoolError(f"Model {model.id} serves already: name an earlier one.")
    if model.id not in {promotion.model_id for promotion in history}:
        raise PoolError(
            f"Model {model.id} never served: let it face the gate with `semimedref models serve`."
        )
    return model.id


def _refuse_without_weights(project: Project, connection: sa.Connection, model_id: str) -> None:
    table = schema.models
    folder = connection.scalar(sa.select(table.c.folder).where(table.c.id == model_id))
    weights = project.folder / str(folder) / WEIGHTS
    if not weights.is_file():
        raise PoolError(
            f"The weights of model {model_id} are missing ({weights}): go back to another one, or restore that file."
        )


def add_imported(
    project: Project, model_id: str, folder: Path, card: dict[str, Any], origin: str
) -> Model:
    """Register a model whose folder lies in the project already and that came from elsewhere."""
    row = {
        "id": model_id,
        "run_id": None,
        "folder": folder.relative_to(project.folder).as_posix(),
        "scores": {},
        "created_at": now(),
        "card": card,
        "origin": origin,
    }
    with project.writing() as connection:
        connection.execute(sa.insert(schema.models).values(row))
    return find_model(project, model_id)
