"""DICOM files as cases: films, and the slices of series. De-identified on the way in; see `dicom_header`."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import FormatError
from training.formats.findings import Found, Note, Trouble
from training.formats.foreign import reading
from training.formats.names import plain_stem
from training.formats.options import ReadOptions
from training.formats.pairs import files_below
from training.formats.texts import Texts, read_texts
from training.pool.records import IncomingCase

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAX_FILE = 1024**3
HEAD = 2**16  # where the numbers stand that put files in order
_DEFLATED = "1.2.840.10008.1.2.1.99"
_KINDS = (".dcm", ".dicom", ".ima")


def is_dicom(path: Path) -> bool:
    """Whether a file carries DICOM's mark or one of its endings; ``DICOMDIR`` is no image."""
    if path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    if path.suffix.lower() in _KINDS:
        return True
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_dicom(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read one file or all DICOM files below a folder, patient by patient and slice by slice.

    Names of cases and patients are keyed digests: neither file names nor header texts enter the project. Descriptions
    come from ``options.texts``, by file name or by SOP Instance UID.

    Raises
    ------
    FormatError
        There is no DICOM file. A single damaged file is a `Trouble` and stops nothing.
    """
    texts = read_texts([options.texts], options.text_column) if options.texts else Texts()
    names = [source.name] if source.is_file() else _names(source)
    folder = source.parent if source.is_file() else source
    paths = [folder / name for name in names if is_dicom(folder / name)]
    if not paths:
        raise FormatError(f"{source} holds no DICOM files: give another file or folder.")
    for number, path in enumerate(sorted(paths, key=_place)):
        if number % options.every == 0:
            yield from _cases(path, options, texts)


def load_dicom(path: Path) -> Dataset:
    """Read a DICOM file with its pixel data.

    Raises
    ------
    FormatError
        It is damaged, no DICOM file, deflated as a whole, or larger than 1 GB.
    """
    import pydicom

    with reading(path, "a DICOM file"):
        if path.stat().st_size > MAX_FILE:
            raise FormatError(
                f"{path} is larger than 1 GB: convert it to single-frame files first."
            )
        _refuse_deflated(path)
        # from memory, where a damaged length cannot ask for more than there is
        dataset = pydicom.dcmread(
            io.BytesIO(path.read_bytes()), force=path.suffix.lower() in _KINDS
        )
        if "SOPClassUID" not in dataset and "Rows" not in dataset:
            raise FormatError(f"{path} is damaged or is not a DICOM file: leave it out.")
        # values are parsed when touched: touch all of them inside the fence
        dataset.walk(lambda *_: None)
        return dataset


def _refuse_deflated(path: Path) -> None:
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return
    if str(read_file_meta_info(str(path)).get("TransferSyntaxUID", "")) == _DEFLATED:
        raise FormatError(
            f"{path} is deflated as a whole: convert it to an uncompressed file first."
        )


def _names(source: Path) -> list[str]:
    if not source.is_dir():
        raise FormatError(f"There is no {source}: check its name.")
    return files_below(source, frozenset({""}))


def _place(path: Path) -> tuple[str, str, int, str]:
    """Where a file stands among the others: patient, series, number, name. A damaged one says so when it is read."""
    import pydicom

    tags = ["PatientID", "SeriesInstanceUID", "InstanceNumber"]
    try:
        with reading(path, "a DICOM file"):
            _refuse_deflated(path)
            with path.open("rb") as stream:
                head = io.BytesIO(stream.read(HEAD))
            found = pydicom.dcmread(head, stop_before_pixels=True, force=True, specific_tags=tags)
            patient, series, number = (str(found.get(tag, "") or "") for tag in tags)
    except FormatError:
        return "", "", 0, str(path)
    return patient, series, int(number) if re.fullmatch("[0-9]{1,9}", number) else 0, str(path)


def _cases(path: Path, options: ReadOptions, texts: Texts) -> Iterator[Found]:
    try:
        case, notes = _case(path, options, texts)
    except FormatError as error:
        yield Trouble(path.name, _named(path, str(error)))
        return
    yield case
    for note in notes:
        yield Note(case.name, note)


def _case(path: Path, options: ReadOptions, texts: Texts) -> tuple[IncomingCase, list[str]]:
    from training.formats import dicom_header as headers
    from training.formats.dicom_pixels import picture_of, turn_of

    dataset = load_dicom(path)
    with reading(path, "a DICOM image that can be decoded"):
        pixels, turn = picture_of(dataset, options.window)
        patient = headers.patient_key(dataset, options.secret)
        content = hashlib.sha256(dataset.PixelData).hexdigest()
        identity = (
            str(dataset.get("SOPInstanceUID", "")),
            dataset.PhotometricInterpretation,
            content,
        )
        digest = headers.keyed(options.secret, "image", *identity).hex()[:8]
        number = int(dataset.get("InstanceNumber", 0) or 0)
        record = headers.source_record(dataset, options, asdict(turn))
        warning = headers.burned_in_warning(dataset)
        unknown = turn_of(dataset) is None
    notes = [warning] if warning else []
    if unknown:
        notes.append("The file does not say how the patient lies: it is shown as it is stored.")
    case = IncomingCase(
        name=f"{patient}_{number:04d}_{digest}",
        image=pixels,
        description=texts.of(plain_stem(path.name), identity[0]),
        patient=patient,
        source=record,
    )
    return case, notes


def _named(path: Path, sentence: str) -> str:
    return sentence if str(path) in sentence else f"{path}: {sentence}"
