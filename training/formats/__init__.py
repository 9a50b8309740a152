"""What comes in: which format a folder is, and its cases. The readers themselves are in the other modules.

name = detect(path)                                 "qata", "mosmed", "lvit", "folder", "dicom" or "nifti"
found = read(name, path, options)                   lazily: cases, troubles, notes
bring_in(project, found, options)                   import them;  rehearse(...) only says what would happen
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from training.errors import FormatError
from training.formats.findings import Found, Note, Trouble
from training.formats.options import ReadOptions

FormatName = Literal["qata", "mosmed", "lvit", "folder", "dicom", "nifti"]
FORMATS: tuple[FormatName, ...] = get_args(FormatName)

__all__ = ["FORMATS", "FormatName", "Found", "Note", "ReadOptions", "Trouble", "detect", "read"]


def detect(path: Path | str) -> FormatName:
    """Which format a file or folder is, by its names and marks alone.

    Raises
    ------
    FormatError
        It is none of them.
    """
    from training.formats.recognize import recognize

    return recognize(Path(path))


def read(name: str, source: Path | str, options: ReadOptions | None = None) -> Iterator[Found]:
    """The cases of a source, one at a time, with what cannot be used and what should be seen.

    Parameters
    ----------
    name : str
        One of `FORMATS`.

    Raises
    ------
    FormatError
        The name is unknown, or the source as a whole cannot be used.
    """
    source, options = Path(source), options or ReadOptions()
    if name == "dicom":
        from training.formats.dicom import read_dicom

        return read_dicom(source, options)
    if name == "nifti":
        from training.formats.nifti import read_nifti

        return read_nifti(source, options)
    if name == "qata":
        return _read_qata(source, options)
    from training.formats import layouts

    if name == "mosmed":
        return layouts.read_mosmed(source, options)
    if name == "lvit":
        return layouts.read_lvit(source, options)
    if name == "folder":
        return layouts.read_folder(source, options)
    raise FormatError(f"There is no format {name!r}: choose one of {', '.join(FORMATS)}.")


def _read_qata(source: Path, options: ReadOptions) -> Iterator[Found]:
    from training.formats.layouts import read_sheet
    from training.formats.qata import read_qata

    if options.texts is None and ((source / "table.csv").is_file() or not source.is_dir()):
        column: Literal["raw_text", "clean_caption"] = "raw_text"
        if options.text_column == "clean_caption":
            column = "clean_caption"
        return read_qata(source, labels=options.labels, text=column)
    return read_sheet(source, options)
