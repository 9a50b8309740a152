"""Reading the pool: SQL that turns rows into records. Nothing here writes."""

from __future__ import annotations

import sqlalchemy as sa

from training.pool.records import Case, Revision
from training.pool.schema import cases, revisions, skips

_latest = (
    sa.select(
        revisions.c.case_id,
        sa.func.max(revisions.c.id).label("revision_id"),
        sa.func.count().label("revisions"),
        sa.func.max(revisions.c.created_at).label("revised_at"),
    )
    .group_by(revisions.c.case_id)
    .subquery("latest")
)
_skipped = (
    sa.select(skips.c.case_id, sa.func.max(skips.c.created_at).label("skipped_at"))
    .group_by(skips.c.case_id)
    .subquery("skipped")
)
_case_rows = sa.select(
    cases,
    _latest.c.revisions,
    _latest.c.revised_at,
    revisions.c.mask,
    revisions.c.description.label("revised_description"),
    _skipped.c.skipped_at,
).select_from(
    cases.outerjoin(_latest, _latest.c.case_id == cases.c.id)
    .outerjoin(revisions, revisions.c.id == _latest.c.revision_id)
    .outerjoin(_skipped, _skipped.c.case_id == cases.c.id)
)


def _case(row: sa.Row) -> Case:
    pool = row.split if row.split != "training" else ("labeled" if row.revisions else "unlabeled")
    return Case(
        id=row.id,
        patient=row.patient,
        pool=pool,
        description=row.revised_description if row.revisions else row.description,
        image=row.image,
        mask=row.mask,
        width=row.width,
        height=row.height,
        revisions=row.revisions or 0,
        skipped=bool(row.skipped_at) and row.skipped_at > (row.revised_at or ""),
    )


def all_cases(connection: sa.Connection) -> list[Case]:
    """Every case in the order of import."""
    return [_case(row) for row in connection.execute(_case_rows.order_by(cases.c.position))]


def one_case(connection: sa.Connection, case_id: str) -> Case | None:
    """The case with this id, or None."""
    row = connection.execute(_case_rows.where(cases.c.id == case_id)).first()
    return _case(row) if row else None


def revisions_of(connection: sa.Connection, case_id: str) -> list[Revision]:
    """All revisions of a case, oldest first."""
    query = sa.select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.id)
    return [Revision(**row._mapping) for row in connection.execute(query)]
