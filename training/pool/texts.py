"""What a case's description has been: the words it was imported with and those of its revisions. Reading only."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from training.pool import queries
from training.pool.project import Project
from training.pool.schema import cases


@dataclass(frozen=True)
class PastText:
    """A description that a case had; ``reader`` is empty for the one it was imported with."""

    time: str
    reader: str
    text: str


def past_texts(project: Project, case_id: str) -> list[PastText]:
    """The texts of a case, the latest first; a text that was kept by the next revision stands there once.

    Raises
    ------
    PoolError
        There is no such case.
    """
    project.case(case_id)
    with project.reading() as connection:
        row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one()
        texts = [PastText(row.imported_at, "", row.description)]
        for revision in queries.revisions_of(connection, case_id):
            if revision.description != texts[-1].text:
                texts.append(PastText(revision.created_at, revision.reader, revision.description))
    return texts[::-1]
