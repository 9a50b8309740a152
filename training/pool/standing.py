"""How each case stands now, derived from its revisions, skips and disputes. Rows are derived here and nowhere else.

The table ``standing`` is kept in step within the transaction of whatever changes it, so that counting pools, turning a
page or planning a queue never has to go through a hundred thousand revisions. `derive` says what it ought to hold: the
audit compares, and `rebuild` makes it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

import sqlalchemy as sa

from training.pool.records import HOLDOUT, Pool
from training.pool.schema import cases, disputes, revisions, skips, standing
from training.report import ZONES, parse

BATCH = 1000


@lru_cache(maxsize=4096)
def zone_bits(description: str) -> int:
    """The zones that a description names as six bits, ``Lu`` the lowest (the order of `training.report.ZONES`)."""
    return bits_of(parse(description).zones)


def bits_of(zones: Iterable[str]) -> int:
    """Zones as six bits, ``Lu`` the lowest."""
    named = frozenset(zones)
    return sum(1 << bit for bit, zone in enumerate(ZONES) if zone in named)


def doubt_of(description: str) -> int:
    """The weight of the gravest problem in a description (see `training.report.Problem`), 0 to 3."""
    return max((problem.weight for problem in parse(description).problems), default=0)


@lru_cache(maxsize=64)
def zones_in(bits: int) -> frozenset[str]:
    """The zones of six bits."""
    return frozenset(zone for bit, zone in enumerate(ZONES) if bits >> bit & 1)


def pool_of(split: str, has_reference: bool) -> Pool:
    """The pool of a case: a training case with a reference is labeled; the holdout stays what it is."""
    if split in HOLDOUT:
        return cast(Pool, split)
    return "labeled" if has_reference else "unlabeled"


def derive(
    case: sa.RowMapping,
    revised: Sequence[sa.RowMapping],
    put_aside: Iterable[sa.RowMapping],
    disputed: Iterable[sa.RowMapping],
) -> dict[str, Any]:
    """The row of ``standing`` that follows from a case's other rows.

    Parameters
    ----------
    case : mapping
        Row of ``cases``.
    revised : sequence of mappings
        Rows of ``revisions`` in the order of their numbers.
    put_aside, disputed : iterables of mappings
        Rows of ``skips`` and of ``disputes``.
    """
    reference, adjudicated = None, 0
    for revision in revised:
        if revision["reading"] == "adjudication":
            reference, adjudicated = revision, revision["id"]
        elif revision["reading"] == "open" and revision["parent_id"] == _id(reference):
            reference = revision
    description = case["description"] if reference is None else reference["description"]
    return {
        "case_id": case["id"],
        "position": case["position"],
        "pool": pool_of(case["split"], reference is not None),
        "revision_id": _id(reference),
        "revisions": len(revised),
        "zones": zone_bits(description),
        "skipped": any(skip["revision_id"] == _id(reference) for skip in put_aside),
        "contested": any(dispute["revision_id"] > adjudicated for dispute in disputed),
        "doubt": doubt_of(description),
    }


def _id(revision: sa.RowMapping | None) -> int | None:
    return None if revision is None else revision["id"]


def derived_rows(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """What ``standing`` ought to hold, case by case in the order of their ids, in constant memory."""
    revised = _by_case(connection, revisions, revisions.c.number)
    put_aside = _by_case(connection, skips, skips.c.id)
    disputed = _by_case(connection, disputes, disputes.c.id)
    everything = _streamed(connection, sa.select(cases).order_by(_plain(connection, cases.c.id)))
    for case in everything:
        own = [source.of(case["id"]) for source in (revised, put_aside, disputed)]
        yield derive(case, *own)


def kept_rows(connection: sa.Connection) -> Iterator[sa.RowMapping]:
    """What ``standing`` holds, in the same order."""
    return _streamed(
        connection, sa.select(standing).order_by(_plain(connection, standing.c.case_id))
    )


def rebuild(connection: sa.Connection) -> None:
    """Make ``standing`` again from the other tables."""
    connection.execute(sa.delete(standing))
    batch: list[dict[str, Any]] = []
    for row in derived_rows(connection):
        batch.append(row)
        if len(batch) == BATCH:
            connection.execute(sa.insert(standing), batch)
            batch = []
    if batch:
        connection.execute(sa.insert(standing), batch)


def _plain(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column in the order of Python's strings, whatever the server's language."""
    return column if connection.dialect.name == "sqlite" else sa.collate(column, "C")


def _streamed(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]
) -> Iterator[sa.RowMapping]:
    for row in connection.execute(query, execution_options={"yield_per": BATCH}):
        yield row._mapping


def _by_case(connection: sa.Connection, table: sa.Table, then: sa.Column[Any]) -> _Grouped:
    query = sa.select(table).order_by(_plain(connection, table.c.case_id), then)
    return _Grouped(_streamed(connection, query))


class _Grouped:
    """Rows sorted by case, handed out case by case."""

    def __init__(self, rows: Iterable[sa.RowMapping]) -> None:
        self._groups = groupby(rows, key=lambda row: row["case_id"])
        self._next = next(self._groups, None)

    def of(self, case_id: str) -> list[sa.RowMapping]:
        """The rows of a case; ask in the order of ids."""
        while self._next is not None and self._next[0] < case_id:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != case_id:
            return []
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows
