"""What readers were shown: every time a case that waits comes to a desk, by which arm, and the acceptance it led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from training.pool.project import Project
from training.pool.rounds import serving_model
from training.pool.schema import cases, revisions, showings
from training.pool.times import now

Arm = Literal["strategy", "control", "no-proposal", "planted"]
BY_HAND = ""  # the strategy of a case that the reader chose from a list


@dataclass(frozen=True)
class Showing:
    """A case on a desk.

    Attributes
    ----------
    arm : {"strategy", "control", "no-proposal", "planted"}
        How it came there and what was shown, see `training.arms`.
    strategy : str
        What chose it; empty where the reader did.
    model_id : str or None
        Hash of the teacher that served at that moment.
    revision_id : int or None
        The acceptance that it led to.
    """

    id: int
    case_id: str
    reader: str
    arm: Arm
    strategy: str
    reason: str
    model_id: str | None
    score: float | None
    created_at: str
    revision_id: int | None


@dataclass(frozen=True)
class Answered:
    """A showing that led to an acceptance, with what the acceptance says of the work."""

    showing: Showing
    outcome: str
    reading: str
    pixels_changed: int | None
    pixels: int
    dice_to_proposal: float | None
    active_seconds: float | None


def add_showing(
    project: Project,
    case_id: str,
    reader: str,
    arm: Arm,
    *,
    strategy: str,
    reason: str,
) -> None:
    """Note that a case came to a reader's desk, and which teacher served then."""
    model = serving_model(project)
    row = {
        "case_id": case_id,
        "reader": reader,
        "arm": arm,
        "strategy": strategy,
        "reason": reason,
        "model_id": None if model is None else model.id,
        "created_at": now(),
    }
    with project.writing() as connection:
        connection.execute(sa.insert(showings).values(row))


def last_showing(project: Project, case_id: str, reader: str) -> Showing | None:
    """How the case came to this reader's desk the last time."""
    query = sa.select(showings).where(showings.c.case_id == case_id, showings.c.reader == reader)
    with project.reading() as connection:
        row = connection.execute(query.order_by(showings.c.id.desc()).limit(1)).first()
    return None if row is None else Showing(**row._mapping)


def answered(project: Project) -> list[Answered]:
    """Every showing that led to an acceptance, oldest first."""
    query = (
        sa.select(
            showings,
            revisions.c.outcome,
            revisions.c.reading,
            revisions.c.pixels_changed,
            (cases.c.width * cases.c.height).label("pixels"),
            revisions.c.dice_to_proposal,
            revisions.c.active_seconds,
        )
        .select_from(
            showings.join(revisions, revisions.c.id == showings.c.revision_id).join(
                cases, cases.c.id == showings.c.case_id
            )
        )
        .order_by(showings.c.id)
    )
    names = [column.name for column in showings.columns]
    found = []
    with project.reading() as connection:
        for row in connection.execute(query):
            values = dict(row._mapping)
            showing = Showing(**{name: values.pop(name) for name in names})
            found.append(Answered(showing, **values))
    return found
