"""Writers for napari's Save: masks as PNG and NIfTI, and, together with the film they were drawn on, as DICOM SEG.

A lone labels layer knows nothing of its film. It goes to PNG, and to NIfTI on the grid it was read from, else on one of
a millimeter for each pixel. Film and labels saved together go to the film's own grid. What the formats mean is
`training.exports`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_semimedref.readers import OURS
from training.errors import FormatError
from training.files import write_atomically
from training.formats.turning import Turn
from training.pool.images import encode_mask

FullLayer = tuple[np.ndarray, dict[str, Any], str]
NO_FILM = (
    "A DICOM segmentation refers to the film it was drawn on: save the mask together with a film that was opened from "
    "a DICOM file."
)


def write_labels(path: str, data: np.ndarray, meta: dict[str, Any]) -> list[str]:
    """Write one labels layer to ``.nii.gz``, ``.nii`` or, its foreground as 255, ``.png``.

    Parameters
    ----------
    data : (H, W) or (N, H, W) of integers
        0 is background; a picture takes one slice only.

    Raises
    ------
    FormatError
        The layer does not fit the file.
    """
    target = Path(path)
    if target.name.lower().endswith((".nii", ".nii.gz")):
        return [_write(target, _volume(data, _origin(meta), target))]
    return [_write(target, encode_mask((_flat(data, target) > 0).astype(np.uint8)))]


def write_film_and_labels(path: str, layers: list[FullLayer]) -> list[str]:
    """Write the labels of a film and its mask on the film's grid: ``.dcm`` (DICOM SEG), ``.nii.gz`` or ``.nii``.

    Raises
    ------
    FormatError
        The two are not of one size, or the film did not come from a DICOM file.
    """
    film = next(layer for layer in layers if layer[2] == "image")
    labels = next(layer for layer in layers if layer[2] == "labels")
    target, origin = Path(path), _origin(film[1])
    if film[0].shape != labels[0].shape:
        raise FormatError(
            f"The film is {film[0].shape} but the mask is {labels[0].shape}: save two layers of one size."
        )
    if target.suffix.lower() == ".dcm":
        return [_write(target, _segmentation(labels, film[1], target))]
    return [_write(target, _volume(labels[0], origin, target))]


def _volume(data: np.ndarray, origin: dict[str, Any], target: Path) -> bytes:
    from training.exports.grids import grid_of
    from training.exports.nifti import slice_volume, stored_volume

    labels = _small(data)
    if "affine" in origin:
        affine = np.array(origin["affine"], dtype=np.float64)
        slices = labels[None] if labels.ndim == 2 else labels
        content = stored_volume(slices, origin["normal"], affine)
    else:
        grid = grid_of(origin.get("source"), labels.shape[-2:])
        content = slice_volume(_flat(labels, target), grid)
    if target.suffix.lower() == ".nii":
        import gzip

        return gzip.decompress(content)
    return content


def _segmentation(labels: FullLayer, film: dict[str, Any], target: Path) -> bytes:
    from training.exports.dicom_seg import lone_segmentation

    origin = _origin(film)
    source = origin.get("source")
    if source is None or source.get("kind") != "dicom":
        raise FormatError(NO_FILM)
    mask = (_flat(labels[0], target) > 0).astype(np.uint8)
    words = str(labels[1].get("metadata", {}).get("description", ""))
    return lone_segmentation(Path(origin["file"]), mask, Turn(**source["turn"]), words)


def _origin(meta: dict[str, Any]) -> dict[str, Any]:
    origin: dict[str, Any] = meta.get("metadata", {}).get(OURS, {})
    return origin


def _flat(data: np.ndarray, target: Path) -> np.ndarray:
    data = np.asarray(data)
    if data.ndim == 3 and len(data) == 1:
        only: np.ndarray = data[0]
        return only
    if data.ndim != 2:
        raise FormatError(
            f"{target.name} holds one picture but the layer is {data.shape}: save one slice."
        )
    return data


def _small(data: np.ndarray) -> np.ndarray:
    data = np.asarray(data)
    return data.astype(np.uint8 if data.size == 0 or data.max() < 256 else np.uint16)


def _write(target: Path, content: bytes) -> str:
    write_atomically(target, content)
    return str(target)
