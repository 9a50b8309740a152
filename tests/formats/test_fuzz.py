"""Damaged bytes of every format: the readers know no exception but FormatError."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_sources import WORDS, dicom, dicom_bytes, left_film, left_mask, save_sheet
from PIL import Image
from pydicom.uid import UID, JPEG2000Lossless, RLELossless

from training.errors import FormatError
from training.formats import ReadOptions, read
from training.formats.pictures import load_mask, usable_image
from training.formats.tables import read_table
from training.formats.texts import read_texts
from training.pool.images import read_image

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))  # a few seconds in all; more finds more
KEY = ReadOptions(secret=b"key")


def _picture(ending: str, pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=ending)
    return stream.getvalue()


def _sheet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        rows = [("Image", "text"), ("a.png", WORDS)]
        return save_sheet(Path(folder) / "t.xlsx", rows).read_bytes()


def _packed(syntax: UID) -> bytes:
    file = dicom(left_film())
    file.compress(syntax, generate_instance_uid=False)
    return dicom_bytes(file)


def _as_picture(path: Path) -> None:
    usable_image(path)
    read_image(path)
    load_mask(path, None)


def _as_table(path: Path) -> None:
    read_table(path)
    read_texts([path])


def _as(name: str) -> Callable[[Path], None]:
    return lambda path: list(read(name, path, KEY)) and None


_VOLUME = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
SEEDS: dict[str, tuple[str, bytes, Callable[[Path], None]]] = {
    "png": (".png", _picture("PNG", left_film()), _as_picture),
    "deep png": (".png", _picture("PNG", left_film().astype(np.uint16) * 200), _as_picture),
    "tiff": (".tif", _picture("TIFF", left_mask() * 255), _as_picture),
    "jpeg": (".jpg", _picture("JPEG", left_film()), _as_picture),
    "bmp": (".bmp", _picture("BMP", left_film()), _as_picture),
    "csv": (".csv", f'\ufeffImage,Description\r\na.png,"{WORDS}"\r\n'.encode(), _as_table),
    "json": (".json", b'{"train": [{"image_path": "a.png", "caption": "x"}]}', _as_table),
    "xlsx": (".xlsx", _sheet(), _as_table),
    "dicom": (
        ".dcm",
        dicom_bytes(dicom(left_film(), WindowCenter=128, WindowWidth=256)),
        _as("dicom"),
    ),
    "ct": (".dcm", dicom_bytes(dicom(left_film().astype(np.int16), "ct")), _as("dicom")),
    "run lengths": (".dcm", _packed(RLELossless), _as("dicom")),
    "jpeg 2000": (".dcm", _packed(JPEG2000Lossless), _as("dicom")),
    "nifti": (".nii", nibabel.Nifti1Image(_VOLUME, np.eye(4)).to_bytes(), _as("nifti")),
}


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A file's bytes with some overwritten, and perhaps an end cut off or something put in."""
    mutated = bytearray(content)
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(mutated) - 1))
        piece = draw(st.binary(min_size=1, max_size=4))
        mutated[at : at + len(piece)] = piece
    if draw(st.booleans()):
        at = draw(st.integers(0, len(mutated)))
        mutated[at:at] = draw(st.binary(max_size=8))
    cut = draw(st.one_of(st.none(), st.integers(0, len(mutated))))
    return bytes(mutated[:cut])


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_bytes_raise_nothing_but_format_errors(kind, data):
    suffix, content, use = SEEDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(data.draw(damaged(content)))
        try:
            use(path)
        except FormatError as error:
            assert str(error).endswith((".", ")"))


@pytest.mark.parametrize("kind", SEEDS)
def test_the_undamaged_bytes_are_read(kind, tmp_path):
    suffix, content, use = SEEDS[kind]
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    use(path)
