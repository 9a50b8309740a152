"""Imports: the holdout is pinned by patient, and a bad file never stops the good ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import film, incoming, spot
from PIL import Image

from training.errors import FormatError
from training.pool import Project
from training.pool.images import read_image, read_mask
from training.pool.importing import import_cases, pin


@pytest.fixture
def project(tmp_path):
    return Project.create(tmp_path / "project")


@given(st.text(min_size=1, max_size=30), st.floats(0, 0.9))
def test_pinning_depends_on_the_patient_alone(patient, fraction):
    assert pin(patient, None, fraction) == pin(patient, None, fraction)
    if pin(patient, None, fraction) != "training":
        assert pin(patient, None, 1.0) == pin(patient, None, fraction)


def test_about_the_asked_share_of_patients_is_pinned_in_two_halves():
    splits = [pin(f"patient {number}", None, 0.2) for number in range(4000)]
    assert 0.17 < np.mean([split != "training" for split in splits]) < 0.23
    assert 0.4 < splits.count("gate") / (splits.count("gate") + splits.count("report")) < 0.6


def test_a_patient_that_is_pinned_stays_on_its_side_whatever_a_later_source_says(project):
    import_cases(project, [replace(incoming(0, split="report"), patient="P")])
    import_cases(project, [replace(incoming(1, split="training"), patient="P")])
    assert {case.pool for case in project.cases()} == {"report"}


def test_the_holdout_gets_the_reference_that_the_source_withholds_from_training(project):
    import_cases(project, [incoming(0, split="gate"), incoming(1, split="training")])
    held, training = project.cases()
    assert np.array_equal(project.read_reference_mask(held.id), spot(True))
    assert training.mask is None


def test_one_bad_file_never_stops_the_others(project, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n but then nothing")
    cases = [
        incoming(0),
        replace(incoming(1), image=broken),
        replace(incoming(2), image=tmp_path / "missing.png"),
        replace(incoming(3), hidden_mask=np.zeros((8, 8), np.uint8)),
        replace(incoming(4), name="../escape"),
        incoming(5),
    ]
    report = import_cases(project, cases)
    assert report.added == ("case_000", "case_005")
    sentences = dict(report.failed)
    assert "damaged or is not an image" in sentences["case_001"]
    assert "does not exist" in sentences["case_002"]
    assert "8 x 8 pixels but its image is 64 x 64" in sentences["case_003"]
    assert "cannot name a case" in sentences["../escape"]


@pytest.mark.parametrize(("mode", "scale"), [("L", 255), ("I;16", 65535), ("RGB", 255)])
def test_images_of_every_depth_keep_their_rows_and_columns(tmp_path, mode, scale):
    pixels = np.zeros((6, 10), np.float32)
    pixels[1, 8] = 1.0
    stored = (pixels * scale).astype(np.uint16 if mode == "I;16" else np.uint8)
    if mode == "RGB":
        stored = np.repeat(stored[..., None], 3, axis=2)
    Image.fromarray(stored).save(tmp_path / "x.png")
    read = read_image(tmp_path / "x.png")
    assert read.shape == (6, 10)
    assert read.dtype == np.float32
    assert np.allclose(read, pixels, atol=1e-5)


@pytest.mark.parametrize("foreground", [1, 255])
def test_masks_of_ones_and_of_255_read_alike_and_grey_halos_fall_to_the_nearer_side(
    tmp_path, foreground
):
    mask = spot(True) * foreground
    if foreground == 255:
        mask[0, :2] = (100, 140)
    Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "m.png")
    expected = spot(True)
    if foreground == 255:
        expected[0, 1] = 1
    assert np.array_equal(read_mask(tmp_path / "m.png"), expected)


def test_an_image_file_is_kept_byte_for_byte(project, tmp_path):
    Image.fromarray(film(1)).save(tmp_path / "film.png")
    import_cases(project, [replace(incoming(0), image=tmp_path / "film.png")])
    kept = project.folder / project.cases()[0].image
    assert kept.read_bytes() == (tmp_path / "film.png").read_bytes()


def test_a_text_file_with_an_image_name_is_refused(tmp_path):
    (tmp_path / "x.jpg").write_text("hello")
    with pytest.raises(FormatError, match=r"x\.jpg is damaged or is not an image"):
        read_image(tmp_path / "x.jpg")
