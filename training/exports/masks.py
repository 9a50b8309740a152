"""Accepted masks as PNG files beside one csv of descriptions and provenance."""

from __future__ import annotations

from collections.abc import Sequence

from training.exports.folder import ExportFolder, image_png, provenance
from training.exports.selection import Chosen
from training.pool import Project


def write_masks(
    project: Project, chosen: Sequence[Chosen], folder: ExportFolder, *, images: bool
) -> None:
    """Write ``masks/CASE.png``, ``cases.csv`` and, if asked, ``images/CASE.png``."""
    rows = []
    for each in chosen:
        mask, name = each.mask(project), f"{each.case.id}.png"
        if mask is not None:
            folder.put_mask(f"masks/{name}", mask)
        if images:
            folder.put(f"images/{name}", image_png(project, each))
        files = {
            "image": f"images/{name}" if images else "",
            "mask": "" if mask is None else f"masks/{name}",
        }
        row = provenance(each)
        rows.append({"case_id": row.pop("case_id"), **files, **row})
    folder.put_table("cases.csv", rows)
