"""A case's story: all that was done to it, by whom, when and from what, as sentences in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from training.pool import queries, schema
from training.pool.project import Project
from training.pool.records import Revision


@dataclass(frozen=True)
class Event:
    """Something that happened to a case; ``who`` is empty where nobody in particular did it."""

    time: str
    who: str
    sentence: str


def story(project: Project, case_id: str) -> list[Event]:
    """Everything that happened to a case, oldest first; raises PoolError if there is no such case."""
    case = project.case(case_id)
    with project.reading() as connection:
        cases = schema.cases
        row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one()
        events = [Event(row.imported_at, "", _imported(row))]
        revisions = queries.revisions_of(connection, case_id)
        numbers = {revision.id: revision.number for revision in revisions}
        events += [_revised(revision, numbers, case.revision_id) for revision in revisions]
        events += _others(connection, case_id, numbers)
    return sorted(events, key=lambda event: event.time)


def _imported(row: sa.Row[*tuple[Any, ...]]) -> str:
    return (
        f"imported into {row.split} ({row.width} x {row.height} pixels, patient {row.patient}): "
        f'"{row.description}"'
    )


def _revised(revision: Revision, numbers: dict[int, int], reference: int | None) -> Event:
    kind = {
        "blind": ", a blind second reading",
        "adjudication": ", an adjudication",
        "planted": ", of a planted proposal",
    }
    parts = [f"revision {revision.number}{kind.get(revision.reading, '')}: {revision.outcome}"]
    if revision.parent_id is not None:
        parts.append(f"started from revision {numbers.get(revision.parent_id, '?')}")
    if revision.model_id is not None:
        parts.append(f"proposed by {revision.model_id}")
    if revision.pixels_changed is not None:
        parts.append(f"{revision.pixels_changed} pixels changed")
    if revision.dice_to_proposal is not None:
        parts.append(f"Dice {revision.dice_to_proposal:.3f} to the proposal")
    parts += _effort(revision.active_seconds, revision.strokes)
    if revision.id == reference:
        parts.append("the reference now")
    words = f'{", ".join(parts)}. "{revision.description}" [key {revision.id}]'
    return Event(revision.created_at, revision.reader, words)


def _effort(active_seconds: float | None, strokes: int | None) -> list[str]:
    parts = []
    if active_seconds is not None:
        parts.append(f"{active_seconds:.1f} s of work")
    if strokes is not None:
        parts.append(f"{strokes} strokes")
    return parts


def _others(connection: sa.Connection, case_id: str, numbers: dict[int, int]) -> Iterator[Event]:
    for row in queries.skips_of(connection, case_id):
        parts = [f"{row.outcome}: {row.reason}", *_effort(row.active_seconds, row.strokes)]
        if row.model_id is not None:
            parts.append(f"proposed by {row.model_id}")
        yield Event(row.created_at, row.reader, ", ".join(parts))
    for table, sentence in (
        (schema.disputes, "contested: {0.reason} (revision {1})"),
        (schema.second_readings, "a second reading was asked for"),
        (schema.drafts, "has a draft of {0.strokes} strokes"),
    ):
        query = sa.select(table).where(table.c.case_id == case_id)
        for row in connection.execute(query):
            number = numbers.get(getattr(row, "revision_id", None) or 0, "?")
            time = next(
                getattr(row, name)
                for name in ("created_at", "asked_at", "updated_at")
                if hasattr(row, name)
            )
            yield Event(time, getattr(row, "reader", ""), sentence.format(row, number))
    yield from _pairs(connection, case_id)


def _pairs(connection: sa.Connection, case_id: str) -> Iterator[Event]:
    table = schema.pair_reports
    here = sa.or_(table.c.case_id == case_id, table.c.partner_id == case_id)
    for row in connection.execute(sa.select(table).where(here)):
        other = row.partner_id if row.case_id == case_id else row.case_id
        said = "nonsense to mix" if row.verdict == "nonsense" else "fine to mix after all"
        reason = f": {row.reason}" if row.reason else ""
        yield Event(row.created_at, row.reader, f"called {said} with {other}{reason}")
