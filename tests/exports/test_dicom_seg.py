"""DICOM segmentations: read by highdicom, passed by dciodvfy, on the source's own grid, and about nobody."""

from __future__ import annotations

import shutil
import subprocess

import nibabel
import numpy as np
import pydicom
import pytest
from made import SHARED_DATA
from made_sources import WORDS, left_film, left_mask, save_dicom, save_pairs
from pydicom.uid import generate_uid

from training.errors import FormatError
from training.exports import export
from training.formats import ReadOptions, read
from training.formats.bring_in import bring_in, secret_of
from training.pool import Project

highdicom = pytest.importorskip(
    "highdicom", reason="highdicom, of the extra [export], is not installed"
)
CHECKER = shutil.which("dciodvfy")
REAL = SHARED_DATA / "dicom_chest"


def _project(folder, source, keep_uids=False):
    project = Project.create(folder)
    options = ReadOptions(secret=secret_of(project), keep_uids=keep_uids)
    assert not bring_in(project, read("dicom", source, options), options).report.failed
    return project


def _accept(project, mask=None, model_id=None):
    for case in project.cases():
        drawn = mask
        if drawn is None:
            drawn = np.zeros((case.height, case.width), np.uint8)
            drawn[case.height // 2 :, 10 : case.width // 4] = 1
        project.accept(case.id, drawn, WORDS, "Ada", source="edited", model_id=model_id)


def _stored(path):
    return highdicom.seg.segread(path)


def _lesion(segmentation):
    return segmentation.get_pixels_by_source_instance(
        [segmentation.get_source_image_uids()[0][2]],
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )[0]


@pytest.fixture
def source(tmp_path):
    save_dicom(
        tmp_path / "source" / "film.dcm", left_film()[:, ::-1].copy(), PatientOrientation=["R", "F"]
    )
    slices = left_film().astype(np.int16).T.copy()
    directions = [0, 1, 0, 1, 0, 0]
    save_dicom(
        tmp_path / "source" / "ct.dcm",
        slices,
        "ct",
        ImageOrientationPatient=directions,
        SOPInstanceUID=generate_uid(),
    )
    return tmp_path / "source"


def test_a_segmentation_lies_on_its_sources_grid_and_carries_the_words(tmp_path, source):
    project = _project(tmp_path / "p", source, keep_uids=True)
    _accept(project, left_mask(), model_id="m1")
    done = export("dicom-seg", project, tmp_path / "out")
    assert (done.cases, done.left_out) == (2, ())
    originals = {f.SOPInstanceUID: f for f in map(pydicom.dcmread, source.iterdir())}
    for path in (tmp_path / "out").glob("*.dcm"):
        found = _stored(path)
        study, series, instance = found.get_source_image_uids()[0]
        original = originals[instance]
        assert (study, series) == (original.StudyInstanceUID, original.SeriesInstanceUID)
        on_grid = left_mask()[:, ::-1] if original.Modality == "DX" else left_mask().T
        assert np.array_equal(_lesion(found), on_grid)
        # the same pixels that are bright in the stored picture
        assert original.pixel_array[_lesion(found) > 0].min() == 220
        segment = found.get_segment_description(1)
        assert segment.SegmentDescription == WORDS
        assert segment.algorithm_type.value == "SEMIAUTOMATIC"


def test_by_default_a_segmentation_names_nobody_and_with_the_originals_it_joins_them(
    tmp_path, source
):
    project = _project(tmp_path / "p", source)
    _accept(project, left_mask())
    export("dicom-seg", project, tmp_path / "anonymous")
    export("dicom-seg", project, tmp_path / "joined", originals=source)
    uids = {str(pydicom.dcmread(path).SOPInstanceUID) for path in source.iterdir()}
    for path in (tmp_path / "anonymous").glob("*.dcm"):
        assert b"Doe" not in path.read_bytes()
        assert b"12345" not in path.read_bytes()
        assert _stored(path).get_source_image_uids()[0][2] not in uids
    joined = [_stored(path) for path in (tmp_path / "joined").glob("*.dcm")]
    assert {found.get_source_image_uids()[0][2] for found in joined} == uids
    assert {str(found.PatientName) for found in joined} == {"Doe^Jane"}


def test_cases_that_came_from_elsewhere_are_left_out_and_told(tmp_path, source):
    project = _project(tmp_path / "p", source)
    save_pairs(tmp_path / "films", ["a.png"])
    bring_in(project, read("folder", tmp_path / "films"), ReadOptions())
    _accept(project, left_mask())
    done = export("dicom-seg", project, tmp_path / "out")
    assert done.cases == 2
    assert "did not come from a DICOM file" in done.left_out[0][1]
    (tmp_path / "other").mkdir()
    save_dicom(tmp_path / "other" / "x.dcm", left_film(), SOPInstanceUID=generate_uid())
    with pytest.raises(FormatError, match="No segmentation could be written"):
        export("dicom-seg", project, tmp_path / "none", originals=tmp_path / "other")


def test_a_nifti_of_a_dicom_slice_lies_where_the_slice_lies_in_the_patient(tmp_path, source):
    (source / "film.dcm").unlink()
    project = _project(tmp_path / "p", source)
    _accept(project, left_mask())
    export("nifti", project, tmp_path / "out")
    (path,) = (tmp_path / "out" / "labels").iterdir()
    label = nibabel.load(path)
    original = pydicom.dcmread(source / "ct.dcm")
    column, row = 5, 26  # of the picture as it is read: stored row 5, column 26
    expected = (
        np.array(original.ImagePositionPatient)
        + 26 * 0.5 * np.array([0, 1, 0])
        + 5 * 2.0 * np.array([1, 0, 0])
    )
    place = (label.affine @ (column, row, 0, 1))[:3] * (-1, -1, 1)
    assert np.allclose(place, expected)
    assert label.dataobj[column, row, 0] == 1


def _errors(path):
    said = subprocess.run([CHECKER, str(path)], capture_output=True, text=True)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]


