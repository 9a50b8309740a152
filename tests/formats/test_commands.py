"""The import and export commands: what a person types, sees and gets."""

from __future__ import annotations

import numpy as np
import pytest
from made import SHARED_DATA
from made_sources import WORDS, left_film, left_mask, save_dicom, save_pairs, save_sheet
from PIL import Image
from typer.testing import CliRunner

from training.cli import app
from training.errors import PoolError, SemiMedRefError
from training.formats import ReadOptions
from training.formats.bring_in import kept_secret
from training.formats.entry import import_from, plan
from training.pool import Project

CONTRAST = SHARED_DATA / "lvit_contrastive"


def _run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def films(tmp_path):
    save_pairs(tmp_path / "films", ["1.png", "2.png", "3.png"])
    save_sheet(tmp_path / "texts.xlsx", [("Image", "Description"), ("1.png", WORDS)])
    return tmp_path / "films"


def test_a_rehearsal_makes_no_project_and_says_what_an_import_then_says(films, tmp_path):
    (films / "images" / "bad.png").write_bytes(b"no picture")
    arguments = ["import", "folder", films, tmp_path / "p", "--texts", tmp_path / "texts.xlsx"]
    planned = _run(*arguments, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert not (tmp_path / "p").exists()
    assert "3 cases added, 0 were there already, 1 failed" in planned.output
    assert "bad.png is damaged" in planned.output
    done = _run(*arguments)
    outcome = [line for line in planned.output.splitlines() if line.startswith("Of 3 patients")]
    assert outcome
    assert set(outcome) <= set(done.output.splitlines())
    assert "0 cases added, 3 were there already, 1 failed" in _run(*arguments, "--dry-run").output


def test_a_rehearsal_asks_a_project_whose_database_is_on_a_server(films, tmp_path):
    (tmp_path / "p").mkdir()
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1"
    (tmp_path / "p" / "database.url").write_text(nowhere)
    said = _run("import", "folder", films, tmp_path / "p", "--dry-run")
    assert isinstance(said.exception, PoolError), said.output
    assert "3 cases added" not in said.output


def test_inverted_masks_are_asked_about_and_then_come_in_right(films, tmp_path):
    for mask in (films / "masks").iterdir():
        Image.fromarray((1 - left_mask()) * np.uint8(255)).save(mask)
    refused = _run("import", "auto", films, tmp_path / "p")
    assert isinstance(refused.exception, SemiMedRefError)
    assert "96% of it" in refused.output
    assert "--mask-polarity inverted" in refused.output
    done = _run("import", "auto", films, tmp_path / "p", "--mask-polarity", "inverted")
    assert done.exit_code == 0, done.output
    project = Project.open(tmp_path / "p")
    assert all(
        (project.read_reference_mask(case.id) == left_mask()).all() for case in project.cases()
    )


def test_dicom_films_come_in_with_the_patients_left_and_a_warning_about_their_pixels(tmp_path):
    save_dicom(tmp_path / "d" / "a.dcm", left_film(), BurnedInAnnotation="YES")
    done = _run("import", "dicom", tmp_path / "d", tmp_path / "p", "--window=128,256")
    assert done.exit_code == 0, done.output
    assert "1 x The file says that its pixels carry text" in done.output
    assert "'left' is the patient's left" in done.output
    (case,) = Project.open(tmp_path / "p").cases()
    read = Project.open(tmp_path / "p").read_image(case.id)
    assert np.allclose(read, left_film() / 255, atol=0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["import", "auto", "nowhere", "p"], "There is no nowhere"),
        (["import", "dicom", "films", "p"], "holds no DICOM files"),
        (["import", "nifti", "films", "p"], "holds no NIfTI volumes"),
        (["import", "dicom", "films", "p", "--window", "wide"], "is no window"),
        (["import", "folder", "films", "p", "--patient-rule", "("], "is no regular expression"),
        (["import", "folder", "films", "p", "--texts", "films/images/1.png"], "is no table"),
        (["export", "masks", "p", "out"], "holds no project"),
        (["export", "masks", "{project}", "films"], "is not empty"),
        (["export", "coco", "{project}", "out", "--state", "done"], "There is no state done"),
        (["export", "dicom-seg", "{project}", "out"], "did not come from a DICOM file"),
        (["export", "hf", "{project}", "out", "--reader", "Nobody"], "widen the states"),
    ],
)
def test_every_mistake_gets_its_sentence_and_makes_no_project(
    films, tmp_path, monkeypatch, arguments, sentence
):
    import_from(films, Project.create(tmp_path / "project"))
    monkeypatch.chdir(tmp_path)
    result = _run(*(argument.format(project="project") for argument in arguments))
    assert isinstance(result.exception, SemiMedRefError), result.output
    assert sentence in str(result.exception)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("share", "least", "most"), [("0", 0, 0), ("0.5", 10, 30), ("0.9", 30, 40)]
)
def test_the_share_of_the_holdout_is_heeded_and_known_patients_stay(tmp_path, share, least, most):
    save_pairs(tmp_path / "films", [f"{number}.png" for number in range(40)])
    arguments = ["import", "folder", tmp_path / "films", tmp_path / "p", "--holdout", share]
    planned = _run(*arguments, "--dry-run")
    done = _run(*arguments)
    assert done.exit_code == 0, done.output
    project = Project.open(tmp_path / "p")
    judged = {case.id for case in project.cases() if case.is_holdout}
    assert least <= len(judged) <= most
    assert f"{40 - len(judged)} training" in planned.output
    save_pairs(tmp_path / "films", [f"{number}.png" for number in range(50)])
    _run(*arguments[:-1], "0.2")
    later = {case.id for case in project.cases() if case.is_holdout}
    assert judged <= later
    assert later - judged <= {str(number) for number in range(40, 50)}
    project.close()


