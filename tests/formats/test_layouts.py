"""Folders of pictures: pairs meet, splits and patients are kept apart, one bad file stops nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made import SHARED_DATA
from made_sources import WORDS, left_mask, save_pairs, save_sheet

from training.errors import FormatError
from training.formats import ReadOptions, detect, read
from training.formats.bring_in import bring_in, rehearse
from training.formats.patients import PatientRule
from training.pool import Project

MOSMED = SHARED_DATA / "mosmed_sample"


@pytest.fixture
def project(tmp_path):
    return Project.create(tmp_path / "project")


def _lvit(folder):
    for part, names in (
        ("Train", ["a_1.png", "a_2.png"]),
        ("Val", ["b_1.png"]),
        ("Test", ["c_1.png"]),
    ):
        save_pairs(
            folder / f"{part}_Folder", names, "img", "labelcol", "mask_" if part == "Val" else ""
        )
        rows = [("Image", "Description"), *((f"mask_{name}", WORDS) for name in names)]
        save_sheet(folder / f"{part}_text.xlsx", rows)
    return folder


def _mosmed(folder, images="frames", masks="masks"):
    save_pairs(folder, ["study_1_3.png", "study_1_4.png", "study_2_1.png"], images, masks)
    (folder / "texts.csv").write_text(
        f'Image,text\nSTUDY_1_3.png,"{WORDS}"\n', encoding="utf-8-sig"
    )
    return folder


def test_the_lvit_layout_comes_in_with_words_masks_and_both_halves(tmp_path, project):
    source = _lvit(tmp_path / "lvit")
    assert detect(source) == "lvit"
    outcome = bring_in(project, read("lvit", source), ReadOptions())
    assert not outcome.report.failed
    pools = {case.id: (case.pool, case.description) for case in project.cases()}
    assert pools == {
        "a_1": ("labeled", WORDS),
        "a_2": ("labeled", WORDS),
        "b_1": ("gate", WORDS),
        "c_1": ("report", WORDS),
    }
    assert np.array_equal(project.read_reference_mask("b_1"), left_mask())


@pytest.mark.parametrize(
    ("images", "masks"), [("frames", "masks"), ("Images", "labelcol"), ("IMG", "Label")]
)
def test_the_mosmed_layout_comes_in_with_one_patient_for_each_series(
    tmp_path, project, images, masks
):
    source = _mosmed(tmp_path / "mosmed", images, masks)
    assert detect(source) == "mosmed"
    outcome = bring_in(project, read("mosmed", source), ReadOptions())
    assert not outcome.report.failed
    assert {case.id: case.patient for case in project.cases()} == {
        "study_1_3": "study_1",
        "study_1_4": "study_1",
        "study_2_1": "study_2",
    }
    assert project.case("study_1_3").description == WORDS
    assert (
        len(
            {
                case.pool in ("gate", "report")
                for case in project.cases()
                if case.patient == "study_1"
            }
        )
        == 1
    )


def test_films_described_by_an_annotation_file_take_its_splits(tmp_path, project):
    source = tmp_path / "films"
    save_pairs(source, ["covid_1.png", "covid_2.png", "covid_3.png"], before="mask_")
    rows = {
        split: [
            {
                "image_path": f"mask_covid_{n}.png",
                "caption": WORDS,
                "pseudo_label": [0, 0, 1, 0, 0, 0],
            }
        ]
        for n, split in enumerate(("train", "valid", "test"), start=1)
    }
    (source / "annotation.json").write_text(json.dumps(rows))
    assert detect(source) == "qata"
    bring_in(project, read("qata", source), ReadOptions())
    assert [case.pool for case in project.cases()] == ["labeled", "gate", "report"]
    assert all(case.description == WORDS for case in project.cases())


def test_a_plain_folder_comes_in_without_masks_or_words(tmp_path, project):
    save_pairs(tmp_path / "f", ["1.png", "2.jpg"], images="")
    for mask in (tmp_path / "f" / "masks").iterdir():
        mask.unlink()
    assert detect(tmp_path / "f") == "folder"
    bring_in(project, read("folder", tmp_path / "f"), ReadOptions())
    assert all(case.description == "" and case.mask is None for case in project.cases())


def test_a_share_of_the_masks_can_be_withheld(tmp_path, project):
    save_pairs(tmp_path / "f", [f"{n:02d}.png" for n in range(40)])
    options = ReadOptions(labels=0.25)
    bring_in(project, read("folder", tmp_path / "f", options), options)
    training = [case for case in project.cases() if not case.is_holdout]
    assert 0.1 < np.mean([case.pool == "labeled" for case in training]) < 0.4
    assert all(case.mask for case in project.cases() if case.is_holdout)


def test_importing_twice_adds_nothing_and_another_picture_of_the_same_name_is_pointed_out(
    tmp_path, project
):
    save_pairs(tmp_path / "one", ["1.png", "2.png"])
    save_pairs(tmp_path / "two", ["2.png"])  # another picture: the corner pixel differs
    bring_in(project, read("folder", tmp_path / "one"), ReadOptions())
    again = bring_in(project, read("folder", tmp_path / "one"), ReadOptions())
    assert (again.report.added, len(again.report.already)) == ((), 2)
    other = bring_in(project, read("folder", tmp_path / "two"), ReadOptions())
    assert (
        "another picture called 2: import this source with a --prefix" in other.report.failed[0][1]
    )
    prefixed = bring_in(project, read("folder", tmp_path / "two"), ReadOptions(prefix="two_"))
    assert prefixed.report.added == ("two_2",)


def test_a_rehearsal_says_what_an_import_then_does_and_changes_nothing(tmp_path, project):
    source = _lvit(tmp_path / "lvit")
    (source / "Train_Folder" / "img" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (source / "Train_Folder" / "labelcol" / "alone.png").write_bytes(b"")
    for place in (None, project):
        planned = rehearse(place, read("lvit", source), ReadOptions())
        assert project.cases() == []
        done = bring_in(
            Project.create(tmp_path / f"p{place is None}"), read("lvit", source), ReadOptions()
        )
        assert planned == done
    assert len(planned.report.failed) == 2


def test_files_of_one_name_are_named_and_the_folders_of_a_tree_keep_cases_apart(tmp_path, project):
    for patient in ("anna", "bert"):
        save_pairs(tmp_path / "f" / patient, ["1.png"])
    save_pairs(tmp_path / "f" / "carl", ["1.png", "1.bmp"])
    options = ReadOptions(patient_rule="anna|bert")
    outcome = bring_in(project, read("folder", tmp_path / "f", options), options)
    assert {case.id: case.patient for case in project.cases()} == {
        "anna_1": "anna",
        "bert_1": "bert",
    }
    assert "have the same name" in outcome.report.failed[0][1]


@pytest.mark.parametrize(
    ("rule", "name", "patient"),
    [
        ("auto", "img/sub-S03_ses-1_x.png", "sub-S03"),
        ("auto", "covid_17.png", "covid_17"),
        ("file", "sub-S03_ses-1.png", "sub-S03_ses-1"),
        ("slice", "Jun_coronacase1_44.png", "Jun_coronacase1"),
        ("slice", "study-7 slice 012.tif", "study-7"),
        ("folder", "p17/film.png", "p17"),
        (r"^\d+_(\w+)_", "3_anna_x.png", "anna"),
    ],
)
def test_patients_follow_from_names_by_rule(rule, name, patient):
    assert PatientRule(rule)(name) == patient


def test_a_rule_that_finds_no_patient_or_is_none_is_refused(tmp_path, project):
    with pytest.raises(FormatError, match="is no regular expression"):
        PatientRule("(")
    save_pairs(tmp_path / "f", ["anna_1.png", "other.png"])
    options = ReadOptions(patient_rule=r"(\w+)_\d")
    outcome = bring_in(project, read("folder", tmp_path / "f", options), options)
    assert outcome.report.added == ("anna_1",)
    assert "finds no patient in images/other.png" in outcome.report.failed[0][1]


def test_what_is_no_source_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").write_text("hello")
    for path, sentence in (
        ("nowhere", "There is no"),
        ("empty", "nothing that can be"),
        ("x.txt", "no known kind"),
    ):
        with pytest.raises(FormatError, match=sentence):
            detect(tmp_path / path)
    with pytest.raises(FormatError, match="no Train_Folder"):
        next(read("lvit", tmp_path / "empty"))
    with pytest.raises(FormatError, match="no csv, xlsx or json"):
        next(read("mosmed", tmp_path / "empty"))


@pytest.mark.skipif(not MOSMED.is_dir(), reason="the real slices are not at hand")
def test_the_real_slices_come_in_whole_with_a_left_lesion_on_the_left(project):
    assert detect(MOSMED) == "mosmed"
    outcome = bring_in(project, read("mosmed", MOSMED), ReadOptions())
    assert (len(outcome.report.added), outcome.report.failed, outcome.described) == (27, (), 22)
    mask = project.read_reference_mask("bjorke_23")  # "one infected areas, middle left lung"
    assert mask[:, :256].sum() > 0 == mask[:, 256:].sum()
