"""Digests of rows: each one's covers the one before, so that a row changed or taken away gives itself away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

# A row that was read, or one that is to be written.
Columns = sa.RowMapping | Mapping[str, Any]
# The order is part of the recipe: a change here needs a migration that makes every digest again.
FIELDS = (
    "case_id",
    "number",
    "parent_id",
    "reading",
    "mask",
    "description",
    "reader",
    "source",
    "outcome",
    "model_id",
    "pixels_changed",
    "dice_to_proposal",
    "active_seconds",
    "strokes",
    "created_at",
)


def revision_digest(row: Columns, before: str) -> str:
    """SHA-256 of a revision's row.

    Parameters
    ----------
    row : mapping
        With all of `FIELDS`.
    before : str
        Digest of the case's revision before it; empty for the first.
    """
    return row_digest(row, FIELDS, before)


def row_digest(row: Columns, fields: Iterable[str], before: str) -> str:
    """SHA-256 of these fields of a row and of the digest ``before`` it, empty for the first."""
    content = [before, *(row[field] for field in fields)]
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