@pytest.mark.skipif(CHECKER is None, reason="dciodvfy, of Debian's dicom3tools, is not installed")
def test_dciodvfy_finds_no_error_in_made_up_sources(tmp_path, source):
    project = _project(tmp_path / "p", source)
    _accept(project, model_id="m1")
    export("dicom-seg", project, tmp_path / "out")
    export("dicom-seg", project, tmp_path / "joined", originals=source)
    written = [*(tmp_path / "out").glob("*.dcm"), *(tmp_path / "joined").glob("*.dcm")]
    assert len(written) == 4
    assert {path.name: _errors(path) for path in written if _errors(path)} == {}


@pytest.mark.skipif(CHECKER is None, reason="dciodvfy, of Debian's dicom3tools, is not installed")
@pytest.mark.skipif(not REAL.is_dir(), reason="the real films are not at hand")
def test_dciodvfy_finds_no_error_in_segmentations_of_the_real_films(tmp_path):
    project = _project(tmp_path / "p", REAL)
    _accept(project)
    export("dicom-seg", project, tmp_path / "out")
    written = list((tmp_path / "out").glob("*.dcm"))
    assert len(written) == 4
    assert {path.name: _errors(path) for path in written if _errors(path)} == {}
    for path in written:
        mask = project.read_reference_mask(path.stem)
        assert np.array_equal(_lesion(_stored(path)), mask)
        assert mask[:, : mask.shape[1] // 2].sum() > 0 == mask[:, mask.shape[1] // 2 :].sum()


@pytest.mark.parametrize("missing", ["SliceThickness", "FrameOfReferenceUID"])
def test_a_slice_with_a_gap_in_its_header_is_still_written_and_read(tmp_path, missing):
    save_dicom(tmp_path / "s" / "ct.dcm", left_film().astype(np.int16), "ct", **{missing: None})
    project = _project(tmp_path / "p", tmp_path / "s")
    _accept(project, left_mask())
    assert export("dicom-seg", project, tmp_path / "out").left_out == ()
    (path,) = (tmp_path / "out").glob("*.dcm")
    assert np.array_equal(_lesion(_stored(path)), left_mask())
    assert CHECKER is None or _errors(path) == []


def test_a_header_that_cannot_be_written_leaves_out_its_case_alone(tmp_path, source, monkeypatch):
    import training.exports.dicom_object as writer

    project = _project(tmp_path / "p", source)
    _accept(project, left_mask())
    real = writer.segmentation

    def picky(header, mask, chosen):
        if header.Modality == "CT":
            raise KeyError("0020,0052")
        return real(header, mask, chosen)

    monkeypatch.setattr(writer, "segmentation", picky)
    done = export("dicom-seg", project, tmp_path / "out")
    assert (done.cases, len(done.left_out)) == (1, 1)
    assert "could not be written" in done.left_out[0][1]


@pytest.mark.parametrize("missing", ["PixelSpacing", "ImagePositionPatient"])
def test_a_slice_whose_place_is_unknown_is_refused_in_a_sentence(tmp_path, missing):
    save_dicom(tmp_path / "s" / "ct.dcm", left_film().astype(np.int16), "ct", **{missing: None})
    project = _project(tmp_path / "p", tmp_path / "s")
    _accept(project, left_mask())
    with pytest.raises(FormatError, match=f"lacks {missing}: export it in another format"):
        export("dicom-seg", project, tmp_path / "out")
