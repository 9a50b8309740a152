"""Tables of descriptions as people write them: any kind of file, any name for an image, and nothing that harms."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sources import WORDS, save_sheet

from training.errors import FormatError
from training.formats.tables import guarded_cell, read_table
from training.formats.texts import read_texts
from training.report import parse


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_in_whatever_encoding_a_spreadsheet_saved_it(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes("Image,Description\r\na.png,Étendue\r\n".encode(encoding))
    assert read_table(tmp_path / "t.csv") == [{"image": "a.png", "description": "Étendue"}]


def test_semicolons_and_quoted_line_breaks_are_read(tmp_path):
    (tmp_path / "t.csv").write_text('Image;Description\na.png;"one\nword, two"\n;\n')
    assert read_table(tmp_path / "t.csv") == [{"image": "a.png", "description": "one\nword, two"}]


def test_an_xlsx_gives_the_same_rows_without_its_empty_ones(tmp_path):
    sheet = save_sheet(tmp_path / "t.xlsx", [("Image", "text"), ("a.png", WORDS), (None, None)])
    assert read_table(sheet) == [{"image": "a.png", "text": WORDS}]


@pytest.mark.parametrize("column", ["Description", "text", "CAPTION"])
@pytest.mark.parametrize(
    "name",
    ["covid_7.png", "mask_covid_7.png", "MASK_Covid_7.PNG", r"D:\films\img\covid_7.png", "covid_7"],
)
def test_image_and_mask_names_meet_in_any_case_and_with_any_path(tmp_path, column, name):
    save_sheet(tmp_path / "t.xlsx", [("Image", column), (name, WORDS)])
    texts = read_texts([tmp_path / "t.xlsx"])
    assert texts.of("images/covid_7.png", "mask_covid_7.png") == WORDS
    assert texts.of("covid_8.png") == ""


@pytest.mark.parametrize("label", ["[0, 0, 1, 0, 0, 0]", "001000", "[0. 0. 1. 0. 0. 0.]"])
def test_zone_flags_stand_in_for_missing_words(tmp_path, label):
    save_sheet(tmp_path / "t.xlsx", [("Image", "text", "pseudo_label"), ("a.png", None, label)])
    if "." in label:
        label = label.replace(".", "")
    assert parse(read_texts([tmp_path / "t.xlsx"]).of("a.png")).zones == {"Ll"}


def test_the_annotation_file_of_splits_is_read_with_its_splits(tmp_path):
    rows = [{"image_path": "mask_a.png", "caption": WORDS, "pseudo_label": [0, 0, 1, 0, 0, 0]}]
    (tmp_path / "t.json").write_text(json.dumps({"train": [], "valid": rows}))
    texts = read_texts([tmp_path / "t.json"])
    assert texts.of("a.png") == WORDS
    assert texts.row("a.png")["split"] == "valid"


def test_images_of_one_name_in_two_folders_are_told_apart_by_their_paths(tmp_path):
    save_sheet(tmp_path / "t.xlsx", [("Image", "text"), ("p1/1.png", "one"), ("p2/1.png", "two")])
    texts = read_texts([tmp_path / "t.xlsx"])
    assert (texts.of("p1/1.png"), texts.of("p2/1.png"), texts.of("1.png")) == ("one", "two", "")


def test_two_different_texts_for_one_image_are_refused(tmp_path):
    save_sheet(tmp_path / "t.xlsx", [("Image", "text"), ("a.png", "one"), ("A.PNG", "two")])
    with pytest.raises(FormatError, match=r"describes A\.PNG twice"):
        read_texts([tmp_path / "t.xlsx"])


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    save_sheet(tmp_path / "t.xlsx", [("Picture", "text"), ("a.png", "one")])
    with pytest.raises(FormatError, match=r"no column that names the image.*picture, text"):
        read_texts([tmp_path / "t.xlsx"])


@pytest.mark.parametrize("name", ["../../etc/passwd", r"..\..\secret.png", "img/../../x.png"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    save_sheet(tmp_path / "t.xlsx", [("Image", "text"), (name, "one")])
    with pytest.raises(FormatError, match="leads out of its folder"):
        read_texts([tmp_path / "t.xlsx"])


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40))
def test_no_exported_cell_is_a_formula_and_reading_gives_the_original_back(text):
    import csv
    import io
    import tempfile
    from pathlib import Path

    cell = guarded_cell(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    with tempfile.TemporaryDirectory() as folder:
        stream = io.StringIO(newline="")
        csv.writer(stream).writerows([["name", "text"], ["a", cell]])
        (Path(folder) / "t.csv").write_text(
            "\ufeff" + stream.getvalue(), encoding="utf-8", newline=""
        )
        assert read_table(Path(folder) / "t.csv")[0]["text"] == text.strip()
