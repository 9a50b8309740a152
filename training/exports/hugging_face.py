"""A folder that ``datasets.load_dataset`` opens: images, masks, words and provenance, divided as in the project."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from training.errors import FormatError
from training.exports.folder import ExportFolder, image_png, provenance
from training.exports.selection import Chosen
from training.pool import Project

_SPLITS = {"labeled": "train", "gate": "validation", "report": "test", "unlabeled": "unlabeled"}
_CARD = """---
task_categories:
- image-segmentation
configs:
- config_name: default
  data_files:
{files}---

# Masks and descriptions

Exported from a napari-semimedref project: {cases} images with the descriptions and masks that readers accepted.
"left" in a description means the {laterality}'s left. `train` is the labeled pool; `validation` is the half of the
holdout that decided which model served, `test` the half that was only ever reported. Patients are disjoint between
`train` and the other two. Masks are 0 and 255.

    datasets.load_dataset("imagefolder", data_dir="...")  # or load_dataset on this folder
"""


_NUMBERS = {
    "width": "int32",
    "height": "int32",
    "pixels_changed": "int64",
    "strokes": "int64",
    "revision": "int64",
    "dice_to_proposal": "float64",
    "active_seconds": "float64",
}


def write_hugging_face(project: Project, chosen: Sequence[Chosen], folder: ExportFolder) -> None:
    """Write ``SPLIT/images``, ``SPLIT/masks`` and ``SPLIT/metadata.parquet`` for each split, and the card.

    Raises
    ------
    FormatError
        pyarrow is not installed.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for each in chosen:
        split, name = _SPLITS[each.case.pool], f"{each.case.id}.png"
        folder.put(f"{split}/images/{name}", image_png(project, each))
        row: dict[str, Any] = {"file_name": f"images/{name}", "mask_file_name": None}
        mask = each.mask(project)
        if mask is not None:
            folder.put_mask(f"{split}/masks/{name}", mask)
            row["mask_file_name"] = f"masks/{name}"
        rows.setdefault(split, []).append(row | provenance(each))
    for split, found in rows.items():
        folder.put(f"{split}/metadata.parquet", _table(found))
    files = "".join(f"  - split: {name}\n    path: {name}/**\n" for name in rows)
    card = _CARD.format(files=files, cases=len(chosen), laterality=project.laterality)
    folder.put("README.md", card)


def _table(rows: list[dict[str, Any]]) -> bytes:
    """Rows as Parquet with fixed types: a column that is empty in one split must not differ from the others'."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise FormatError(
            "This export needs pyarrow: pip install 'napari-semimedref[export]'."
        ) from error
    schema = pyarrow.schema([(name, _NUMBERS.get(name, "string")) for name in rows[0]])
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), stream)
    return stream.getvalue()
