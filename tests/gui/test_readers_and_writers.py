"""Readers and writers as napari calls them: sides, refusals, and what is written read back by others."""

from __future__ import annotations

import nibabel
import numpy as np
import pydicom
import pytest
from made_sources import HEIGHT, WIDTH, left_film, left_mask, save_dicom
from PIL import Image

from napari_semimedref import readers
from napari_semimedref.readers import OURS, read_layers, reader_for
from napari_semimedref.writers import write_film_and_labels, write_labels
from training.errors import FormatError


def save_volume(path, values):
    """A volume whose first axis runs toward the patient's right: ``values[x, y, z]``."""
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2.0, 5.0, 1.0])), path)
    return path


@pytest.fixture
def film(tmp_path):
    """A DICOM film stored mirrored: its columns run toward the patient's right."""
    save_dicom(tmp_path / "film.dcm", left_film()[:, ::-1].copy(), PatientOrientation=["R", "F"])
    return tmp_path / "film.dcm"


@pytest.fixture
def volume(tmp_path):
    values = np.zeros((8, 6, 3), np.float32)
    values[6, 4, 1] = 50.0  # right, front, middle slice
    return save_volume(tmp_path / "lung.nii.gz", values)


def test_a_mirrored_dicom_film_is_shown_with_the_patients_right_on_the_left(film):
    ((pixels, look, kind),) = reader_for(str(film))(str(film))
    assert kind == "image"
    assert pixels.shape == (HEIGHT, WIDTH)
    assert pixels[left_mask() > 0].min() > pixels[left_mask() == 0].max()
    assert look["name"] == "film"


def test_a_volume_is_a_stack_of_slices_with_its_right_on_the_left(volume):
    ((pixels, look, kind),) = reader_for(str(volume))(str(volume))
    assert kind == "image"
    assert pixels.shape == (3, 6, 8)
    assert np.unravel_index(pixels.argmax(), pixels.shape) == (1, 1, 1)
    assert look["name"] == "lung"


def test_a_volume_of_zeros_and_ones_comes_as_labels(tmp_path):
    values = np.zeros((8, 6, 3), np.uint8)
    values[0, 0, 0] = 1
    ((pixels, _look, kind),) = read_layers(str(save_volume(tmp_path / "x.nii", values)))
    assert kind == "labels"
    assert pixels[0, 5, 7] == 1
    assert pixels.sum() == 1


def test_other_files_are_left_to_other_readers(tmp_path):
    Image.fromarray(left_film()).save(tmp_path / "film.png")
    assert reader_for(str(tmp_path / "film.png")) is None
    assert reader_for(str(tmp_path / "absent.nii.gz")) is None
    assert reader_for([]) is None


@pytest.mark.parametrize("name", ["broken.dcm", "broken.nii.gz"])
def test_a_damaged_file_is_refused_with_a_sentence_that_names_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind" * 20)
    with pytest.raises(FormatError, match="broken"):
        read_layers(str(tmp_path / name))


def test_a_film_that_does_not_say_how_the_patient_lies_is_shown_with_a_notice(
    tmp_path, monkeypatch
):
    told = []
    monkeypatch.setattr(readers, "show_warning", told.append)
    save_dicom(tmp_path / "film.dcm", left_film())
    stored = pydicom.dcmread(tmp_path / "film.dcm")
    del stored.PatientOrientation
    stored.save_as(tmp_path / "film.dcm")
    read_layers(str(tmp_path / "film.dcm"))
    assert any("how the patient lies" in sentence for sentence in told)


def test_a_mask_saved_alone_is_a_png_of_black_and_white(tmp_path):
    mask = left_mask() * 3
    assert write_labels(str(tmp_path / "m.png"), mask, {"name": "m"}) == [str(tmp_path / "m.png")]
    with Image.open(tmp_path / "m.png") as picture:
        assert np.array_equal(np.asarray(picture), left_mask() * 255)


def test_a_mask_saved_alone_as_nifti_comes_back_the_same_way_round(tmp_path):
    target = str(tmp_path / "m.nii.gz")
    write_labels(target, left_mask(), {"name": "m"})
    ((pixels, _look, kind),) = read_layers(target)
    assert kind == "labels"
    assert np.array_equal(pixels, left_mask())


def test_labels_of_a_volume_go_back_to_its_grid(tmp_path, volume):
    ((pixels, look, _kind),) = read_layers(str(volume))
    labels = (pixels == pixels.max()).astype(np.uint8)
    target = tmp_path / "labels.nii.gz"
    write_film_and_labels(str(target), [(pixels, look, "image"), (labels, {}, "labels")])
    written = nibabel.load(target)
    assert np.array_equal(written.affine, nibabel.load(volume).affine)
    assert np.argwhere(np.asarray(written.dataobj)).tolist() == [[6, 4, 1]]
    ((again, _look, kind),) = read_layers(str(target))
    assert kind == "labels"
    assert np.array_equal(again, labels)


def test_a_nifti_without_packing_is_written_for_that_ending(tmp_path):
    write_labels(str(tmp_path / "m.nii"), left_mask(), {})
    assert nibabel.load(tmp_path / "m.nii").shape == (WIDTH, HEIGHT, 1)


def test_film_and_mask_together_are_a_dicom_segmentation_on_the_stored_grid(tmp_path, film):
    pytest.importorskip("highdicom")
    (layer,) = read_layers(str(film))
    target = tmp_path / "seg.dcm"
    look = {"metadata": {"description": "Lower left lung."}}
    write_film_and_labels(str(target), [layer, (left_mask(), look, "labels")])
    written, original = pydicom.dcmread(target), pydicom.dcmread(film)
    assert written.Modality == "SEG"
    assert written.PatientID == original.PatientID
    drawn = written.pixel_array.reshape(HEIGHT, WIDTH)
    assert np.array_equal(drawn, left_mask()[:, ::-1])
    assert written.SegmentSequence[0].SegmentDescription == "Lower left lung."


def test_a_segmentation_of_a_film_from_elsewhere_is_refused_with_the_way_out(tmp_path):
    layers = [(left_film(), {}, "image"), (left_mask(), {}, "labels")]
    with pytest.raises(FormatError, match="opened from a DICOM file"):
        write_film_and_labels(str(tmp_path / "seg.dcm"), layers)


def test_layers_of_two_sizes_are_refused(tmp_path):
    layers = [(left_film(), {}, "image"), (left_mask()[:20], {}, "labels")]
    with pytest.raises(FormatError, match="one size"):
        write_film_and_labels(str(tmp_path / "m.nii.gz"), layers)


def test_a_stack_does_not_fit_a_png(tmp_path):
    with pytest.raises(FormatError, match=r"m\.png holds one picture"):
        write_labels(str(tmp_path / "m.png"), np.zeros((3, 4, 5), np.uint8), {})


def test_where_a_layer_comes_from_is_kept_in_its_metadata_without_the_pixels(film):
    ((_pixels, look, _kind),) = read_layers(str(film))
    assert look["metadata"][OURS]["file"] == str(film)
    assert set(look["metadata"][OURS]) == {"file", "source"}
