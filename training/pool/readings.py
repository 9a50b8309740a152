"""The readings between which an adjudicator decides: the reference, and those that dispute it. Reading only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa

from training.metrics import overlap
from training.pool import queries, schema
from training.pool.images import read_mask
from training.pool.project import Project
from training.pool.records import Revision
from training.report import parse, zones_of


@dataclass(frozen=True)
class Reading:
    """What one reader made of a case.

    Attributes
    ----------
    mask : (H, W) uint8, 0 or 1
    zones : frozenset of str
        That the mask touches.
    word_zones : frozenset of str
        That the words name.
    """

    revision: Revision
    mask: np.ndarray = field(repr=False)
    zones: frozenset[str]
    word_zones: frozenset[str]


@dataclass(frozen=True)
class Contest:
    """A case about which readers disagree: the reference first, then what disputes it, the newest first."""

    case_id: str
    reason: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Likeness:
    """How far two readings agree: Dice in [0, 1], pixels in which they differ, zones that only one of them has."""

    dice: float
    pixels: int
    mask_zones: frozenset[str]
    word_zones: frozenset[str]


def contest_of(project: Project, case_id: str) -> Contest | None:
    """What readers disagree about; None where nothing waits for adjudication."""
    case = project.case(case_id)
    if not case.contested:
        return None
    table = schema.disputes
    with project.reading() as connection:
        revisions = {found.id: found for found in queries.revisions_of(connection, case_id)}
        query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.id.desc())
        disputes = connection.execute(query).all()
    settled = max((r.id for r in revisions.values() if r.reading == "adjudication"), default=0)
    open_ones = [dispute for dispute in disputes if dispute.revision_id > settled]
    chosen = dict.fromkeys([case.revision_id, *(dispute.revision_id for dispute in open_ones)])
    readings = [_reading(project, revisions[key]) for key in chosen if key in revisions]
    return Contest(case_id, open_ones[0].reason if open_ones else "", tuple(readings))


def compare_readings(first: Reading, second: Reading) -> Likeness:
    """How far two readings of a case agree."""
    return Likeness(
        overlap(first.mask, second.mask).dice,
        int(np.count_nonzero(first.mask != second.mask)),
        first.zones ^ second.zones,
        first.word_zones ^ second.word_zones,
    )


def _reading(project: Project, revision: Revision) -> Reading:
    mask = read_mask(project.folder / revision.mask)
    zones = zones_of(mask, convention=project.laterality)
    return Reading(revision, mask, zones, frozenset(parse(revision.description).zones))
