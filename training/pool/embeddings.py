"""Films as points, kept in the project: those that a model made at the end of its round, and those of pixels alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from training.embedding import film_point
from training.pool.database import upsert
from training.pool.project import Project
from training.pool.schema import cases, embeddings
from training.pool.thumbnails import Thumbnails

FILM = "film"  # stands in for a model's hash where pixels alone made the points
KIND = np.dtype("<f2")
Points = dict[str, NDArray[np.float32]]


def put_points(
    connection: sa.Connection, model_id: str, points: Mapping[str, NDArray[np.floating]]
) -> None:
    """Keep points ``(D,)`` of cases, in place of earlier ones by the same maker."""
    if not points:
        return
    rows = [
        {"case_id": case_id, "model_id": model_id, "vector": point.astype(KIND).tobytes()}
        for case_id, point in points.items()
    ]
    statement = upsert(connection, embeddings)
    changed = {"vector": statement.excluded.vector}
    keys = ["case_id", "model_id"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def points_of(project: Project, model_id: str, case_ids: Iterable[str] | None = None) -> Points:
    """Points ``(D,) float32`` that a model, or `FILM`, made: of all cases, or of these."""
    query = sa.select(embeddings.c.case_id, embeddings.c.vector)
    query = query.where(embeddings.c.model_id == model_id)
    if case_ids is not None:
        query = query.where(embeddings.c.case_id.in_(list(case_ids)))
    with project.reading() as connection:
        return {
            case_id: np.frombuffer(vector, KIND).astype(np.float32)
            for case_id, vector in connection.execute(query)
        }


def describe_films(project: Project, most: int) -> int:
    """Make the points of pixels alone for cases that have none, at most ``most`` of them; returns how many."""
    table = embeddings
    missing = (
        sa.select(cases.c.id, cases.c.image)
        .outerjoin(table, sa.and_(table.c.case_id == cases.c.id, table.c.model_id == FILM))
        .where(table.c.case_id.is_(None), cases.c.split == "training")
        .order_by(cases.c.image)  # named by a hash: a sample of the pool, should there be too many
        .limit(most)
    )
    with project.reading() as connection:
        waiting = connection.execute(missing).all()
    pictures = Thumbnails(project)
    found: Points = {}
    for case_id, image in waiting:
        picture = pictures.picture(image)
        if picture is not None:
            found[case_id] = film_point(picture)
    if found:
        with project.writing() as connection:
            put_points(connection, FILM, found)
    return len(found)
