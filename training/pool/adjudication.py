"""Adjudication: somebody decides where readers disagree. Every reading is kept; one becomes the reference."""

from __future__ import annotations

from training.errors import PoolError
from training.pool import queries
from training.pool.accepting import add_revision, clean
from training.pool.project import Project
from training.pool.records import Case, Revision


def contested_cases(project: Project, *, after: str | None = None, count: int = 100) -> list[Case]:
    """At most ``count`` cases that wait for adjudication, in the order of import, behind the case ``after``."""
    return project.cases_page(contested=True, after=after, count=count)


def adjudicate(project: Project, case_id: str, reader: str, revision_id: int) -> Revision:
    """Let one of a case's revisions stand; the choice is a revision of its own, by the adjudicator.

    To let none of them stand, accept a new mask with ``reading="adjudication"``.

    Parameters
    ----------
    reader : str
        The adjudicator.
    revision_id : int
        The revision whose mask and description become the reference.

    Raises
    ------
    PoolError
        The case has no such revision; nothing was changed.
    """
    case = project.case(case_id)
    with project.writing() as connection:
        chosen = queries.one_revision(connection, revision_id)
        if chosen is None or chosen.case_id != case_id:
            raise PoolError(
                f"{case_id} has no revision with the key {revision_id}: "
                f"`semimedref log` lists those it has."
            )
        row = {
            "case_id": case_id,
            "mask": chosen.mask,
            "description": chosen.description,
            "reader": clean(reader),
            "source": chosen.source,
            "outcome": "adjudicated",
            "model_id": chosen.model_id,
            "pixels_changed": chosen.pixels_changed,
            "dice_to_proposal": chosen.dice_to_proposal,
            "active_seconds": None,
            "strokes": None,
            "reading": "adjudication",
        }
        return add_revision(connection, case, row, started_from=revision_id)
