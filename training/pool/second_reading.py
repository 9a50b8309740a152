"""Blind second readings: a labeled case is read again by somebody else, who sees neither the first mask nor its words.

The second mask never becomes the reference. It is compared with the first (`training.pool.agreement`), and where the
two differ too much the case is contested and adjudicated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from training.errors import PoolError
from training.pool import schema
from training.pool.project import Project
from training.pool.records import DATASET_READER, Case
from training.pool.standing import pool_of, zone_bits, zones_in
from training.pool.times import now


def ask_second_reading(project: Project, case_ids: Iterable[str]) -> int:
    """Ask for a second reading of these cases; those that wait for one already are passed over.

    Returns
    -------
    int
        How many were added.

    Raises
    ------
    PoolError
        A case has no first reading by a reader.
    """
    wanted = list(dict.fromkeys(case_ids))
    with project.writing() as connection:
        known, waiting = set(_read_by_somebody(connection)), set(_unanswered(connection))
        for case_id in wanted:
            if case_id not in known:
                raise PoolError(
                    f"{case_id} has no first reading: a second one would have no other."
                )
        rows = [
            {"case_id": case_id, "asked_at": now()} for case_id in wanted if case_id not in waiting
        ]
        if rows:
            connection.execute(sa.insert(schema.second_readings), rows)
    return len(rows)


def draw_for_second_reading(project: Project, count: int, rng: np.random.Generator) -> list[str]:
    """Choose up to ``count`` cases at random among those that one reader, and no second one, has read."""
    with project.reading() as connection:
        table = schema.second_readings
        asked = set(connection.scalars(sa.select(table.c.case_id)))
        candidates = [case for case in _read_by_somebody(connection) if case not in asked]
    picked = rng.permutation(len(candidates))[:count]
    return [candidates[index] for index in sorted(picked)]


def second_readings_for(project: Project, reader: str) -> list[str]:
    """Cases that wait for a second reading and that this reader has never read, in the order they were asked for."""
    revisions = schema.revisions
    with project.reading() as connection:
        read = set(
            connection.scalars(
                sa.select(revisions.c.case_id).where(revisions.c.reader == reader).distinct()
            )
        )
        return [case_id for case_id in _unanswered(connection) if case_id not in read]


def blinded(project: Project, case_id: str) -> Case:
    """The case as it was imported: without anybody's mask, and with its first description."""
    case, cases = project.case(case_id), schema.cases
    with project.reading() as connection:
        row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one()
    return replace(
        case,
        pool=pool_of(row.split, False),
        description=row.description,
        mask=None,
        revision_id=None,
        revisions=0,
        skipped=False,
        contested=False,
        zones=zones_in(zone_bits(row.description)),
    )


def _unanswered(connection: sa.Connection) -> list[str]:
    table = schema.second_readings
    query = sa.select(table.c.case_id).where(table.c.revision_id.is_(None)).order_by(table.c.id)
    return list(connection.scalars(query))


def _read_by_somebody(connection: sa.Connection) -> list[str]:
    """Cases whose reference mask a reader made, in the order of import."""
    standing, revisions = schema.standing, schema.revisions
    query = (
        sa.select(standing.c.case_id)
        .join(revisions, revisions.c.id == standing.c.revision_id)
        .where(revisions.c.reader != DATASET_READER)
        .order_by(standing.c.position)
    )
    return list(connection.scalars(query))
