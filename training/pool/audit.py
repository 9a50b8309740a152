"""The audit: is every file what its name says, and does every row agree with every other? It changes nothing.

Files are named by their hash, revisions carry digests that cover the ones before them, and how a case stands follows
from its rows: so whatever was damaged, changed by hand or taken away gives itself away.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import sqlalchemy as sa

from training.errors import FormatError
from training.pool import schema
from training.pool.digest import Columns, revision_digest
from training.pool.images import read_image
from training.pool.pairs import wrong_reports
from training.pool.project import Project
from training.pool.rounds import WEIGHTS
from training.pool.standing import derived_rows, kept_rows

STORES = ("images", "masks", "hidden", "sources", "probabilities")
REMAKEABLE = "probabilities"  # a teacher makes them again; losing one loses no work
READ_ANEW = {"zones", "doubt"}  # another version of the program may read the same words otherwise
BATCH = 1000
Counts = Counter[str]
Progress = Callable[[str], None]
# The case that a file belongs to and, of images and masks, its size (height, width).
Owner = tuple[str, tuple[int, int] | None]


@dataclass(frozen=True)
class AuditReport:
    """What an audit looked at and found.

    Attributes
    ----------
    counts : Counter
        How many cases, revisions and files were looked at; under "zones", how many descriptions are read otherwise now.
    problems : tuple of str
        Sentences about what is missing, damaged or contradictory. Empty: everything accepted is there and readable.
    notes : tuple of str
        Sentences about what is harmless but worth knowing.
    """

    counts: Counts
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def audit(project: Project, *, progress: Progress = lambda what: None) -> AuditReport:
    """Check every file and every row of the project.

    Parameters
    ----------
    progress : callable
        Told what is being looked at, after each thing.
    """
    counts: Counts = Counter()
    problems: list[str] = []
    with project.reading() as connection:
        for check in (_database, _patients, _revisions, _standing, _references, _pairs):
            problems += check(connection, counts, progress)
        named: dict[str, Owner] = {}
        for path, whose in _named_files(connection):
            named.setdefault(path, whose)
        problems += _models(connection, project.folder)
    found, notes = _files(project.folder, named, counts, progress)
    if counts["zones"]:
        notes.append(
            f"{counts['zones']} descriptions name other zones as they are read today: rebuild."
        )
    return AuditReport(counts, tuple(problems + found), tuple(notes))


def _database(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    if connection.dialect.name != "sqlite":
        return  # a server checks its own pages and keys
    progress("database")
    for (sentence,) in connection.exec_driver_sql("PRAGMA integrity_check").all():
        if sentence != "ok":
            yield f"The database file is damaged: {sentence}."
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        yield f"Row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there."


def _patients(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    table = schema.cases
    sides = sa.func.count(table.c.split.distinct())
    query = sa.select(table.c.patient).group_by(table.c.patient).having(sides > 1)
    for patient in connection.scalars(query):
        yield f"Patient {patient} is in more than one of training, gate and report: the holdout leaks."


def _revisions(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    table = schema.revisions
    query = sa.select(table).order_by(table.c.case_id, table.c.number)
    before: Columns = {"case_id": None}
    for row in connection.execute(query, execution_options={"yield_per": BATCH}):
        now = row._mapping
        follows = before["case_id"] == now["case_id"]
        number, digest = (before["number"], before["digest"]) if follows else (0, "")
        if now["number"] != number + 1:
            yield f"{now['case_id']} has no revision {number + 1}: it was taken away."
        if now["digest"] != revision_digest(now, digest):
            yield (
                f"Revision {now['number']} of {now['case_id']}, or the one before it, "
                "is not as it was written."
            )
        counts["revisions"] += 1
        progress("revision")
        before = now


def _standing(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    for ought, found in zip_longest(derived_rows(connection), kept_rows(connection)):
        counts["cases"] += ought is not None
        progress("case")
        if ought is None or found is None or ought["case_id"] != found["case_id"]:
            yield "The table of how cases stand lacks a case or has one too many: rebuild it."
            return
        wrong = sorted(name for name in ought if ought[name] != found[name])
        if wrong and set(wrong) <= READ_ANEW:
            counts["zones"] += 1
        elif wrong:
            yield f"{ought['case_id']} stands otherwise than its rows say ({', '.join(wrong)}): rebuild it."


def _references(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    """Revisions named by other rows are there, and of the same case."""
    revisions = schema.revisions
    known = revisions.alias("known")
    for table, column in (
        (revisions, "parent_id"),
        (schema.skips, "revision_id"),
        (schema.disputes, "revision_id"),
        (schema.second_readings, "revision_id"),
        (schema.showings, "revision_id"),
    ):
        query = (
            sa.select(table.c.case_id)
            .outerjoin(known, known.c.id == table.c[column])
            .where(table.c[column].is_not(None))
            .where(sa.or_(known.c.id.is_(None), known.c.case_id != table.c.case_id))
        )
        for case_id in connection.scalars(query):
            yield f"A row of {table.name} about {case_id} names a revision that the case does not have."


def _pairs(connection: sa.Connection, counts: Counts, progress: Progress) -> Iterator[str]:
    progress("pair")
    yield from wrong_reports(connection)


def _named_files(connection: sa.Connection) -> Iterator[tuple[str, Owner]]:
    """Each file that a row names, with whose it is."""
    cases = schema.cases
    size = (cases.c.height, cases.c.width)
    queries = [
        sa.select(schema.sources.c.record, schema.sources.c.case_id),
        sa.select(schema.proposals.c.probability, schema.proposals.c.case_id),
        sa.select(cases.c.image, cases.c.id, *size),
    ]
    queries += [
        sa.select(table.c.mask, table.c.case_id, *size).join(cases, cases.c.id == table.c.case_id)
        for table in (schema.revisions, schema.hidden_references)
    ]
    for query in queries:
        for path, case_id, *shape in connection.execute(
            query, execution_options={"yield_per": BATCH}
        ):
            yield path, (case_id, tuple(shape) or None)


def _models(connection: sa.Connection, root: Path) -> Iterator[str]:
    """Each teacher's weights are named by the beginning of their hash."""
    for row in connection.execute(sa.select(schema.models.c.id, schema.models.c.folder)):
        weights = root / row.folder / WEIGHTS
        try:
            with weights.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            yield f"The weights of teacher {row.id} are missing or cannot be read ({error.strerror})."
            continue
        if not digest.startswith(row.id):
            yield f"The weights of teacher {row.id} are damaged: their content is not what its name says."


