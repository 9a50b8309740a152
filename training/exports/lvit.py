"""The LViT layout: ``{Train,Val,Test}_Folder/{img,labelcol}`` and ``{Train,Val,Test}_text.xlsx``.

`training.formats.layouts.read_lvit` reads it back to the same cases, words, masks, patients and halves of the holdout.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from training.exports.folder import ExportFolder, image_png
from training.exports.selection import Chosen
from training.pool import Project

_SETS = {"labeled": "Train", "unlabeled": "Train", "gate": "Val", "report": "Test"}


def write_lvit(project: Project, chosen: Sequence[Chosen], folder: ExportFolder) -> None:
    """Write images and masks of the same name, and a sheet for each set that has cases."""
    sheets: dict[str, list[tuple[str, str, str]]] = {}
    for each in chosen:
        name, part = f"{each.case.id}.png", _SETS[each.case.pool]
        folder.put(f"{part}_Folder/img/{name}", image_png(project, each))
        mask = each.mask(project)
        if mask is not None:
            folder.put_mask(f"{part}_Folder/labelcol/{name}", mask)
        sheets.setdefault(part, []).append((name, each.description, each.case.patient))
    for part, rows in sheets.items():
        folder.put(f"{part}_text.xlsx", sheet_of([("Image", "Description", "Patient"), *rows]))


def sheet_of(rows: Sequence[tuple[str, ...]]) -> bytes:
    """Rows of text as an xlsx file in which nothing is a formula."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column, ILLEGAL_CHARACTERS_RE.sub("", text))
            cell.data_type = "s"  # a text that begins with "=" is a text
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