def test_exports_leave_by_state_reader_and_day(films, tmp_path):
    _run("import", "folder", films, tmp_path / "p", "--labels", 0)
    project = Project.open(tmp_path / "p")
    waiting = project.cases("unlabeled")[0]
    project.accept(waiting.id, left_mask(), WORDS, "Ada", source="drawn")
    done = _run(
        "export",
        "masks",
        tmp_path / "p",
        tmp_path / "out",
        "--reader",
        "Ada",
        "--since",
        "2020-01-01",
    )
    assert "1 cases written" in done.output
    assert [path.stem for path in (tmp_path / "out" / "masks").iterdir()] == [waiting.id]
    late = _run("export", "masks", tmp_path / "p", tmp_path / "late", "--since", "2999-01-01")
    assert "widen the states, readers or dates" in str(late.exception)


def test_the_entry_point_of_the_window_plans_and_imports_alike(films, tmp_path):
    project = Project.create(tmp_path / "p")
    seen = []
    planned = plan(films, project, ReadOptions(labels=0.5), progress=seen.append)
    assert seen == [1, 2, 3]
    assert project.cases() == []
    assert kept_secret(project) is None
    assert not list(project.folder.rglob("*.png"))
    assert import_from(films, project, ReadOptions(labels=0.5)) == planned


@pytest.mark.skipif(not CONTRAST.is_dir(), reason="the real pictures are not at hand")
def test_the_real_contrastive_pictures_come_in_with_their_words(tmp_path):
    done = _run("import", "folder", CONTRAST, tmp_path / "p", "--texts", CONTRAST / "LV_loss.xlsx")
    assert done.exit_code == 0, done.output
    cases = {case.id: case for case in Project.open(tmp_path / "p").cases()}
    assert len(cases) == 14
    assert (
        cases["fig1"].description
        == "Unilateral pulmonary infection, one infected area, all left lung."
    )
    picture = Project.open(tmp_path / "p").read_image("fig1")
    assert picture[:, :175].mean() > picture[:, 175:].mean()
