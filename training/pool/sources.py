"""Where cases come from: de-identified DICOM headers, NIfTI grids. Kept as immutable JSON files, one row a case."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from training.errors import PoolError
from training.files import sentence_for
from training.pool import schema
from training.pool.files import FileStore
from training.pool.project import Project


def keep_source(project: Project, record: dict[str, Any]) -> str:
    """Store a JSON-able record; returns its path relative to the project."""
    content = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return FileStore(project.folder, "sources").put(content.encode(), ".json")


def read_source(project: Project, case_id: str) -> dict[str, Any] | None:
    """The record of a case's origin; None if it came without one.

    Raises
    ------
    PoolError
        The record's file is missing or damaged.
    """
    table = schema.sources
    with project.reading() as connection:
        path = connection.scalar(sa.select(table.c.record).where(table.c.case_id == case_id))
    if path is None:
        return None
    try:
        record: dict[str, Any] = json.loads((project.folder / path).read_text(encoding="utf-8"))
        return record
    except (OSError, ValueError) as error:
        raise PoolError(sentence_for(error, project.folder / path)) from error
