"""Taking cases into a project: check, store the files, pin the holdout, add the rows. Formats are read elsewhere.

The holdout is pinned here, once and by patient: a source may fix the split, otherwise a hash of the patient's key
decides, so that the same patient lands on the same side whenever, and in whatever order, images arrive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import sqlalchemy as sa

from training.errors import FormatError, PoolError
from training.pool import schema
from training.pool.accepting import add_reader, clean
from training.pool.database import one_at_a_time
from training.pool.digest import revision_digest
from training.pool.files import FileStore
from training.pool.images import encode_gray, encode_mask, read_image, read_mask
from training.pool.project import Project
from training.pool.records import DATASET_READER, AskedSplit, ImportReport, IncomingCase, Split
from training.pool.sources import keep_source
from training.pool.standing import derive
from training.pool.times import now

BATCH = 64
HOLDOUT_FRACTION = 0.2  # share of patients pinned where the source does not fix the split
MEANWHILE = "Another import added the same cases or patients meanwhile: run the import again."
IMPORT_LOCK = 7_302_001  # of this program's imports among a server's advisory locks


@dataclass(frozen=True)
class _Prepared:
    case: dict[str, Any]
    mask: str | None
    hidden: str | None
    source: str | None


def pin(patient: str, asked: AskedSplit | None, holdout_fraction: float) -> Split:
    """Which split a patient belongs to.

    Parameters
    ----------
    asked : {"training", "gate", "report", "holdout"} or None
        What the source says; "holdout" leaves the half, None everything, to the patient's hash.
    holdout_fraction : float in [0, 1)
        Share of patients pinned for evaluation where the source does not say.
    """
    splits: tuple[Split, ...] = get_args(Split)
    for split in splits:
        if asked == split:
            return split
    digest = hashlib.sha256(patient.encode()).digest()
    half: Split = "gate" if digest[8] % 2 == 0 else "report"
    if asked == "holdout":
        return half
    draw = int.from_bytes(digest[:8], "big") / 2**64
    return half if draw < holdout_fraction else "training"


def import_cases(
    project: Project,
    incoming: Iterable[IncomingCase],
    *,
    holdout_fraction: float = HOLDOUT_FRACTION,
    progress: Callable[[int], None] = lambda done: None,
) -> ImportReport:
    """Add cases to the project. One bad file never stops the others; importing twice adds nothing twice.

    Parameters
    ----------
    incoming : iterable of IncomingCase
    holdout_fraction : float in [0, 1)
        Share of patients pinned as holdout where the source does not fix the split.
    progress : callable
        Told after each case how many were looked at.

    Returns
    -------
    ImportReport

    Raises
    ------
    PoolError
        The disk is full or read-only. Batches committed before that stay.
    """
    added: list[str] = []
    already: list[str] = []
    failed: list[tuple[str, str]] = []
    known, patients = _known(project)
    batch: list[_Prepared] = []
    for number, case in enumerate(incoming, start=1):
        if case.name in known:
            already.append(case.name)
        else:
            try:
                prepared = _prepare(project, case, patients, holdout_fraction)
            except FormatError as error:
                failed.append((case.name, str(error)))
            else:
                known.add(case.name)
                patients[case.patient] = prepared.case["split"]
                batch.append(prepared)
                added.append(case.name)
        if len(batch) >= BATCH:
            _commit(project, batch)
            batch = []
        progress(number)
    _commit(project, batch)
    return ImportReport(tuple(added), tuple(already), tuple(failed))


def _known(project: Project) -> tuple[set[str], dict[str, Split]]:
    with project.reading() as connection:
        rows = connection.execute(
            sa.select(schema.cases.c.id, schema.cases.c.patient, schema.cases.c.split)
        ).all()
    return {row.id for row in rows}, {row.patient: row.split for row in rows}


def _prepare(
    project: Project, case: IncomingCase, patients: dict[str, Split], holdout_fraction: float
) -> _Prepared:
    if not case.name or case.name.startswith(".") or any(mark in case.name for mark in "/\\\0"):
        raise FormatError(
            f"{case.name!r} cannot name a case: use a name without slashes or a leading dot."
        )
    pixels, content, suffix = _image(case.image)
    height, width = pixels.shape
    split = patients.get(case.patient) or pin(case.patient, case.split, holdout_fraction)
    mask = _mask(case.mask, case.name, (height, width))
    hidden = _mask(case.hidden_mask, case.name, (height, width))
    if split in ("gate", "report"):  # the holdout is measured on whatever the source knows
        mask, hidden = (mask if mask is not None else hidden), None
    row = {
        "id": case.name,
        "patient": case.patient,
        "split": split,
        "image": project.images.put(content, suffix),
        "width": width,
        "height": height,
        "description": clean(case.description),
        "imported_at": now(),
    }
    store = FileStore(project.folder, "hidden")
    return _Prepared(
        case=row,
        mask=None if mask is None else project.masks.put(encode_mask(mask), ".png"),
        hidden=None if hidden is None else store.put(encode_mask(hidden), ".png"),
        source=None if case.source is None else keep_source(project, case.source),
    )


def _image(image: Path | np.ndarray) -> tuple[np.ndarray, bytes, str]:
    if isinstance(image, np.ndarray):
        return image, encode_gray(image), ".png"
    pixels = read_image(image)
    return pixels, image.read_bytes(), image.suffix.lower()


def _mask(mask: Path | np.ndarray | None, name: str, shape: tuple[int, int]) -> np.ndarray | None:
    if mask is None:
        return None
    pixels = mask if isinstance(mask, np.ndarray) else read_mask(mask)
    if pixels.shape != shape:
        raise FormatError(
            f"The mask of {name} is {pixels.shape[1]} x {pixels.shape[0]} pixels but its image is "
            f"{shape[1]} x {shape[0]}: the case was left out."
        )
    return pixels


def _commit(project: Project, batch: list[_Prepared]) -> None:
    if not batch:
        return
    hidden = [
        {"case_id": each.case["id"], "mask": each.hidden}
        for each in batch
        if each.hidden is not None
    ]
    sources = [
        {"case_id": each.case["id"], "record": each.source}
        for each in batch
        if each.source is not None
    ]
    first = [_first_revision(each) for each in batch if each.mask is not None]
    with project.writing() as connection:
        one_at_a_time(connection, IMPORT_LOCK)
        _check_patients(connection, batch)
        add_reader(connection, DATASET_READER)
        try:
            connection.execute(sa.insert(schema.cases), [each.case for each in batch])
        except sa.exc.IntegrityError as error:
            raise PoolError(MEANWHILE) from error
        for table, rows in (
            (schema.revisions, first),
            (schema.hidden_references, hidden),
            (schema.sources, sources),
        ):
            if rows:
                connection.execute(sa.insert(table), rows)
        _let_stand(connection, [each.case["id"] for each in batch])


def _first_revision(each: _Prepared) -> dict[str, Any]:
    row = dict.fromkeys(schema.revisions.c.keys())
    del row["id"]
    row |= {
        "case_id": each.case["id"],
        "mask": each.mask,
        "description": each.case["description"],
        "reader": DATASET_READER,
        "source": "dataset",
        "outcome": "imported",
        "created_at": now(),
        "number": 1,
        "reading": "open",
    }
    return row | {"digest": revision_digest(row, "")}


def _check_patients(connection: sa.Connection, batch: list[_Prepared]) -> None:
    """No patient is on both sides, whatever another import did since this one began."""
    asked = {each.case["patient"]: each.case["split"] for each in batch}
    table = schema.cases
    query = (
        sa.select(table.c.patient, table.c.split).where(table.c.patient.in_(list(asked))).distinct()
    )
    if any(asked[patient] != split for patient, split in connection.execute(query)):
        raise PoolError(MEANWHILE)


def _let_stand(connection: sa.Connection, case_ids: list[str]) -> None:
    cases, revisions = schema.cases, schema.revisions
    first = {
        row.case_id: row._mapping
        for row in connection.execute(sa.select(revisions).where(revisions.c.case_id.in_(case_ids)))
    }
    rows = connection.execute(sa.select(cases).where(cases.c.id.in_(case_ids)))
    stand = [
        derive(row._mapping, [first[row.id]] if row.id in first else [], [], []) for row in rows
    ]
    connection.execute(sa.insert(schema.standing), stand)