def _files(
    root: Path, named: dict[str, Owner], counts: Counts, progress: Progress
) -> tuple[list[str], list[str]]:
    problems: list[str] = []
    remakeable = unnamed = left = 0
    for path, (case_id, shape) in named.items():
        sentence = _wrong_with(root, path, case_id, shape)
        counts["files"] += 1
        progress("file")
        if sentence and path.startswith(REMAKEABLE):
            remakeable += 1
        elif sentence:
            problems.append(sentence)
    for store in STORES:
        for file in (root / store).rglob("*"):
            if file.is_file():
                hidden = file.name.startswith(".")
                left += hidden
                unnamed += not hidden and file.relative_to(root).as_posix() not in named
    notes = [
        (remakeable, "pseudo-masks are missing or damaged; the next round makes new ones"),
        (unnamed, "files are named by no row: their acceptance was cut short or refused"),
        (left, "parts of files were left behind by an interruption; they may be deleted"),
    ]
    return problems, [f"{number} {what}." for number, what in notes if number]


def _wrong_with(root: Path, path: str, case_id: str, shape: tuple[int, int] | None) -> str | None:
    file = root / path
    try:
        content = file.read_bytes()
    except OSError as error:
        return f"{path} of {case_id} is missing or cannot be read ({error.strerror})."
    if hashlib.sha256(content).hexdigest() != file.stem:
        return f"{path} of {case_id} is damaged: its content is not what its name says."
    if shape is not None:
        try:
            found = read_image(file).shape
        except FormatError as error:
            return str(error)
        if found != shape:
            return f"{path} of {case_id} is {found[1]} x {found[0]} pixels, not {shape[1]} x {shape[0]}."
    return None
