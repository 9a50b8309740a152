"""The QaTa layout, on the real films where they are at hand and on a made-up folder everywhere."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from made import SHARED_DATA, film, spot
from PIL import Image

from training.errors import FormatError
from training.formats.patients import PatientRule
from training.formats.qata import read_qata
from training.pool import Project
from training.pool.images import read_mask
from training.pool.importing import import_cases

COLUMNS = [
    "split",
    "image",
    "mask",
    "raw_text",
    "clean_caption",
    "pseudo_label",
    "smallest_labeled_ratio",
]
QATA = SHARED_DATA / "qata"


def _folder(path, rows):
    for split in ("train", "valid"):
        for kind in ("images", "masks"):
            (path / split / kind).mkdir(parents=True)
    with (path / "table.csv").open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for number, (split, name, ratio) in enumerate(rows):
            Image.fromarray(film(number)).save(path / split / "images" / name)
            Image.fromarray(spot(True) * 255).save(path / split / "masks" / f"mask_{name}")
            row = [split, name, f"mask_{name}", f"raw {number}", f"clean {number}", "001000", ratio]
            writer.writerow(dict(zip(COLUMNS, row, strict=True)))
    return path


@pytest.fixture
def source(tmp_path):
    rows = [
        ("train", "sub-S1_a.png", "0.01"),
        ("train", "sub-S1_b.png", ""),
        ("train", "covid_2.png", "0.05"),
        ("valid", "covid_3.png", ""),
    ]
    return _folder(tmp_path / "qata", rows)


def test_the_asked_ratio_is_labeled_the_rest_withheld_and_valid_is_the_holdout(source, tmp_path):
    project = Project.create(tmp_path / "project")
    import_cases(project, read_qata(source, labels=0.01))
    pools = {case.id: case.pool for case in project.cases()}
    assert pools["sub-S1_a"] == "labeled"
    assert pools["sub-S1_b"] == pools["covid_2"] == "unlabeled"
    assert pools["covid_3"] in ("gate", "report")
    assert project.case("covid_3").mask is not None


def test_the_column_of_the_description_can_be_chosen(source):
    assert next(iter(read_qata(source))).description == "raw 0"
    assert next(iter(read_qata(source, text="clean_caption"))).description == "clean 0"


def test_films_of_one_subject_share_a_patient():
    patient_of = PatientRule("auto")
    assert patient_of("sub-S0123_ses-1.png") == patient_of("sub-S0123_ses-2.png") == "sub-S0123"
    assert patient_of("covid_17.png") == "covid_17"


def test_a_missing_folder_and_a_missing_column_are_named(tmp_path, source):
    with pytest.raises(FormatError, match=r"holds no table\.csv"):
        next(iter(read_qata(tmp_path / "nowhere")))
    (source / "table.csv").write_text("split,image\ntrain,a.png\n")
    with pytest.raises(FormatError, match="no column 'mask'"):
        next(iter(read_qata(source)))


@pytest.mark.skipif(not QATA.is_dir(), reason="the real films are not at hand")
def test_the_real_films_come_in_whole_with_a_left_lesion_on_the_left(tmp_path):
    project = Project.create(tmp_path / "project")
    cases = [case for _, case in zip(range(120), read_qata(QATA, labels=0.15), strict=False)]
    report = import_cases(project, cases)
    assert not report.failed
    for case in project.cases("labeled"):
        source_mask = read_mask(QATA / "train" / "masks" / f"mask_{case.id}.png")
        assert np.array_equal(project.read_reference_mask(case.id), source_mask)
    one_sided = [
        c
        for c in project.cases("labeled")
        if "left" in c.description and "right" not in c.description
    ]
    assert one_sided
    on_left = [
        project.read_reference_mask(c.id)[:, :112].sum()
        > project.read_reference_mask(c.id)[:, 112:].sum()
        for c in one_sided
    ]
    assert np.mean(on_left) > 0.9
