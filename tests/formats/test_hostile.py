"""Files nobody should trust: each is refused in a sentence, costs no memory, and stops none of the others."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from made_sources import WORDS, dicom, dicom_bytes, left_film, save_pairs, save_sheet
from PIL import Image
from pydicom.uid import JPEG2000Lossless

from training.errors import FormatError
from training.formats import ReadOptions, read
from training.formats.bring_in import bring_in
from training.formats.findings import Trouble
from training.formats.pictures import usable_image
from training.formats.tables import read_table
from training.pool import Project

KEY = ReadOptions(secret=b"key")


@pytest.fixture
def memory():
    """Peak of what is allocated during a test, in megabytes."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / 1024**2
    tracemalloc.stop()


def _troubles(name: str, source: Path) -> list[str]:
    return [item.sentence for item in read(name, source, KEY) if isinstance(item, Trouble)]


def _png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT"


def test_truncated_and_boastful_pictures_stop_none_of_the_others(tmp_path):
    source = tmp_path / "s"
    save_pairs(source, ["good.png", "cut.png", "huge.png", "text.png"])
    cut = source / "images" / "cut.png"
    cut.write_bytes(cut.read_bytes()[:-40])
    (source / "images" / "huge.png").write_bytes(_png_header(100_000, 100_000))
    (source / "images" / "text.png").write_text("hello")
    project = Project.create(tmp_path / "p")
    outcome = bring_in(project, read("folder", source), ReadOptions())
    assert outcome.report.added == ("good",)
    assert sorted(name for name, _ in outcome.report.failed) == ["cut", "huge", "text"]
    assert all("damaged" in s or "8192" in s for _, s in outcome.report.failed)


def test_an_xlsx_that_unpacks_to_gigabytes_is_not_opened(tmp_path, memory):
    bomb = tmp_path / "bomb.xlsx"
    part = "xl/worksheets/sheet1.xml"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(part, "w", force_zip64=True) as stream,
    ):
        for _ in range(300):
            stream.write(b" " * 1024**2)
    assert bomb.stat().st_size < 1024**2
    with pytest.raises(FormatError, match="would unpack to 315 MB"):
        read_table(bomb)
    assert memory() < 20


def test_an_xlsx_that_declares_entities_is_not_opened(tmp_path):
    sheet = save_sheet(tmp_path / "t.xlsx", [("Image", "text"), ("a.png", WORDS)])
    with zipfile.ZipFile(sheet) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    name = "xl/worksheets/sheet1.xml"
    parts[name] = b"<?xml version='1.0'?>" + laughs + parts[name].split(b"?>", 1)[-1]
    with zipfile.ZipFile(sheet, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    with pytest.raises(FormatError, match="declares a document type"):
        read_table(sheet)


def test_an_xlsx_that_claims_to_be_endless_is_read_to_its_real_end(tmp_path):
    sheet = save_sheet(tmp_path / "t.xlsx", [("Image", "text"), ("a.png", WORDS)])
    with zipfile.ZipFile(sheet) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
    with zipfile.ZipFile(sheet, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    assert read_table(sheet) == [{"image": "a.png", "text": WORDS}]


@pytest.mark.parametrize("name", ["../../../etc/hostname", r"..\..\x.png", "train/../../x.png"])
def test_a_qata_table_cannot_lead_out_of_its_folder(tmp_path, name):
    head = "split,image,mask,raw_text,clean_caption,smallest_labeled_ratio\n"
    (tmp_path / "table.csv").write_text(f"{head}train,{name},m.png,a,b,\n..,a.png,m.png,a,b,\n")
    sentences = _troubles("qata", tmp_path)
    assert len(sentences) == 2
    assert all("leads out of its folder" in sentence for sentence in sentences)


def test_a_damaged_row_of_a_qata_table_stops_only_itself(tmp_path):
    head = "split,image,mask,raw_text,clean_caption,smallest_labeled_ratio\n"
    (tmp_path / "table.csv").write_text(f"{head}train,a.png,m.png,a,b,many\ntrain,b.png\n")
    assert len(_troubles("qata", tmp_path)) == 2


def test_what_is_called_a_picture_but_is_a_program_is_not_run(tmp_path):
    Image.fromarray(left_film()).save(tmp_path / "x.eps")
    (tmp_path / "x.eps").rename(tmp_path / "x.png")
    with pytest.raises(FormatError, match="is damaged or is not an image"):
        usable_image(tmp_path / "x.png")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    save_pairs(tmp_path / "s", ["a.png"])
    Image.fromarray(left_film()).save(tmp_path / "private.png")
    (tmp_path / "s" / "images" / "b.png").symlink_to(tmp_path / "private.png")
    names = [item.name for item in read("folder", tmp_path / "s")]
    assert names == ["a"]


def test_a_dicom_file_that_claims_too_much_is_refused(tmp_path):
    (tmp_path / "big.dcm").write_bytes(dicom_bytes(dicom(left_film(), Rows=65535, Columns=65535)))
    (tmp_path / "cut.dcm").write_bytes(dicom_bytes(dicom(left_film()))[:-100])
    (tmp_path / "text.dcm").write_text("no DICOM at all" * 100)
    sentences = _troubles("dicom", tmp_path)
    assert len(sentences) == 3
    assert any("65535 x 65535" in sentence for sentence in sentences)


def test_a_jpeg2000_stream_larger_than_its_header_says_is_not_decoded(tmp_path):
    file = dicom(left_film())
    file.compress(JPEG2000Lossless, generate_instance_uid=False)
    at = file.PixelData.find(b"\xff\x4f\xff\x51")
    stream = bytearray(file.PixelData)
    stream[at + 8 : at + 16] = struct.pack(">II", 60_000, 60_000)
    file.PixelData = bytes(stream)
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(file))
    (sentence,) = _troubles("dicom", tmp_path)
    assert "60000 x 60000" in sentence


def test_a_length_beyond_the_end_of_a_dicom_file_asks_for_no_memory(tmp_path, memory):
    content = dicom_bytes(dicom(left_film()))
    at = content.rfind(b"\xe0\x7f\x10\x00")
    length = struct.pack("<I", 0xFFFFFFF0)
    (tmp_path / "a.dcm").write_bytes(content[: at + 8] + length + content[at + 12 : -100])
    assert len(_troubles("dicom", tmp_path)) == 1
    assert memory() < 50


@pytest.mark.parametrize("shape", [(30000, 30000, 30000), (-5, 4, 4), (32767, 32767, 2)])
def test_a_volume_that_claims_too_much_is_refused(tmp_path, memory, shape):
    image = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    content = bytearray(image.to_bytes())
    content[40:48] = struct.pack("<4h", 3, *shape)
    (tmp_path / "v.nii.gz").write_bytes(gzip.compress(bytes(content)))
    assert len(_troubles("nifti", tmp_path)) == 1
    assert memory() < 50


def test_a_cut_volume_is_refused(tmp_path):
    content = nibabel.Nifti1Image(np.zeros((9, 9, 9), np.int16), np.eye(4)).to_bytes()
    (tmp_path / "v.nii").write_bytes(content[:-200])
    (tmp_path / "w.nii.gz").write_bytes(gzip.compress(content)[:-20])
    assert len(_troubles("nifti", tmp_path)) == 2
