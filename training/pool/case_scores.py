"""What a teacher's round measured of every case beside its proposal: figures that strategies rank by, and points.

Each is stamped with the hash of the model that it was measured with, and comes in with that model's proposals.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sqlalchemy as sa

from training.errors import RunFolderError
from training.pool.embeddings import FILM, put_points
from training.pool.project import Project
from training.pool.schema import case_scores, embeddings, promotions
from training.pool.times import now
from training.rundir import RunFolder

MEASURED = ("region", "disagreement", "sensitivity")
MODELS_KEPT = 3  # teachers whose points are kept, the latest promoted ones: a roll-back finds them
Scores = dict[str, dict[str, float]]


def keep_measured(
    connection: sa.Connection, model_id: str, folder: RunFolder, known: Iterable[str]
) -> None:
    """Bring a run's figures and points in under its teacher's hash, within the transaction of its proposals."""
    cases = set(known)
    created = now()
    rows = [
        {
            "case_id": case_id,
            "model_id": model_id,
            "strategy": name,
            "score": float(entry[name]),
            "created_at": created,
        }
        for case_id, entry in folder.read_predictions_index().items()
        for name in MEASURED
        if case_id in cases and entry.get(name) is not None
    ]
    connection.execute(sa.delete(case_scores).where(case_scores.c.model_id == model_id))
    if rows:
        connection.execute(sa.insert(case_scores), rows)
    for maker, points in _read_points(folder).items():
        own = {case_id: point for case_id, point in points.items() if case_id in cases}
        put_points(connection, FILM if maker == FILM else model_id, own)
    _drop_old_points(connection, model_id)


def _read_points(folder: RunFolder) -> dict[str, dict[str, np.ndarray]]:
    """The run's points by maker (`FILM`, ``teacher``); none where it wrote none."""
    path = folder.embeddings_file
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            case_ids = [str(case_id) for case_id in arrays["case_ids"]]
            makers = [name for name in arrays.files if name != "case_ids"]
            return {name: dict(zip(case_ids, arrays[name], strict=True)) for name in makers}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise RunFolderError(f"{path} is damaged: remove it and resume the round.") from error


def _drop_old_points(connection: sa.Connection, model_id: str) -> None:
    latest = sa.select(promotions.c.model_id).order_by(promotions.c.id.desc()).limit(MODELS_KEPT)
    kept = {FILM, model_id, *connection.scalars(latest)}
    connection.execute(sa.delete(embeddings).where(embeddings.c.model_id.not_in(kept)))


def scores_by(project: Project, model_id: str) -> Scores:
    """What was measured with a model: figure -> case id -> value."""
    query = sa.select(case_scores.c.case_id, case_scores.c.strategy, case_scores.c.score)
    found: Scores = {}
    with project.reading() as connection:
        for case_id, name, score in connection.execute(
            query.where(case_scores.c.model_id == model_id)
        ):
            found.setdefault(name, {})[case_id] = score
    return found
