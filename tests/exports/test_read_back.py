"""Every export is read by somebody else's reader: masks pixel for pixel, sides unchanged, words and all."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import nibabel
import numpy as np
import openpyxl
import pandas
import pytest
from made_sources import FORMULA, WORDS, left_film, left_mask
from PIL import Image

from training.exports import Selection, export
from training.formats import ReadOptions, detect, read
from training.formats.bring_in import bring_in
from training.pool import Project

EVERYTHING = Selection(states=frozenset({"labeled", "unlabeled", "gate", "report"}))
WITH_LESION = ["c_0", "c_1", "c_3", "c_4"]


def _on_the_left(mask: np.ndarray) -> bool:
    half = mask.shape[1] // 2
    return mask[:, :half].sum() > 0 == mask[:, half:].sum()


def test_masks_and_their_table_are_read_by_pandas_and_pillow(project, tmp_path):
    export("masks", project, tmp_path / "out")
    table = pandas.read_csv(tmp_path / "out" / "cases.csv", index_col="case_id")
    assert list(table.index) == ["c_0", "c_1", "c_3", "c_4", "c_5"]
    for name in WITH_LESION:
        mask = np.asarray(Image.open(tmp_path / "out" / table.loc[name, "mask"]))
        assert np.array_equal(mask, left_mask() * 255)
        assert _on_the_left(mask)
    row = table.loc["c_1"]
    assert (row.source, row.model_id, row.strokes, row.active_seconds) == ("edited", "m1", 3, 1.5)
    assert row.reader == "'@Ada"
    assert not (tmp_path / "out" / "images").exists()


def test_no_cell_of_a_table_is_a_formula_and_an_import_gets_the_words_back(project, tmp_path):
    export("masks", project, tmp_path / "out", images=True)
    with (tmp_path / "out" / "cases.csv").open(newline="", encoding="utf-8-sig") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert any(FORMULA in cell for cell in cells)
    again = Project.create(tmp_path / "again")
    options = ReadOptions(texts=tmp_path / "out" / "cases.csv")
    assert not bring_in(again, read("folder", tmp_path / "out", options), options).report.failed
    assert {c.id: c.description for c in again.cases()} == {
        c.id: c.description for c in project.cases() if c.pool != "unlabeled"
    }


def test_the_lvit_layout_is_read_by_a_plain_script(project, tmp_path):
    export("lvit", project, tmp_path / "out")
    seen = {}
    for part in ("Train", "Val", "Test"):
        sheet = pandas.read_excel(tmp_path / "out" / f"{part}_text.xlsx").fillna("")
        words = dict(zip(sheet.Image, sheet.Description, strict=True))
        folder = tmp_path / "out" / f"{part}_Folder"
        for name in sorted(os.listdir(folder / "img")):
            image = np.asarray(Image.open(folder / "img" / name))
            mask = np.asarray(Image.open(folder / "labelcol" / name))
            assert image.shape == mask.shape
            seen[name] = (part, words[name], mask)
    assert [part for part, *_ in seen.values()] == ["Train", "Train", "Train", "Val", "Test"]
    assert seen["c_0.png"][1] == WORDS
    assert seen["c_1.png"][1] == FORMULA
    for name in WITH_LESION:
        assert np.array_equal(seen[f"{name}.png"][2], left_mask() * 255)
    assert not seen["c_5.png"][2].any()


def test_no_cell_of_a_sheet_is_a_formula(project, tmp_path):
    export("lvit", project, tmp_path / "out")
    sheet = openpyxl.load_workbook(tmp_path / "out" / "Train_text.xlsx").active
    assert [
        cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    ] == []
    assert FORMULA in [cell.value for row in sheet.iter_rows() for cell in row]


def test_a_round_trip_through_the_lvit_layout_gives_the_same_project(project, tmp_path):
    export("lvit", project, tmp_path / "out", EVERYTHING)
    assert detect(tmp_path / "out") == "lvit"
    again = Project.create(tmp_path / "again", laterality=project.laterality)
    outcome = bring_in(again, read("lvit", tmp_path / "out"), ReadOptions())
    assert not outcome.report.failed

    def known(case):
        return (case.pool, case.patient, case.description, case.image, case.mask)

    assert {c.id: known(c) for c in again.cases()} == {c.id: known(c) for c in project.cases()}


def test_the_command_takes_over_whose_left_the_words_mean(project, tmp_path):
    from typer.testing import CliRunner

    from training.cli import app

    out, again = str(tmp_path / "out"), str(tmp_path / "again")
    for arguments in (["export", "lvit", str(project.folder), out], ["import", "auto", out, again]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    assert Project.open(again).laterality == "patient"


def test_run_length_masks_are_read_by_pycocotools(project, tmp_path):
    pytest.importorskip(
        "pycocotools", reason="pycocotools, of the extra [export], is not installed"
    )
    from pycocotools.coco import COCO

    export("coco", project, tmp_path / "out")
    coco = COCO(str(tmp_path / "out" / "annotations.json"))
    found = {}
    for image in coco.imgs.values():
        assert (tmp_path / "out" / image["file_name"]).is_file()
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        found[image["case_id"]] = (image, annotations)
    assert list(found) == ["c_0", "c_1", "c_3", "c_4", "c_5"]
    for name in WITH_LESION:
        image, (annotation,) = found[name]
        assert np.array_equal(coco.annToMask(annotation), left_mask())
        assert annotation["area"] == left_mask().sum()
        assert annotation["bbox"] == [5, 26, 13, 10]
        assert annotation["caption"] == image["description"]
    assert found["c_5"][1] == [] and found["c_5"][0]["annotated"]
    assert found["c_1"][0]["model_id"] == "m1"


def test_volumes_are_read_by_nibabel_upright_and_on_their_side(project, tmp_path):
    export("nifti", project, tmp_path / "out")
    for name in WITH_LESION:
        label = nibabel.load(tmp_path / "out" / "labels" / f"{name}.nii.gz")
        image = nibabel.load(tmp_path / "out" / "images" / f"{name}.nii.gz")
        values = np.asarray(label.dataobj)
        assert values.dtype == np.uint8
        assert np.array_equal(values[:, :, 0].T, left_mask())
        assert np.array_equal(label.affine, image.affine)
        assert nibabel.aff2axcodes(label.affine) == ("L", "P", "S")
    deep = nibabel.load(tmp_path / "out" / "images" / "c_0.nii.gz").get_fdata()[:, :, 0].T
    assert np.allclose(deep / 65535, left_film() / 255, atol=1e-4)


def test_exported_volumes_come_in_again_as_they_were(project, tmp_path):
    export("nifti", project, tmp_path / "out")
    options = ReadOptions(window=(32767.5, 65535))
    cases = {case.name: case for case in read("nifti", tmp_path / "out", options)}
    assert np.array_equal(cases["c_0_0000"].mask, left_mask())
    assert np.allclose(cases["c_0_0000"].image / 65535, left_film() / 255, atol=1e-3)


def test_the_datasets_folder_is_read_by_datasets(project, tmp_path, monkeypatch):
    datasets = pytest.importorskip(
        "datasets", reason="datasets, of the extra [test], is not installed"
    )
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    export("hf", project, tmp_path / "out", EVERYTHING)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in loaded.items()} == {
        "train": 3,
        "validation": 1,
        "test": 1,
        "unlabeled": 1,
    }
    rows = {row["case_id"]: row for part in loaded.values() for row in part}
    for name in WITH_LESION:
        assert np.array_equal(np.asarray(rows[name]["mask"]), left_mask() * 255)
    assert np.array_equal(np.asarray(rows["c_0"]["image"]), left_film())
    assert (rows["c_1"]["description"], rows["c_1"]["model_id"]) == (FORMULA, "m1")
    assert rows["c_2"]["mask"] is None
    assert "patient's left" in Path(tmp_path / "out" / "README.md").read_text()
