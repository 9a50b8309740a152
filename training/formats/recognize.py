"""Telling formats apart by names and marks, before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import FormatError
from training.formats.dicom import is_dicom
from training.formats.layouts import split_folder
from training.formats.names import PICTURES
from training.formats.nifti import SUFFIXES
from training.formats.pairs import files_below, is_mask
from training.formats.tables import KINDS

if TYPE_CHECKING:
    from training.formats import FormatName


def recognize(path: Path) -> FormatName:
    """The format of a file or folder.

    Raises
    ------
    FormatError
        It is not there, or holds nothing that can be imported.
    """
    if path.is_file():
        return _file(path)
    if not path.is_dir():
        raise FormatError(f"There is no {path}: check its name.")
    if any(entry.is_dir() and split_folder(entry.name) for entry in path.iterdir()):
        return "lvit"
    if (path / "table.csv").is_file():
        return "qata"
    names = files_below(path, frozenset({""}))
    kinds = [name.lower() for name in names]
    if any(name.endswith(tuple(SUFFIXES)) for name in kinds):
        return "nifti"
    pictures = [name for name in names if name.lower().endswith(tuple(PICTURES))]
    if pictures:
        return _pictures(path, names, pictures)
    if any(is_dicom(path / name) for name in names[:200]):
        return "dicom"
    raise FormatError(
        f"{path} holds nothing that can be imported: no PNG, JPEG, TIFF, BMP, DICOM or NIfTI files."
    )


def _pictures(path: Path, names: list[str], pictures: list[str]) -> FormatName:
    if any(name.lower().endswith(".json") for name in names) and _annotated(path, names):
        return "qata"
    tables = any(name.lower().endswith(KINDS) for name in names)
    in_folders = all("/" in name for name in pictures)
    return "mosmed" if tables and in_folders and any(map(is_mask, pictures)) else "folder"


def _annotated(path: Path, names: list[str]) -> bool:
    """Whether one of the JSON files begins like an annotation file of captions."""
    for name in names:
        if name.lower().endswith(".json"):
            with (path / name).open("rb") as stream:
                if b'"image_path"' in stream.read(4096):
                    return True
    return False


def _file(path: Path) -> FormatName:
    name = path.name.lower()
    if name.endswith(tuple(SUFFIXES)):
        return "nifti"
    if is_dicom(path):
        return "dicom"
    raise FormatError(
        f"{path} is a single file of no known kind: give the folder that holds the images, "
        "or a DICOM or NIfTI file."
    )
