"""Reading the pool: SQL that turns rows into records. Nothing here writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from training.pool.images import decode_mask
from training.pool.records import (
    DATASET_READER,
    SCRIPTED_READER,
    Case,
    Draft,
    Revision,
    Waiting,
)
from training.pool.schema import cases, drafts, proposals, revisions, skips, standing
from training.pool.standing import zones_in

_case_rows = sa.select(
    cases,
    standing.c.pool,
    standing.c.revision_id,
    standing.c.revisions,
    standing.c.skipped,
    standing.c.contested,
    standing.c.zones,
    revisions.c.mask,
    revisions.c.description.label("revised_description"),
).select_from(
    standing.join(cases, cases.c.id == standing.c.case_id).outerjoin(
        revisions, revisions.c.id == standing.c.revision_id
    )
)


def _case(row: sa.Row[*tuple[Any, ...]]) -> Case:
    return Case(
        id=row.id,
        patient=row.patient,
        pool=row.pool,
        description=row.description if row.revision_id is None else row.revised_description,
        image=row.image,
        mask=row.mask,
        width=row.width,
        height=row.height,
        revisions=row.revisions,
        skipped=row.skipped,
        revision_id=row.revision_id,
        contested=row.contested,
        zones=zones_in(row.zones),
    )


def all_cases(connection: sa.Connection, pool: str | None = None) -> list[Case]:
    """Every case, or every case of a pool, in the order of import. For whole pools; see `cases_page` for lists."""
    query = _case_rows.order_by(standing.c.position)
    if pool is not None:
        query = query.where(standing.c.pool == pool)
    return [_case(row) for row in connection.execute(query)]


def ids_in_pool(connection: sa.Connection, pool: str) -> list[str]:
    """Ids of a pool's cases in the order of import."""
    query = sa.select(standing.c.case_id).where(standing.c.pool == pool)
    return list(connection.scalars(query.order_by(standing.c.position)))


def one_case(connection: sa.Connection, case_id: str) -> Case | None:
    """The case with this id, or None."""
    row = connection.execute(_case_rows.where(standing.c.case_id == case_id)).first()
    return _case(row) if row else None


def cases_page(
    connection: sa.Connection,
    *,
    pool: str | None = None,
    contested: bool | None = None,
    after: str | None = None,
    count: int = 100,
) -> list[Case]:
    """At most ``count`` cases in the order of import, beginning behind the case ``after``."""
    query = _case_rows.order_by(standing.c.position).limit(count)
    if pool is not None:
        query = query.where(standing.c.pool == pool)
    if contested is not None:
        query = query.where(standing.c.contested == contested)
    if after is not None:
        last = sa.select(standing.c.position).where(standing.c.case_id == after).scalar_subquery()
        query = query.where(standing.c.position > last)
    return [_case(row) for row in connection.execute(query)]


def pool_counts(connection: sa.Connection) -> Counter[str]:
    """How many cases each pool has."""
    query = sa.select(standing.c.pool, sa.func.count()).group_by(standing.c.pool)
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def zone_counts(connection: sa.Connection, pool: str = "labeled") -> Counter[str]:
    """How many cases of a pool name each zone."""
    query = (
        sa.select(standing.c.zones, sa.func.count())
        .where(standing.c.pool == pool)
        .group_by(standing.c.zones)
    )
    counts: Counter[str] = Counter()
    for bits, number in connection.execute(query):
        for zone in zones_in(bits):
            counts[zone] += number
    return counts


def waiting(connection: sa.Connection, model_id: str | None) -> list[Waiting]:
    """Every case without a reference mask in the order of import, with a teacher's figures for it."""
    query = (
        sa.select(
            standing.c.case_id,
            cases.c.patient,
            standing.c.pool,
            standing.c.zones,
            standing.c.skipped,
            proposals.c.entropy,
            proposals.c.foreground,
            proposals.c.zones.label("proposed"),
        )
        .select_from(
            standing.join(cases, cases.c.id == standing.c.case_id).outerjoin(
                proposals,
                sa.and_(
                    proposals.c.case_id == standing.c.case_id, proposals.c.model_id == model_id
                ),
            )
        )
        .where(standing.c.pool != "labeled", standing.c.revision_id.is_(None))
        .order_by(standing.c.position)
    )
    return [
        Waiting(*row[:3], zones_in(row[3]), *row[4:7], None if row[7] is None else zones_in(row[7]))
        for row in connection.execute(query).all()
    ]


def revisions_of(connection: sa.Connection, case_id: str) -> list[Revision]:
    """All revisions of a case, oldest first."""
    query = sa.select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.number)
    return [Revision(**row._mapping) for row in connection.execute(query)]


def makers_of(connection: sa.Connection, masks: Mapping[str, str | None]) -> Counter[str]:
    """How many masks, by case id, came with an import, from people, and from a scripted reader.

    Whoever left a mask first made it, whoever accepted it unchanged later. A mask that no revision of its case has
    counts as an import's.
    """
    query = sa.select(revisions.c.case_id, revisions.c.mask, revisions.c.reader)
    readers = {
        (row.case_id, row.mask): row.reader
        for row in connection.execute(query.order_by(revisions.c.id.desc()))
    }
    kinds = {DATASET_READER: "import", SCRIPTED_READER: "script"}
    made = (readers.get((case_id, mask), DATASET_READER) for case_id, mask in masks.items())
    return Counter(kinds.get(reader, "people") for reader in made)


def one_revision(connection: sa.Connection, revision_id: int) -> Revision | None:
    """The revision with this id, or None."""
    row = connection.execute(sa.select(revisions).where(revisions.c.id == revision_id)).first()
    return Revision(**row._mapping) if row else None


def draft_of(connection: sa.Connection, case_id: str, reader: str) -> Draft | None:
    """A reader's draft of a case, or None."""
    query = sa.select(drafts).where(drafts.c.case_id == case_id, drafts.c.reader == reader)
    row = connection.execute(query).first()
    if row is None:
        return None
    mask = decode_mask(row.mask_png)
    return Draft(case_id, reader, mask, row.description, row.strokes, row.updated_at)


def skips_of(connection: sa.Connection, case_id: str) -> list[sa.Row[*tuple[Any, ...]]]:
    """All rows of ``skips`` of a case, oldest first."""
    query = sa.select(skips).where(skips.c.case_id == case_id).order_by(skips.c.id)
    return list(connection.execute(query))
