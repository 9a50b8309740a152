"""Readers for napari's Open: DICOM and NIfTI as the project's own import reads them, the patient's right on the left.

What the formats mean is `training.formats`; here it only becomes layers. Files that are refused raise FormatError,
whose sentence napari shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning

from training.errors import FormatError
from training.formats import ReadOptions, Trouble, read
from training.formats.dicom import is_dicom
from training.formats.findings import Note
from training.formats.names import plain_stem
from training.formats.nifti import SUFFIXES, Volume, flat_axis, load_volume, slices_of
from training.formats.pairs import is_mask
from training.pool import IncomingCase

OURS = "semimedref"  # under this name a layer's metadata says where its pixels come from
MOST_NOTES = 3
LayerData = tuple[np.ndarray, dict[str, Any], str]
Reader = Callable[[str | Sequence[str]], list[LayerData]]


def reader_for(path: str | Sequence[str]) -> Reader | None:
    """What reads these files; None if one of them is neither DICOM nor NIfTI."""
    paths = _paths(path)
    return (
        read_layers if paths and all(_is_nifti(each) or is_dicom(each) for each in paths) else None
    )


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Files as layers: films ``(H, W)`` and volumes ``(slices, H, W)``, uint16 from black to white; masks as labels.

    Raises
    ------
    FormatError
        A file is damaged, or holds no picture that can be shown.
    """
    return [
        layer for each in _paths(path) for layer in (_nifti if _is_nifti(each) else _dicom)(each)
    ]


def _dicom(path: Path) -> list[LayerData]:
    # The project's secret only names cases; nothing of these names is kept.
    options = ReadOptions(secret=secrets.token_bytes(16), keep_uids=True)
    film = _cases("dicom", path, options)[0]
    origin = {"file": str(path), "source": film.source}
    return [_film(np.asarray(film.image), path, origin)]


def _nifti(path: Path) -> list[LayerData]:
    volume = load_volume(path)
    normal = flat_axis(volume, "axial")
    origin = {"file": str(path), "affine": volume.affine.tolist(), "normal": normal}
    if _is_labels(path, volume):
        labels = _stacked(slices_of(volume.values, normal)).astype(np.uint8)
        return [(labels, {"name": plain_stem(path.name), "metadata": {OURS: origin}}, "labels")]
    films = _stacked([np.asarray(case.image) for case in _cases("nifti", path, ReadOptions())])
    return [_film(films, path, origin)]


def _cases(name: str, path: Path, options: ReadOptions) -> list[IncomingCase]:
    cases, notes = [], []
    for found in read(name, path, options):
        if isinstance(found, Trouble):
            raise FormatError(found.sentence)
        if isinstance(found, Note):
            notes.append(found.sentence)
        else:
            cases.append(found)
    if not cases:
        raise FormatError(f"{path} holds no picture: choose another file.")
    for sentence in dict.fromkeys(notes[:MOST_NOTES]):
        show_warning(f"{path.name}: {sentence}")
    return cases


def _film(pixels: np.ndarray, path: Path, origin: dict[str, Any]) -> LayerData:
    look = {"name": plain_stem(path.name), "colormap": "gray", "contrast_limits": (0, 65535)}
    return pixels, look | {"metadata": {OURS: origin}}, "image"


def _is_labels(path: Path, volume: Volume) -> bool:
    values = volume.values
    binary = bool(np.isin(values, (0, 1)).all())
    return binary and (bool(values.any()) or is_mask(path.name))


def _stacked(slices: Sequence[np.ndarray]) -> np.ndarray:
    return slices[0] if len(slices) == 1 else np.stack(slices)


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith(tuple(SUFFIXES)) and path.is_file()


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(each) for each in ([path] if isinstance(path, str) else path)]
