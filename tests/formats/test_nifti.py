"""NIfTI: a slice looks the same whatever way its volume is stored, and its mask stays on it."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from made_sources import WORDS, left_film, left_mask, save_sheet
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

from training.formats import ReadOptions, detect, read
from training.formats.bring_in import bring_in
from training.formats.findings import Note, Trouble
from training.pool import IncomingCase, Project

RAS = axcodes2ornt("RAS")
ORIENTATIONS = ["RAS", "LPS", "LAS", "RPI", "ASL", "SPR", "PIR"]


def _axial(pictures):
    """A RAS volume whose axial slices, read as films are read, are ``pictures``."""
    return np.stack([picture.T[::-1, ::-1] for picture in pictures], axis=2)


def _save(path, volume, stored="RAS", spacing=(0.5, 2.0, 3.0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-10, 20, -30)
    turn = ornt_transform(RAS, axcodes2ornt(stored))
    turned = apply_orientation(volume, turn)
    affine = affine @ inv_ornt_aff(turn, volume.shape)
    nibabel.save(nibabel.Nifti1Image(turned, affine), path)


def _cases(source, **options):
    return [
        item
        for item in read("nifti", source, ReadOptions(**options))
        if isinstance(item, IncomingCase)
    ]


@pytest.mark.parametrize("stored", ORIENTATIONS)
def test_slices_look_the_same_however_the_volume_is_stored(tmp_path, stored):
    pictures = [left_film(), left_film()[::-1].copy(), left_film()]
    _save(tmp_path / "images" / "v.nii.gz", _axial(pictures).astype(np.int16), stored)
    _save(
        tmp_path / "labels" / "v.nii.gz",
        _axial([left_mask(), left_mask()[::-1], 0 * left_mask()]),
        stored,
    )
    assert detect(tmp_path) == "nifti"
    cases = _cases(tmp_path, window=(127.5, 255))
    assert [case.name for case in cases] == ["v_0000", "v_0001", "v_0002"]
    for case, picture in zip(cases, pictures, strict=True):
        assert np.allclose(case.image / 65535, picture / 255, atol=1e-3)
    assert np.array_equal(cases[0].mask, left_mask())
    assert np.array_equal(cases[1].mask, left_mask()[::-1])
    assert not cases[2].mask.any()


@pytest.mark.parametrize("stored", ORIENTATIONS)
def test_the_recorded_grid_leads_from_a_pixel_to_its_place_in_the_patient(tmp_path, stored):
    volume = _axial([left_film(), left_film()]).astype(np.int16)
    _save(tmp_path / "v.nii", volume, stored)
    case = _cases(tmp_path)[1]
    image = nibabel.load(tmp_path / "v.nii")
    row, column = 30, 6
    world = np.array(case.source["affine"]) @ (column, row, 0, 1)
    voxel = np.rint(np.linalg.inv(image.affine) @ world).astype(int)[:3]
    assert image.get_fdata()[tuple(voxel)] == left_film()[row, column]


@pytest.mark.parametrize(("plane", "axis"), [("coronal", 1), ("sagittal", 0)])
def test_other_planes_have_the_head_up(tmp_path, plane, axis):
    volume = np.zeros((5, 6, 7), np.int16)
    volume[..., -1] = 100  # the head's end
    _save(tmp_path / "v.nii", volume, "LPS")
    cases = _cases(tmp_path, plane=plane)
    assert len(cases) == volume.shape[axis]
    assert all(case.image[0].min() > case.image[1:].max() for case in cases)


def test_a_volume_of_one_slice_is_that_slice_whatever_the_plane(tmp_path):
    volume = left_film().T[::-1, ::-1][:, None, :].astype(np.int16)  # one coronal slice
    _save(tmp_path / "v.nii", volume)
    (case,) = _cases(tmp_path, window=(127.5, 255))
    assert np.allclose(case.image / 65535, left_film() / 255, atol=1e-3)


def test_all_slices_of_a_volume_are_one_patients_and_words_are_found_by_volume_or_slice(tmp_path):
    for name in ("anna", "bert"):
        _save(
            tmp_path / "imagesTr" / f"{name}_0000.nii.gz",
            _axial([left_film()] * 4).astype(np.int16),
        )
        _save(tmp_path / "labelsTr" / f"{name}.nii.gz", _axial([left_mask()] * 4))
    rows = [("Image", "text"), ("anna", "whole"), ("bert_0000_0002", WORDS)]
    sheet = save_sheet(tmp_path / "t.xlsx", rows)
    cases = _cases(tmp_path, texts=sheet, every=2)
    assert {case.patient for case in cases} == {"anna", "bert"}
    assert [case.description for case in cases] == ["whole", "whole", "", WORDS]
    assert all(np.array_equal(case.mask, left_mask()) for case in cases)


def test_labels_on_another_grid_or_of_several_kinds_stop_only_their_volume(tmp_path):
    for name in ("good", "moved", "many"):
        _save(tmp_path / "images" / f"{name}.nii", _axial([left_film()]).astype(np.int16))
    _save(tmp_path / "labels" / "good.nii", _axial([left_mask()]))
    _save(tmp_path / "labels" / "moved.nii", _axial([left_mask()]), spacing=(1, 1, 1))
    _save(tmp_path / "labels" / "many.nii", _axial([left_mask() * 3 + left_mask()[::-1]]))
    found = list(read("nifti", tmp_path, ReadOptions()))
    troubles = {item.name: item.sentence for item in found if isinstance(item, Trouble)}
    assert "does not lie on the grid" in troubles["moved"]
    assert "several labels" in troubles["many"]
    assert [item.name for item in found if isinstance(item, IncomingCase)] == ["good_0000"]


def test_a_volume_that_does_not_say_how_the_patient_lies_is_pointed_out(tmp_path):
    image = nibabel.Nifti1Image(_axial([left_film()]).astype(np.int16), np.eye(4))
    image.set_sform(None)
    image.set_qform(None)
    nibabel.save(image, tmp_path / "v.nii")
    found = list(read("nifti", tmp_path / "v.nii", ReadOptions()))
    assert any(isinstance(item, Note) and "how the patient lies" in item.sentence for item in found)


def test_ct_values_are_shown_in_a_lung_window(tmp_path):
    volume = np.full((4, 4, 1), -1000, np.int16)
    volume[0, 0, 0], volume[3, 3, 0] = -600, 100
    _save(tmp_path / "v.nii", volume)
    (case,) = _cases(tmp_path)
    assert case.image[3, 3] / 65535 == pytest.approx(0.5, abs=1e-3)
    assert case.image[1, 1] / 65535 == pytest.approx(350 / 1500, abs=1e-3)


def test_volumes_come_into_a_project(tmp_path):
    _save(tmp_path / "s" / "images" / "v.nii.gz", _axial([left_film()] * 3).astype(np.int16))
    _save(tmp_path / "s" / "masks" / "v.nii.gz", _axial([left_mask()] * 3))
    project = Project.create(tmp_path / "p")
    outcome = bring_in(project, read("nifti", tmp_path / "s"), ReadOptions())
    assert len(outcome.report.added) == 3
    assert len({case.is_holdout for case in project.cases()}) == 1
    assert np.array_equal(project.read_reference_mask("v_0001"), left_mask())
