"""Pairs of films that readers called nonsense to mix. A report, and taking it back, are rows that are only ever added;
how a pair stands is told by its latest one. The trainer gets the standing pairs with the snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from training.errors import PoolError
from training.pool.accepting import add_reader, clean
from training.pool.database import one_at_a_time
from training.pool.digest import row_digest
from training.pool.project import Project
from training.pool.schema import cases, pair_reports
from training.pool.times import now

Verdict = Literal["nonsense", "fine"]
PAIRS_LOCK = 7_302_003  # among a server's advisory locks
SIGNED = ("number", "case_id", "partner_id", "verdict", "reader", "reason", "created_at")


@dataclass(frozen=True)
class PairReport:
    """What a reader said of a pair of cases.

    Attributes
    ----------
    number : int
        1, 2, ... within the project.
    case_id, partner_id : str
        The case on the desk, and the one that was mixed into it; the rule holds both ways.
    verdict : {"nonsense", "fine"}
        ``fine`` takes earlier reports back.
    reason : str
        May be empty.
    digest : str
        Hash of all of the above and of the digest before.
    """

    number: int
    case_id: str
    partner_id: str
    verdict: Verdict
    reader: str
    reason: str
    created_at: str
    digest: str

    @property
    def pair(self) -> tuple[str, str]:
        """Both ids, in alphabetical order."""
        one, other = sorted((self.case_id, self.partner_id))
        return one, other


def report_pair(
    project: Project, case_id: str, partner_id: str, reader: str, reason: str = ""
) -> PairReport:
    """Note that mixing two films with each other makes nonsense; from the next snapshot on they are not mixed.

    Raises
    ------
    PoolError
        There is no such case, the two are one, or the pair was reported already; nothing was changed.
    """
    return _add(project, (case_id, partner_id), "nonsense", reader, reason)


def withdraw_pair(
    project: Project, case_id: str, partner_id: str, reader: str, reason: str = ""
) -> PairReport:
    """Take back that a pair is nonsense; the report stays on record.

    Raises
    ------
    PoolError
        Nobody reported the pair, or it was taken back already; nothing was changed.
    """
    return _add(project, (case_id, partner_id), "fine", reader, reason)


def pair_log(project: Project) -> list[PairReport]:
    """All reports and withdrawals, oldest first."""
    with project.reading() as connection:
        return _log(connection)


def nonsense_pairs(project: Project) -> list[PairReport]:
    """The report of each pair that is not to be mixed now, in the order of the pairs' ids."""
    with project.reading() as connection:
        return _standing(_log(connection))


def pairs_apart(project: Project) -> list[tuple[str, str]]:
    """The pairs that are not to be mixed now, each and all in alphabetical order."""
    return [report.pair for report in nonsense_pairs(project)]


def wrong_reports(connection: sa.Connection) -> Iterator[str]:
    """Sentences about reports that are not as they were written, for the audit."""
    known = set(connection.scalars(sa.select(cases.c.id)))
    before = ""
    for place, report in enumerate(_log(connection), start=1):
        if report.number != place:
            yield f"There is no report {place} about a pair of films: it was taken away."
            return
        if report.digest != row_digest(vars(report), SIGNED, before):
            yield f"Report {place} about a pair of films, or the one before it, is not as it was written."
        if not known.issuperset(report.pair):
            yield f"Report {place} about a pair of films names a case that the project does not have."
        before = report.digest


def _add(
    project: Project, pair: tuple[str, str], verdict: Verdict, reader: str, reason: str
) -> PairReport:
    case_id, partner_id = pair
    reader = clean(reader)
    if not reader:
        raise PoolError("Say who reports the pair: every report is kept under a reader's name.")
    if case_id == partner_id:
        raise PoolError(f"{case_id} cannot be a pair with itself: name two cases.")
    for each in pair:
        project.case(each)
    with project.writing() as connection:
        one_at_a_time(connection, PAIRS_LOCK)
        log = _log(connection)
        _refuse_repetition(log, pair, verdict)
        add_reader(connection, reader)
        row: dict[str, Any] = {
            "number": len(log) + 1,
            "case_id": case_id,
            "partner_id": partner_id,
            "verdict": verdict,
            "reader": reader,
            "reason": clean(reason),
            "created_at": now(),
        }
        row["digest"] = row_digest(row, SIGNED, log[-1].digest if log else "")
        connection.execute(sa.insert(pair_reports).values(row))
    return PairReport(**row)


def _refuse_repetition(log: list[PairReport], pair: tuple[str, str], verdict: Verdict) -> None:
    standing = {frozenset(report.pair) for report in _standing(log)}
    is_apart, (one, other) = frozenset(pair) in standing, pair
    if verdict == "nonsense" and is_apart:
        raise PoolError(f"{one} and {other} are kept apart already: nothing was changed.")
    if verdict == "fine" and not is_apart:
        raise PoolError(f"Nobody called {one} and {other} nonsense: `semimedref pairs` lists them.")


def _log(connection: sa.Connection) -> list[PairReport]:
    query = sa.select(pair_reports).order_by(pair_reports.c.number)
    return [PairReport(**row._mapping) for row in connection.execute(query)]


def _standing(log: list[PairReport]) -> list[PairReport]:
    latest = {report.pair: report for report in log}
    return [latest[pair] for pair in sorted(latest) if latest[pair].verdict == "nonsense"]
