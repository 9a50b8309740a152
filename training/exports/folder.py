"""The folder an export is written to: a new one, each file whole or not there, and a page that says what it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.errors import FormatError
from training.exports.selection import Chosen, Selection
from training.files import write_atomically
from training.formats.foreign import reading
from training.formats.tables import guarded_cell
from training.pool import Project
from training.pool.images import encode_gray, encode_mask, read_image
from training.pool.times import now

NOTES = "export.json"


class ExportFolder:
    """A new folder for one export.

    Parameters
    ----------
    root : Path
        Made if it does not exist.

    Raises
    ------
    FormatError
        It holds something already: nothing is ever overwritten.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            taken = any(root.iterdir())
        except OSError as error:
            raise FormatError(f"{root} cannot be made: {error.strerror}.") from error
        if taken:
            raise FormatError(f"{root} is not empty: choose an empty folder for the export.")

    def put(self, relative: str, content: bytes | str) -> Path:
        """Write a file; FormatError if the disk is full or refuses."""
        path = self.root / relative
        write_atomically(path, content, durable=False, error_type=FormatError)
        return path

    def put_mask(self, relative: str, mask: np.ndarray) -> None:
        """Write a mask ``(H, W) uint8, 0 or 1`` as an 8-bit PNG of 0 and 255."""
        self.put(relative, encode_mask(mask))

    def put_table(self, relative: str, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows as csv that no spreadsheet takes for formulas."""
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({k: guarded_cell(v) for k, v in row.items()} for row in rows)
        self.put(relative, "\ufeff" + stream.getvalue())

    def put_notes(self, name: str, project: Project, selection: Selection, cases: int) -> None:
        """Write the page that says what was exported, from where, and whose left the words mean."""
        notes = {
            "format": name,
            "program": f"napari-semimedref {version('napari-semimedref')}",
            "exported_at": now(),
            "laterality": project.laterality,
            "cases": cases,
            "selection": {k: _plain(v) for k, v in asdict(selection).items()},
        }
        self.put(NOTES, json.dumps(notes, indent=1))


def provenance(chosen: Chosen) -> dict[str, Any]:
    """Where a case's mask comes from, as one flat row."""
    case, revision = chosen.case, chosen.revision
    row: dict[str, Any] = {
        "case_id": case.id,
        "patient": case.patient,
        "state": case.pool,
        "description": chosen.description,
        "width": case.width,
        "height": case.height,
    }
    names = (
        "reader",
        "source",
        "outcome",
        "model_id",
        "pixels_changed",
        "dice_to_proposal",
        "active_seconds",
        "strokes",
    )
    row |= {name: None if revision is None else getattr(revision, name) for name in names}
    row["revision"] = None if revision is None else revision.id
    row["accepted_at"] = None if revision is None else revision.created_at
    return row


def image_png(project: Project, chosen: Chosen) -> bytes:
    """The case's image as PNG: byte for byte where it is one, otherwise encoded anew at 8 or 16 bits."""
    path = project.folder / chosen.case.image
    with reading(path, "an image"):
        with Image.open(path) as picture:
            deep = picture.mode.startswith("I")
        if path.suffix == ".png":
            return path.read_bytes()
        pixels = read_image(path)
    if deep:
        return encode_gray(np.rint(pixels * 65535).astype(np.uint16))
    return encode_gray(np.rint(pixels * 255).astype(np.uint8))


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return None if value is None else str(value)
