"""A folder that ``datasets.load_dataset`` opens: images, masks, words and provenance, divided as in the project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

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


def write_hugging_face(project: Project, chosen: Sequence[Chosen], folder: ExportFolder) -> None:
    """Write ``SPLIT/images``, ``SPLIT/masks`` and ``SPLIT/metadata.jsonl`` for each split, and the card."""
    lines: dict[str, list[str]] = {}
    for item in chosen:
        split, name = _SPLITS[item.case.pool], f"{item.case.id}.png"
        folder.put(f"{split}/images/{name}", image_png(project, item))
        row: dict[str, Any] = {"file_name": f"images/{name}", "mask_file_name": None}
        mask = item.mask(project)
        if mask is not None:
            folder.put_mask(f"{split}/masks/{name}", mask)
            row["mask_file_name"] = f"masks/{name}"
        lines.setdefault(split, []).append(json.dumps(row | provenance(item), ensure_ascii=False))
    for split, rows in lines.items():
        folder.put(f"{split}/metadata.jsonl", "\n".join(rows) + "\n")
    files = "".join(f"  - split: {name}\n    path: {name}/**\n" for name in lines)
    card = _CARD.format(files=files, cases=len(chosen), laterality=project.laterality)
    folder.put("README.md", card)
