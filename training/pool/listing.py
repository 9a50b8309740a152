"""Lists of cases for a screen: which cases fit a filter, and the few facts that a row shows. Reading only.

A list is made in two steps, so that a hundred thousand cases cost little: the ids that fit, in the order of import, and
the rows of those ids that are on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import sqlalchemy as sa

from training.errors import PoolError
from training.pool.project import Project
from training.pool.records import HOLDOUT, Pool
from training.pool.rounds import serving_model
from training.pool.schema import cases, drafts, proposals, readers, revisions, skips, standing
from training.pool.standing import bits_of, zones_in

State = Literal["any", "waiting", "skipped", "labeled", "contested", "holdout"]
STATES: tuple[str, ...] = get_args(State)
DOUBTFUL = 1  # weight of a description's problem from which a case is listed
LEFT_BITS, RIGHT_BITS = bits_of(("Lu", "Lm", "Ll")), bits_of(("Ru", "Rm", "Rl"))
LONGEST_SEARCH = 200

_current = sa.func.coalesce(revisions.c.description, cases.c.description)
_joined = standing.join(cases, cases.c.id == standing.c.case_id).outerjoin(
    revisions, revisions.c.id == standing.c.revision_id
)


@dataclass(frozen=True)
class CaseFilter:
    """What a list shows; the default lets everything through.

    Attributes
    ----------
    state : {"any", "waiting", "skipped", "labeled", "contested", "holdout"}
        ``waiting``: without a reference mask and not put aside. ``contested``: readers disagree.
    reader : str
        Cases that this reader has a revision of.
    zone : str
        Cases whose words name this zone.
    at_odds : bool
        Cases whose words name another side than the serving teacher's pseudo-mask touches.
    doubtful : bool
        Cases whose words contain a problem: something repaired, contradictory or undecided.
    words : str
        Every word of it stands in the case's present description or in its id; case is ignored.
    """

    state: State = "any"
    reader: str = ""
    zone: str = ""
    at_odds: bool = False
    doubtful: bool = False
    words: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise PoolError(f"There is no state {self.state!r}: choose one of {', '.join(STATES)}.")

    @property
    def narrows(self) -> bool:
        """Whether it keeps anything out, the state apart."""
        return bool(self.reader or self.zone or self.at_odds or self.doubtful or self.words.strip())


class ListedCase(NamedTuple):
    """What a row of a list shows; ``reader`` is the reference's, ``skip_reason`` the latest skip's."""

    case_id: str
    pool: Pool
    description: str
    image: str
    zones: frozenset[str]
    skipped: bool = False
    contested: bool = False
    doubt: int = 0
    at_odds: bool = False
    reader: str = ""
    skip_reason: str = ""


def list_ids(project: Project, wanted: CaseFilter) -> list[str]:
    """Ids of the cases that fit, in the order of import."""
    model = serving_model(project) if wanted.at_odds else None
    query = sa.select(standing.c.case_id).select_from(
        _source(wanted, None if model is None else model.id)
    )
    query = query.where(*_conditions(wanted)).order_by(standing.c.position)
    with project.reading() as connection:
        return list(connection.scalars(query))


def list_rows(project: Project, case_ids: Sequence[str]) -> dict[str, ListedCase]:
    """The rows of these cases by id; cases that are gone are left out."""
    if not case_ids:
        return {}
    model = serving_model(project)
    query = sa.select(
        standing,
        _current.label("words"),
        cases.c.image,
        revisions.c.reader,
        proposals.c.zones.label("proposed"),
    ).select_from(_joined.outerjoin(proposals, _proposed(None if model is None else model.id)))
    wanted = list(case_ids)
    with project.reading() as connection:
        found = connection.execute(query.where(standing.c.case_id.in_(wanted))).all()
        latest = sa.select(sa.func.max(skips.c.id)).where(skips.c.case_id.in_(wanted))
        asides = connection.execute(
            sa.select(skips.c.case_id, skips.c.reason).where(
                skips.c.id.in_(latest.group_by(skips.c.case_id))
            )
        )
        reasons = {row.case_id: row.reason for row in asides}
    return {row.case_id: _row(row, reasons.get(row.case_id, "")) for row in found}


def list_blind_rows(project: Project, case_ids: Sequence[str]) -> dict[str, ListedCase]:
    """The rows of these cases as they were imported: nothing in them tells what a reader made of them."""
    query = sa.select(cases).where(cases.c.id.in_(list(case_ids)))
    with project.reading() as connection:
        found = connection.execute(query).all()
    return {
        row.id: ListedCase(row.id, "unlabeled", row.description, row.image, frozenset())
        for row in found
    }


def list_readers(project: Project) -> list[str]:
    """Everybody who has a revision or a skip, by name."""
    with project.reading() as connection:
        return sorted(connection.scalars(sa.select(readers.c.id)))


def recent_cases(project: Project, reader: str, count: int = 50) -> list[str]:
    """The cases that a reader accepted or put aside last, the latest one at the end; each once."""
    with project.reading() as connection:
        done: list[tuple[str, str]] = []
        for table in (revisions, skips):
            query = sa.select(table.c.created_at, table.c.case_id).where(table.c.reader == reader)
            done += map(tuple, connection.execute(query.order_by(table.c.id.desc()).limit(count)))
    latest = dict.fromkeys(case_id for _, case_id in sorted(done, reverse=True))
    return list(latest)[:count][::-1]


def left_on_desk(project: Project, reader: str) -> str | None:
    """The unlabeled case whose draft is the last thing a reader did: what lay on the desk when a sitting broke off."""
    query = sa.select(drafts.c.updated_at, drafts.c.case_id).where(drafts.c.reader == reader)
    with project.reading() as connection:
        latest = connection.execute(query.order_by(drafts.c.updated_at.desc()).limit(1)).first()
        if latest is None:
            return None
        for table in (revisions, skips):
            done = sa.select(sa.func.max(table.c.created_at)).where(table.c.reader == reader)
            if (connection.scalar(done) or "") > latest.updated_at:
                return None
    return latest.case_id if project.case(latest.case_id).pool == "unlabeled" else None


def _source(wanted: CaseFilter, model_id: str | None) -> sa.FromClause:
    """Only the tables that the filter needs: most lists come from ``standing`` alone."""
    source: sa.FromClause = _joined if wanted.words.strip() else standing
    return source.join(proposals, _proposed(model_id)) if wanted.at_odds else source


def _proposed(model_id: str | None) -> sa.ColumnElement[bool]:
    return sa.and_(
        proposals.c.case_id == standing.c.case_id, proposals.c.model_id == (model_id or "")
    )


def _conditions(wanted: CaseFilter) -> Iterable[sa.ColumnElement[bool]]:
    yield from _in_state(wanted.state)
    if wanted.zone:
        yield standing.c.zones.bitwise_and(bits_of((wanted.zone,))) != 0
    if wanted.doubtful:
        yield standing.c.doubt >= DOUBTFUL
    if wanted.at_odds:
        yield sa.or_(*(_sided(bits) for bits in (LEFT_BITS, RIGHT_BITS)))
    if wanted.reader:
        own = sa.select(revisions.c.case_id).where(revisions.c.reader == wanted.reader)
        yield standing.c.case_id.in_(own)
    for word in wanted.words[:LONGEST_SEARCH].replace("\0", "").split():
        yield sa.or_(
            _current.icontains(word, autoescape=True), cases.c.id.icontains(word, autoescape=True)
        )


def _in_state(state: State) -> Iterable[sa.ColumnElement[bool]]:
    if state == "waiting":
        yield standing.c.pool != "labeled"
        yield standing.c.revision_id.is_(None)
        yield standing.c.skipped == sa.false()
    elif state == "skipped":
        yield standing.c.skipped == sa.true()
    elif state == "labeled":
        yield standing.c.pool == "labeled"
    elif state == "contested":
        yield standing.c.contested == sa.true()
    elif state == "holdout":
        yield standing.c.pool.in_(HOLDOUT)


def _sided(bits: int) -> sa.ColumnElement[bool]:
    """Whether the words name a side that the pseudo-mask leaves empty, or the other way round; words must name one."""
    named = standing.c.zones.bitwise_and(bits) != 0
    touched = proposals.c.zones.bitwise_and(bits) != 0
    return sa.and_(standing.c.zones != 0, proposals.c.zones.is_not(None), named != touched)


def _row(row: sa.Row[*tuple[Any, ...]], skip_reason: str) -> ListedCase:
    return ListedCase(
        case_id=row.case_id,
        pool=row.pool,
        description=row.words,
        image=row.image,
        zones=zones_in(row.zones),
        skipped=row.skipped,
        contested=row.contested,
        doubt=row.doubt,
        at_odds=row.pool == "unlabeled" and _at_odds(row.zones, row.proposed),
        reader=row.reader or "",
        skip_reason=skip_reason if row.skipped else "",
    )


def _at_odds(named: int, touched: int | None) -> bool:
    if not named or touched is None:
        return False
    return any(bool(named & bits) != bool(touched & bits) for bits in (LEFT_BITS, RIGHT_BITS))
