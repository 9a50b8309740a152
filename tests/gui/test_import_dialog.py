"""The import dialog on folders made here: detection, rehearsal, import, stopping, and what is refused."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import numpy as np
import pytest
from made import small_project
from made_sources import WORDS, left_film, left_mask, save_dicom, save_pairs
from napari.components import ViewerModel
from PIL import Image
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_semimedref import imports
from napari_semimedref.widgets.import_dialog import ImportDialog
from napari_semimedref.widgets.import_form import ImportForm
from napari_semimedref.widgets.queue import QueueDock
from napari_semimedref.workspace import Workspace
from training.pool import Project
from training.pool.importing import BATCH, HOLDOUT_FRACTION

PATIENCE_MS = 30_000


def qata(folder: Path, count: int = 6) -> Path:
    """A folder as QaTa's: the last film is held out, the first is in the smallest labeled subset."""
    rows = []
    for number in range(count):
        split = "valid" if number == count - 1 else "train"
        name, mask = f"sub-S{number:03d}_film.png", f"mask_sub-S{number:03d}_film.png"
        for place in ("images", "masks"):
            (folder / split / place).mkdir(parents=True, exist_ok=True)
        film = left_film()
        film[0, 0] = number
        Image.fromarray(film).save(folder / split / "images" / name)
        Image.fromarray(left_mask() * 255).save(folder / split / "masks" / mask)
        rows.append((split, name, mask, WORDS, WORDS, "" if split == "valid" else 0.05 + number))
    with (folder / "table.csv").open("w", newline="") as stream:
        names = ("split", "image", "mask", "raw_text", "clean_caption", "smallest_labeled_ratio")
        csv.writer(stream).writerows([names, *rows])
    return folder


@pytest.fixture
def space(qtbot, tmp_path):
    small_project(tmp_path / "project", holdout=0).close()
    workspace = Workspace(ViewerModel())
    assert workspace.open_project(tmp_path / "project", "Ada")
    yield workspace
    workspace.close_project()


def dialog_for(qtbot, workspace, source=None):
    dialog = ImportDialog(workspace)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    if source is not None:
        dialog.take(source)
    return dialog


def rehearsed(qtbot, dialog):
    qtbot.waitUntil(lambda: dialog.rehearsal is not None, timeout=PATIENCE_MS)
    return dialog.rehearsal


def refused(qtbot, dialog):
    found = dialog.findings.toPlainText
    qtbot.waitUntil(lambda: "cannot be imported" in found(), timeout=PATIENCE_MS)
    return found()


def test_a_source_is_rehearsed_before_anything_is_written_and_then_comes_in(qtbot, tmp_path, space):
    dialog = dialog_for(qtbot, space, qata(tmp_path / "films"))
    before = space.session.project.counts().total()
    assert rehearsed(qtbot, dialog).request.name == "qata"
    assert "(detected)" in dialog.place.format.currentText()
    assert dialog.start.text() == "Import 6 cases"
    share = left_mask().mean()
    assert f"cover {share:.1%} of their films" in dialog.findings.toPlainText()
    assert space.session.project.counts().total() == before
    dialog.start.click()
    qtbot.waitUntil(lambda: not dialog.importing, timeout=PATIENCE_MS)
    assert space.session.project.counts().total() == before + 6
    assert "6 cases came in" in dialog.findings.toPlainText()
    assert "sub-S000_film" in [choice.case_id for choice in space.session.queue()]
    assert not dialog.start.isEnabled()


def test_the_share_of_labels_is_heeded(qtbot, tmp_path, space):
    dialog = dialog_for(qtbot, space, qata(tmp_path / "films"))
    rehearsed(qtbot, dialog)
    labeled = space.session.project.counts()["labeled"]
    dialog.form.labels.setValue(10)
    assert not dialog.start.isEnabled()  # what is in sight was not rehearsed yet
    rehearsed(qtbot, dialog)
    dialog.start.click()
    qtbot.waitUntil(lambda: not dialog.importing, timeout=PATIENCE_MS)
    assert space.session.project.counts()["labeled"] == labeled + 1


def test_the_share_of_the_holdout_is_asked_where_the_source_does_not_fix_it(qtbot):
    form = ImportForm()
    qtbot.addWidget(form)
    form.show_format("folder")
    assert form.options().holdout == HOLDOUT_FRACTION
    form.holdout.setValue(45)
    assert form.options().holdout == 0.45
    form.show_format("qata", own_table=True)
    assert "holdout" not in form.fields()


