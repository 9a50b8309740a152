"""What readers write: revisions, skips and drafts, each in one transaction together with how the case then stands.

Two readers never overwrite each other. A reader who accepts says which revision they started from; where another one
became the reference meanwhile, both revisions are kept, the earlier one stays the reference, and the case is contested
until somebody adjudicates (`training.pool.adjudication`).
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from training.errors import PoolError
from training.pool import schema
from training.pool.database import database_time, upsert
from training.pool.digest import revision_digest
from training.pool.records import Case, Revision
from training.pool.standing import doubt_of, pool_of, zone_bits
from training.pool.times import now

LEASE_SECONDS = 600.0
PLANTED_REASON = (
    "The proposal was wrong on purpose and was accepted almost as it was: it teaches nothing."
)
StartedFrom = int | None | Literal["latest"]


def clean(text: str) -> str:
    """Text as it is kept: no blanks around it, no character that a database cannot hold."""
    kept = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return kept.strip()


def add_reader(connection: sa.Connection, reader: str) -> None:
    """Make sure the reader is known."""
    row = upsert(connection, schema.readers).values(id=reader, created_at=now())
    connection.execute(row.on_conflict_do_nothing())


def add_revision(
    connection: sa.Connection, case: Case, row: dict[str, Any], started_from: StartedFrom = "latest"
) -> Revision:
    """Add a revision and let the case stand accordingly. The reader's draft and lease of it end.

    Parameters
    ----------
    connection : Connection
        In a write transaction.
    row : dict
        Columns of ``revisions``, apart from the id, the number, the parent, the time and the digest.
    started_from : int, None or "latest"
        The reference revision that the reader saw, None if there was none; "latest" asks for no such check.

    Raises
    ------
    PoolError
        There is no such case, or a blind reading was not asked for.
    """
    add_reader(connection, row["reader"])
    stand = _locked(connection, case.id)
    parent = stand.revision_id if started_from == "latest" else started_from
    revisions = schema.revisions
    before = connection.scalar(
        sa.select(revisions.c.digest).where(
            revisions.c.case_id == case.id, revisions.c.number == stand.revisions
        )
    )
    row = row | {"number": stand.revisions + 1, "parent_id": parent, "created_at": now()}
    row["digest"] = revision_digest(row, before or "")
    key = connection.scalar(sa.insert(revisions).values(row).returning(revisions.c.id))
    revision = Revision(id=key, **row)
    _let_stand(connection, case, stand, revision)
    if revision.reading == "blind":
        _answer(connection, revision)
    else:
        _answer_showing(connection, revision)
    _leave(connection, case.id, revision.reader)
    return revision


def _locked(connection: sa.Connection, case_id: str) -> sa.Row[*tuple[Any, ...]]:
    """How the case stands; nobody else changes it before this transaction ends."""
    table = schema.standing
    row = connection.execute(
        sa.select(table).where(table.c.case_id == case_id).with_for_update()
    ).first()
    if row is None:
        raise PoolError(f"There is no case {case_id!r} in this project any more: open another one.")
    return row


def _let_stand(
    connection: sa.Connection, case: Case, stand: sa.Row[*tuple[Any, ...]], revision: Revision
) -> None:
    values: dict[str, Any] = {"revisions": revision.number}
    settles = revision.reading == "adjudication"
    if settles or (revision.reading == "open" and revision.parent_id == stand.revision_id):
        split = case.pool if case.is_holdout else "training"
        values |= {
            "revision_id": revision.id,
            "pool": pool_of(split, True),
            "zones": zone_bits(revision.description),
            "doubt": doubt_of(revision.description),
            "skipped": False,
        }
        values |= {"contested": False} if settles else {}
    elif revision.reading == "open":
        reason = f"{revision.reader} had started from an earlier state of the case."
        add_dispute(connection, case.id, revision.id, reason)
    elif revision.reading == "planted":
        add_dispute(connection, case.id, revision.id, PLANTED_REASON)
    table = schema.standing
    connection.execute(sa.update(table).where(table.c.case_id == case.id).values(values))


def _answer(connection: sa.Connection, revision: Revision) -> None:
    """Note that a blind reading answers the case's open request."""
    table, revisions = schema.second_readings, schema.revisions
    case_id, reader = revision.case_id, revision.reader
    own = sa.select(sa.func.count()).where(
        revisions.c.case_id == case_id, revisions.c.reader == reader
    )
    if connection.scalars(own).one() > 1:
        raise PoolError(
            f"{reader} has read {case_id} before: a blind reading needs another reader."
        )
    request = connection.scalar(
        sa.select(sa.func.min(table.c.id)).where(
            table.c.case_id == case_id, table.c.revision_id.is_(None)
        )
    )
    if request is None:
        raise PoolError(f"No second reading of {case_id} is wanted any more: nothing was accepted.")
    connection.execute(
        sa.update(table).where(table.c.id == request).values(revision_id=revision.id)
    )


def _answer_showing(connection: sa.Connection, revision: Revision) -> None:
    """Note that the reader's latest showing of the case led to this acceptance."""
    table = schema.showings
    latest = sa.select(sa.func.max(table.c.id)).where(
        table.c.case_id == revision.case_id, table.c.reader == revision.reader
    )
    connection.execute(
        sa.update(table)
        .where(table.c.id == latest.scalar_subquery(), table.c.revision_id.is_(None))
        .values(revision_id=revision.id)
    )


def add_dispute(connection: sa.Connection, case_id: str, revision_id: int, reason: str) -> None:
    """Write down why a case needs adjudication: it is contested from now on."""
    row = {"case_id": case_id, "revision_id": revision_id, "reason": reason, "created_at": now()}
    connection.execute(sa.insert(schema.disputes).values(row))
    table = schema.standing
    connection.execute(sa.update(table).where(table.c.case_id == case_id).values(contested=True))


def _leave(connection: sa.Connection, case_id: str, reader: str) -> None:
    for table in (schema.drafts, schema.leases):
        connection.execute(
            sa.delete(table).where(table.c.case_id == case_id, table.c.reader == reader)
        )


def add_skip(connection: sa.Connection, case_id: str, row: dict[str, Any]) -> None:
    """Note that a reader put the case aside; ``row`` holds columns of ``skips``. The draft stays, the lease ends."""
    add_reader(connection, row["reader"])
    stand = _locked(connection, case_id)
    row = row | {"case_id": case_id, "revision_id": stand.revision_id, "created_at": now()}
    connection.execute(sa.insert(schema.skips).values(row))
    table, leases = schema.standing, schema.leases
    connection.execute(sa.update(table).where(table.c.case_id == case_id).values(skipped=True))
    connection.execute(
        sa.delete(leases).where(leases.c.case_id == case_id, leases.c.reader == row["reader"])
    )


def put_draft(connection: sa.Connection, case_id: str, reader: str, values: dict[str, Any]) -> None:
    """Keep a reader's unaccepted work in place of the earlier; whoever works goes on holding the lease."""
    add_reader(connection, reader)
    leases = schema.leases
    connection.execute(
        sa.update(leases)
        .where(leases.c.case_id == case_id, leases.c.reader == reader)
        .values(expires_at=database_time(connection) + LEASE_SECONDS)
    )
    statement = upsert(connection, schema.drafts).values(case_id=case_id, reader=reader, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["case_id", "reader"], set_=values)
    )
