"""Compressed DICOM pixels come in unchanged, whatever lossless way they were compressed in."""

from __future__ import annotations

import numpy as np
import pytest
from made_sources import left_film, save_dicom
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from training.errors import FormatError
from training.formats import ReadOptions, dicom_decoder, read
from training.formats.findings import Trouble
from training.pool import IncomingCase

KEY = ReadOptions(secret=b"key", window=(1024, 2048))


def _image(folder):
    found = [item for item in read("dicom", folder, KEY) if isinstance(item, IncomingCase)]
    return found[0].image


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1])
def test_lossless_compression_changes_no_pixel(tmp_path, syntax):
    pixels = left_film().astype(np.uint16) * 9
    plain = save_dicom(tmp_path / "plain" / "a.dcm", pixels, BitsStored=12, HighBit=11)
    (tmp_path / "packed").mkdir()
    packed = tmp_path / "packed" / "a.dcm"
    if syntax == JPEGLosslessSV1:
        _pack_with_gdcm(plain, packed)
    else:
        file = dcmread(plain)
        file.compress(syntax, generate_instance_uid=False)
        file.save_as(packed)
    assert dcmread(packed).file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(_image(tmp_path / "packed"), _image(tmp_path / "plain"))


def _pack_with_gdcm(plain, packed):
    gdcm = pytest.importorskip("gdcm", reason="python-gdcm, of the extra [dicom], is not installed")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(packed))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def test_a_compression_without_a_decoder_names_what_to_install(tmp_path, monkeypatch):
    path = save_dicom(tmp_path / "a.dcm", left_film())
    file = dcmread(path)
    file.compress(RLELossless, generate_instance_uid=False)
    file.save_as(path)

    class Missing:
        available_plugins = ()

    monkeypatch.setattr(dicom_decoder, "get_decoder", lambda syntax: Missing)
    (trouble,) = read("dicom", tmp_path, KEY)
    assert isinstance(trouble, Trouble)
    assert "pip install 'napari-semimedref[dicom]'" in trouble.sentence


def test_a_file_that_is_deflated_as_a_whole_is_not_unpacked(tmp_path):
    path = save_dicom(tmp_path / "a.dcm", left_film())
    file = dcmread(path)
    file.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file.save_as(path)
    (trouble,) = read("dicom", tmp_path, KEY)
    assert "is deflated as a whole" in trouble.sentence
    assert isinstance(FormatError(trouble.sentence), Exception)


def test_damage_that_takes_a_decoder_down_costs_only_its_own_file(tmp_path):
    pytest.importorskip("gdcm", reason="python-gdcm, of the extra [dicom], is not installed")
    plain = save_dicom(tmp_path / "plain" / "a.dcm", left_film().astype(np.uint16) * 9)
    source = tmp_path / "packed"
    source.mkdir()
    _pack_with_gdcm(plain, source / "good.dcm")
    assert np.array_equal(_image(source), _image(tmp_path / "plain"))
    dicom_decoder._child._process.kill()  # as damaged data can
    assert np.array_equal(_image(source), _image(tmp_path / "plain"))
    content = (source / "good.dcm").read_bytes()
    start = content.find(b"\xe0\x7f\x10\x00") + 12
    generator = np.random.default_rng(1)
    for number in range(15):  # among so many, some end the process that decodes them
        damaged = bytearray(content)
        for _ in range(5):
            damaged[generator.integers(start, len(damaged))] = generator.integers(256)
        (source / f"damaged_{number:02d}.dcm").write_bytes(damaged)
    found = list(read("dicom", source, KEY))
    assert len([item for item in found if isinstance(item, (IncomingCase, Trouble))]) == 16
    assert any(isinstance(item, Trouble) for item in found)
    assert any(
        np.array_equal(item.image, _image(tmp_path / "plain"))
        for item in found
        if isinstance(item, IncomingCase)
    )