def test_a_new_project_is_made_with_the_chosen_laterality_and_opened(qtbot, tmp_path):
    workspace = Workspace(ViewerModel())
    dialog = dialog_for(qtbot, workspace, qata(tmp_path / "films"))
    rehearsed(qtbot, dialog)
    folder = tmp_path / "films-project"
    assert Path(dialog.place.folder.text()) == folder
    assert not folder.exists()
    dialog.place.laterality.setCurrentIndex(dialog.place.laterality.findData("patient"))
    rehearsed(qtbot, dialog)
    dialog.start.click()
    qtbot.waitUntil(lambda: workspace.is_open, timeout=PATIENCE_MS)
    assert workspace.session.project.folder == folder.resolve()
    assert workspace.session.project.laterality == "patient"
    assert workspace.session.current is not None
    workspace.close_project()


def test_a_folder_of_something_else_is_no_place_for_a_new_project(qtbot, tmp_path):
    dialog = dialog_for(qtbot, Workspace(ViewerModel()), qata(tmp_path / "films"))
    dialog.place.folder.setText(str(tmp_path))
    assert "choose a new or empty folder" in refused(qtbot, dialog)
    assert not dialog.start.isEnabled()


def test_a_broken_folder_is_one_sentence(qtbot, tmp_path, space):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "notes.txt").write_text("no films here")
    dialog = dialog_for(qtbot, space, tmp_path / "broken")
    assert "holds nothing that can be imported" in refused(qtbot, dialog)
    assert not dialog.start.isEnabled()


def test_damaged_and_inverted_files_are_named_and_the_others_come_in(qtbot, tmp_path, space):
    save_pairs(tmp_path / "films", ["a.png", "b.png", "c.png"])
    (tmp_path / "films" / "images" / "a.png").write_bytes(b"no picture")
    inverted = tmp_path / "films" / "masks" / "b.png"
    Image.fromarray((1 - left_mask()) * 255).save(inverted)
    dialog = dialog_for(qtbot, space, tmp_path / "films")
    assert rehearsed(qtbot, dialog).outcome.report.added == ("c",)
    said = dialog.findings.toPlainText()
    assert "a.png is damaged" in said
    assert "“Mask polarity” inverted" in said
    assert "--" not in said
    dialog.form.mask_polarity.setCurrentText("Normal: bright is foreground")
    assert rehearsed(qtbot, dialog).outcome.report.added == ("b", "c")


def test_the_share_of_foreground_follows_the_polarity(qtbot, tmp_path, space):
    save_pairs(tmp_path / "films", ["a.png", "b.png"])
    dialog = dialog_for(qtbot, space, tmp_path / "films")
    usual = rehearsed(qtbot, dialog).share.mean
    dialog.form.mask_polarity.setCurrentText("Inverted: dark is foreground")
    assert rehearsed(qtbot, dialog).share.mean == pytest.approx(1 - usual)


def test_another_format_can_be_chosen_than_the_one_found(qtbot, tmp_path, space):
    save_pairs(tmp_path / "films", ["a.png"])
    dialog = dialog_for(qtbot, space, tmp_path / "films")
    assert rehearsed(qtbot, dialog).request.name == "folder"
    dialog.place.format.setCurrentIndex(dialog.place.format.findData("nifti"))
    dialog.place.format.activated.emit(dialog.place.format.currentIndex())
    assert "NIfTI" in refused(qtbot, dialog)
    assert "plane" in dialog.form.fields()
    assert "keep_uids" not in dialog.form.fields()


def test_a_table_stands_for_its_folder_and_brings_the_words(qtbot, tmp_path, space):
    save_pairs(tmp_path / "films", ["a.png", "b.png"])
    table = tmp_path / "films" / "words.csv"
    table.write_text(f'Image,Description\na.png,"{WORDS}"\n')
    dialog = dialog_for(qtbot, space, table)
    found = rehearsed(qtbot, dialog)
    assert found.request.source == table.parent
    assert found.request.options.texts == table
    assert found.outcome.described == 1


