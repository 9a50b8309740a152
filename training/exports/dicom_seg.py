"""DICOM Segmentation objects that refer to the images they were drawn on."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.errors import FormatError
from training.exports.folder import ExportFolder, provenance
from training.exports.selection import Chosen
from training.formats.foreign import reading
from training.formats.turning import Turn
from training.pool import Case, Project
from training.pool.sources import read_source

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def write_dicom_seg(
    project: Project, chosen: Sequence[Chosen], folder: ExportFolder, originals: Path | None = None
) -> list[tuple[str, str]]:
    """Write ``CASE.dcm`` for every case that came from a DICOM file and has a mask, and ``cases.csv``.

    Parameters
    ----------
    originals : Path or None
        Folder of the files that were imported. Segmentations then refer to them, and carry their patient; without
        it they refer to the identifiers that the project keeps.

    Returns
    -------
    list of (case id, sentence)
        What was left out, and why.

    Raises
    ------
    FormatError
        highdicom is not installed, or no case came from a DICOM file.
    """
    _need_highdicom()
    found = None if originals is None else _by_identifier(project, originals)
    left_out: list[tuple[str, str]] = []
    rows = []
    for each in chosen:
        try:
            content = _object(project, each, originals, found)
        except FormatError as error:
            left_out.append((each.case.id, str(error)))
            continue
        folder.put(f"{each.case.id}.dcm", content)
        rows.append(provenance(each))
    if not rows:
        raise FormatError(f"No segmentation could be written: {left_out[0][1]}")
    folder.put_table("cases.csv", rows)
    return left_out


def lone_segmentation(original: Path, mask: np.ndarray, turn: Turn, words: str = "") -> bytes:
    """A DICOM Segmentation object of one file that belongs to no project.

    Parameters
    ----------
    original : Path
        The DICOM file; the segmentation refers to it and carries its patient.
    mask : (H, W) uint8, 0 or 1
        On the picture as it is read.
    turn : Turn
        How the stored grid was turned for that picture.
    words : str
        The description.

    Raises
    ------
    FormatError
        The file is gone or damaged, or highdicom is not installed.
    """
    import pydicom

    _need_highdicom()
    with reading(original, "a DICOM file"):
        header = pydicom.dcmread(original, stop_before_pixels=True, force=True)
    height, width = mask.shape
    case = Case(original.stem, "", "unlabeled", words, "", None, width, height, 0, False)
    try:
        return _saved(header, turn.undo(mask), Chosen(case, None))
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # as `write_dicom_seg` says
        reason = str(error).rstrip(".")
        raise FormatError(f"No segmentation of {original} could be written: {reason}.") from error


def _need_highdicom() -> None:
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise FormatError(
            "DICOM segmentations need highdicom: pip install 'napari-semimedref[export]'."
        ) from error


def _object(
    project: Project, chosen: Chosen, originals: Path | None, found: dict[str, Dataset] | None
) -> bytes:
    """The segmentation of one case; FormatError where there can be none."""
    case_id = chosen.case.id
    record, mask = read_source(project, case_id), chosen.mask(project)
    if record is None or record.get("kind") != "dicom":
        raise FormatError(f"{case_id} did not come from a DICOM file: export it in another format.")
    if mask is None:
        raise FormatError(f"{case_id} has no accepted mask: accept one first.")
    header = _header(record, found)
    if header is None:
        raise FormatError(
            f"{originals} does not hold the file of {case_id}: give the imported folder."
        )
    try:
        return _saved(header, Turn(**record["turn"]).undo(mask), chosen)
    except Exception as error:  # headers can be wrong in ways that only the writer notices
        reason = str(error).rstrip(".")
        raise FormatError(f"{case_id} could not be written: {reason}.") from error


def _header(record: dict[str, Any], found: dict[str, Dataset] | None) -> Dataset | None:
    from training.formats.dicom_header import header_from

    header = header_from(record)
    return header if found is None else found.get(str(header.get("SOPInstanceUID", "")))


def _by_identifier(project: Project, originals: Path) -> dict[str, Dataset]:
    """The headers of the imported files, by both the identifiers under which a project may know them."""
    import pydicom

    from training.formats.bring_in import secret_of
    from training.formats.dicom import is_dicom
    from training.formats.dicom_header import replaced_uid
    from training.formats.pairs import files_below

    secret = secret_of(project)
    found: dict[str, Dataset] = {}
    for name in files_below(originals, frozenset({""})):
        if is_dicom(originals / name):
            with reading(originals / name, "a DICOM file"):
                header = pydicom.dcmread(originals / name, stop_before_pixels=True, force=True)
                uid = str(header.get("SOPInstanceUID", ""))
            found[uid] = found[replaced_uid(uid, secret)] = header
    if not found:
        raise FormatError(f"{originals} holds no DICOM files: give the folder that was imported.")
    return found


def _saved(header: Dataset, mask: np.ndarray, chosen: Chosen) -> bytes:
    from training.exports.dicom_object import segmentation

    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that the originals write in an old form
        segmentation(header, mask, chosen).save_as(stream)
    return stream.getvalue()
