"""COCO: one annotation file with run-length encoded masks, and the images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.errors import FormatError
from training.exports.folder import ExportFolder, image_png, provenance
from training.exports.selection import Chosen
from training.pool import Project

CATEGORY = {"id": 1, "name": "lesion", "supercategory": "finding"}


def write_coco(
    project: Project, chosen: Sequence[Chosen], folder: ExportFolder, *, images: bool
) -> None:
    """Write ``annotations.json`` and, if asked, ``images/CASE.png``.

    Each image carries its description and provenance; each mask that is not empty is one annotation, its caption the
    description. An image whose mask is empty has ``annotated`` true and no annotation.

    Raises
    ------
    FormatError
        pycocotools is not installed.
    """
    pictures: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, each in enumerate(chosen, start=1):
        mask, name = each.mask(project), f"images/{each.case.id}.png"
        if images:
            folder.put(name, image_png(project, each))
        row = provenance(each)
        pictures.append({"id": number, "file_name": name, "annotated": mask is not None, **row})
        if mask is not None and mask.any():
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "caption": each.description}
                | annotation_of(mask)
            )
    content = {
        "info": {"description": "Masks and descriptions accepted in napari-semimedref"},
        "licenses": [],
        "categories": [CATEGORY],
        "images": pictures,
        "annotations": annotations,
    }
    folder.put("annotations.json", json.dumps(content, ensure_ascii=False))


def annotation_of(mask: np.ndarray) -> dict[str, Any]:
    """Segmentation, area and box of a mask ``(H, W) uint8, 0 or 1`` in COCO's terms.

    Raises
    ------
    FormatError
        pycocotools is not installed.
    """
    try:
        from pycocotools import mask as coder
    except ImportError as error:
        raise FormatError(
            "COCO masks need pycocotools: pip install 'napari-semimedref[export]'."
        ) from error
    code = coder.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "category_id": CATEGORY["id"],
        "segmentation": {"size": list(mask.shape), "counts": code["counts"].decode("ascii")},
        "area": int(coder.area(code)),
        "bbox": [float(value) for value in coder.toBbox(code)],
        "iscrowd": 0,
    }