def test_a_dicom_file_shows_its_options_and_means_the_patients_left(qtbot, tmp_path):
    path = save_dicom(tmp_path / "film.dcm", left_film().astype(np.uint16))
    dialog = dialog_for(qtbot, Workspace(ViewerModel()), path)
    assert rehearsed(qtbot, dialog).request.laterality == "patient"
    assert "keep_uids" in dialog.form.fields()
    assert "mask_polarity" not in dialog.form.fields()
    dialog.form.window_text.setText("nonsense")
    assert "is no gray window" in refused(qtbot, dialog)


def test_a_stopped_import_keeps_what_was_committed_and_says_so(qtbot, tmp_path, space, monkeypatch):
    dialog = dialog_for(qtbot, space, qata(tmp_path / "films", BATCH + 6))
    rehearsed(qtbot, dialog)
    before = space.session.project.counts().total()
    reached, go_on = threading.Event(), threading.Event()
    usual = imports.import_from

    def hesitant(*arguments, progress, **others):
        def tell(done):
            if done == BATCH + 2:
                reached.set()
                go_on.wait(PATIENCE_MS / 1000)
            progress(done)

        return usual(*arguments, progress=tell, **others)

    monkeypatch.setattr(imports, "import_from", hesitant)
    dialog.start.click()
    qtbot.waitUntil(reached.is_set, timeout=PATIENCE_MS)
    assert dialog.leave.text() == "Stop"
    dialog.leave.click()
    go_on.set()
    qtbot.waitUntil(lambda: not dialog.importing, timeout=PATIENCE_MS)
    assert space.session.project.counts().total() == before + BATCH
    assert f"Written before, and kept: {BATCH} cases" in dialog.findings.toPlainText()
    assert dialog.start.text() == "Import the others"
    dialog.start.click()
    qtbot.waitUntil(lambda: not dialog.importing, timeout=PATIENCE_MS)
    assert space.session.project.counts().total() == before + BATCH + 6


def test_closing_the_dialog_during_a_rehearsal_writes_nothing(qtbot, tmp_path):
    dialog = dialog_for(qtbot, Workspace(ViewerModel()), qata(tmp_path / "films"))
    qtbot.waitUntil(lambda: dialog.work is not None, timeout=PATIENCE_MS)
    dialog.leave.click()
    assert dialog.work is None
    assert not (tmp_path / "films-project").exists()


def drop(widget, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    no_key = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, left, no_key)
    QApplication.sendEvent(widget, enter)  # Qt delivers no drop that nobody saw coming
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), copy, data, left, no_key))


def test_a_folder_dropped_on_the_queue_opens_the_dialog_with_it(qtbot, tmp_path, space):
    dock = QueueDock(space)
    qtbot.addWidget(dock)
    drop(dock, qata(tmp_path / "films"))
    dialog = dock.findChild(ImportDialog)
    assert dialog.place.source_path() == tmp_path / "films"
    assert rehearsed(qtbot, dialog).request.folder == space.session.project.folder
    dialog.reject()


def test_several_dropped_files_are_refused_with_a_sentence(qtbot, tmp_path, space, monkeypatch):
    told = []
    monkeypatch.setattr("napari_semimedref.asking.show_warning", told.append)
    dock = QueueDock(space)
    qtbot.addWidget(dock)
    drop(dock, tmp_path / "a.png", tmp_path / "b.png")
    assert dock.findChild(ImportDialog) is None
    assert "drop one, or the folder" in told[0]


def test_a_project_without_cases_asks_for_some(qtbot, tmp_path):
    Project.create(tmp_path / "empty").close()
    workspace = Workspace(ViewerModel())
    workspace.open_project(tmp_path / "empty", "Ada")
    dock = QueueDock(workspace)
    qtbot.addWidget(dock)
    assert "no cases yet" in dock.empty.text()
    assert dock.bring.isVisibleTo(dock)
    workspace.close_project()


def test_a_single_case_is_told_in_the_singular(qtbot, tmp_path, space):
    dialog = dialog_for(qtbot, space, qata(tmp_path / "films", 1))
    rehearsed(qtbot, dialog)
    said = dialog.findings.toPlainText()
    assert "1 case would come in" in said
    assert "Of 1 patient:" in said
    assert dialog.start.text() == "Import 1 case"


def test_every_option_of_a_command_has_its_fields_name_in_the_dialog():
    said = imports.in_the_dialogs_words("Give --mask-polarity inverted, or --every 2.")
    assert said == "Give “Mask polarity” inverted, or “Slice step” 2."
