"""Leases: a case lies on one reader's desk at a time, and comes free by itself when that desk is deserted.

A lease saves readers from doing the same work twice. It is no lock: what is accepted without one is kept all the same,
and two acceptances of one case are told apart by the revisions they started from (`training.pool.accepting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from training.errors import PoolError
from training.pool.accepting import LEASE_SECONDS
from training.pool.database import database_time, upsert
from training.pool.project import Project
from training.pool.schema import leases

# A lease that seems to hold for longer was written before somebody set the clock back: it binds nobody.
LONGEST = 2 * LEASE_SECONDS


class CaseLeased(PoolError):
    """Another reader is working on the case."""


@dataclass(frozen=True)
class Lease:
    """A reader's hold on a case; ``expires_at`` in seconds since 1970 by the database's clock."""

    case_id: str
    reader: str
    expires_at: float


def take_lease(
    project: Project,
    case_id: str,
    reader: str,
    *,
    leave: str | None = None,
    seconds: float = LEASE_SECONDS,
) -> Lease:
    """Lease a case to a reader, or renew their lease; in the same step they may leave another case.

    Parameters
    ----------
    leave : str or None
        A case whose lease the reader gives back.
    seconds : float
        How long the lease holds unless it is renewed.

    Raises
    ------
    CaseLeased
        Another reader holds it; nothing was changed.
    """
    with project.writing() as connection:
        instant = database_time(connection)
        row = {"reader": reader, "expires_at": instant + seconds}
        statement = upsert(connection, leases).values(case_id=case_id, **row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["case_id"],
                set_=row,
                where=sa.or_(
                    leases.c.reader == reader,
                    leases.c.expires_at <= instant,
                    leases.c.expires_at > instant + LONGEST,
                ),
            )
        )
        held = connection.execute(sa.select(leases).where(leases.c.case_id == case_id)).one()
        if held.reader != reader:
            until = datetime.fromtimestamp(held.expires_at, UTC).astimezone()
            raise CaseLeased(
                f"{case_id} is on {held.reader}'s desk until {until:%H:%M}: take another case."
            )
        if leave is not None and leave != case_id:
            _delete(connection, leave, reader)
    return Lease(case_id, reader, held.expires_at)


def give_back(project: Project, case_id: str, reader: str) -> None:
    """End the reader's lease of the case, if there is one."""
    with project.writing() as connection:
        _delete(connection, case_id, reader)


def leases_of_others(project: Project, reader: str = "") -> dict[str, Lease]:
    """The cases that other readers hold at this moment, by case id; of all readers if none is named."""
    with project.reading() as connection:
        instant = database_time(connection)
        query = sa.select(leases).where(
            leases.c.reader != reader,
            leases.c.expires_at > instant,
            leases.c.expires_at <= instant + LONGEST,
        )
        return {row.case_id: Lease(**row._mapping) for row in connection.execute(query)}


def _delete(connection: sa.Connection, case_id: str, reader: str) -> None:
    connection.execute(
        sa.delete(leases).where(leases.c.case_id == case_id, leases.c.reader == reader)
    )
