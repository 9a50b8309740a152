"""The docks without a viewer window: what they show and what their buttons do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from docking import docked
from made import LEFT, small_project, spot
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton
from teachers import probability, promote

from napari_semimedref.fixed_layers import MASK, PROPOSAL
from napari_semimedref.session import LATER, UNUSABLE
from napari_semimedref.widgets.description import DescriptionDock
from napari_semimedref.widgets.queue import QueueDock
from napari_semimedref.widgets.review import ReviewDock
from napari_semimedref.widgets.settings_dialog import SettingsDialog
from napari_semimedref.widgets.trainer import TrainerDock
from napari_semimedref.widgets.view_pictures import marked
from napari_semimedref.widgets.views import ViewsDock
from napari_semimedref.workspace import Workspace
from training.config import preset
from training.pool.listing import list_rows

HERE = Path(__file__).parent
PATIENCE_MS = 20_000


def test_without_a_project_a_dock_says_how_to_open_one(qtbot):
    dock = docked(qtbot, ReviewDock, Workspace(ViewerModel()))
    texts = [button.text() for button in dock.findChildren(QPushButton) if button.isVisibleTo(dock)]
    assert texts == ["Open project…", "Import…"]


def test_a_folder_without_a_project_is_refused_with_a_sentence(qtbot, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("napari_semimedref.asking.show_warning", told.append)
    assert not Workspace(ViewerModel()).open_project(tmp_path)
    assert "holds no project" in told[0]


def test_changed_words_bring_another_proposal_and_mask(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    assert space.session.mask[:, :32].any()
    dock.edit.setPlainText("One infected area, lower right lung.")
    qtbot.waitUntil(lambda: space.session.current.model_id == "second-teacher", timeout=PATIENCE_MS)
    assert space.session.mask[:, 32:].any()
    assert not space.session.mask[:, :32].any()
    layers = space.viewer.layers
    assert np.array_equal(layers[MASK].data, space.session.mask)
    assert np.array_equal(layers[PROPOSAL].data, space.session.current.proposal)
    assert "follows the words" in dock.service.text()


def test_the_service_is_started_before_its_first_question_where_a_teacher_serves(
    qtbot, space, tmp_path
):
    assert space.engine.process_id is None
    qtbot.waitUntil(lambda: space.engine.process_id is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not space.engine.busy, timeout=PATIENCE_MS)
    young = Workspace(ViewerModel())
    young.open_project(small_project(tmp_path / "young", holdout=0).folder, "Ada")
    young.warm_up()
    assert young.engine.process_id is None
    young.close_project()


def test_changed_words_leave_strokes_alone(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    layer = space.viewer.layers[MASK]
    layer.selected_label = 1
    layer.paint((3, 60), 1)
    painted = layer.data.copy()
    dock.edit.setPlainText("One infected area, lower right lung.")
    qtbot.waitUntil(lambda: space.session.current.model_id == "second-teacher", timeout=PATIENCE_MS)
    assert np.array_equal(layer.data, painted)
    assert np.array_equal(space.session.mask, painted)


def test_words_and_strokes_are_saved_a_moment_after_the_last_change(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    case = space.session.current.case.id
    layer = space.viewer.layers[MASK]
    layer.selected_label = 1
    layer.paint((3, 60), 1)
    dock.edit.setPlainText("One infected area, upper left lung.")
    project = space.session.project
    qtbot.waitUntil(lambda: project.draft(case, "Ada") is not None, timeout=PATIENCE_MS)
    draft = project.draft(case, "Ada")
    assert draft.description == "One infected area, upper left lung."
    assert draft.mask[3, 60] == 1


def test_a_click_on_the_zone_map_rewrites_the_words(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    dock.edit.setPlainText(LEFT)
    dock.zones.resize(300, 90)
    cell = dock.zones.cells()["Ru"].center().toPoint()
    qtbot.mouseClick(dock.zones, Qt.MouseButton.LeftButton, pos=cell)
    assert "lower left" in dock.edit.toPlainText()
    assert "upper right" in dock.edit.toPlainText()
    assert space.session.description == dock.edit.toPlainText()


def test_the_zone_map_lies_as_the_film_does(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    dock.zones.resize(300, 90)
    assert dock.zones.cells()["Lu"].center().x() < dock.zones.cells()["Ru"].center().x()
    dock.zones.show_zones("patient", (), ())
    assert dock.zones.cells()["Lu"].center().x() > dock.zones.cells()["Ru"].center().x()


def test_the_dock_says_whose_left_is_meant(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    assert "picture's left" in dock.convention.text()
    assert "patient's right" in dock.convention.text()


def test_a_contradiction_is_shown_with_its_repair(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    dock.edit.setPlainText("Bilateral pulmonary infection, one infected area, lower left lung.")
    fixes = [b for b in dock.problems.findChildren(QPushButton) if b.text() == "Fix"]
    assert fixes
    fixes[0].click()
    assert dock.edit.toPlainText().startswith("Unilateral")


def test_accept_button_accepts_and_moves_on(qtbot, space):
    dock = docked(qtbot, ReviewDock, space)
    first = space.session.current.case.id
    dock.accept.click()
    assert space.session.project.case(first).pool == "labeled"
    assert space.session.current.case.id != first
    dock.previous.click()
    assert space.session.current.case.id == first


def test_a_reason_of_ones_own_is_kept_with_the_case(qtbot, space):
    dock = docked(qtbot, ReviewDock, space)
    first = space.session.current.case.id
    dock.reason.setCurrentText("patient is turned")
    dock.skip.click()
    row = list_rows(space.session.project, [first])[first]
    assert row.skip_reason == "patient is turned"


def test_skip_keeps_the_chosen_reason(qtbot, space):
    dock = docked(qtbot, ReviewDock, space)
    dock.reason.setCurrentText("words unclear")
    first = space.session.current.case.id
    dock.skip.click()
    assert space.session.project.case(first).skipped
    assert space.session.current.case.id != first


def test_reset_brings_the_proposal_back_and_later_proposals_are_taken(qtbot, space):
    dock = docked(qtbot, ReviewDock, space)
    space.viewer.layers[MASK].selected_label = 1
    space.viewer.layers[MASK].paint((3, 60), 1)
    qtbot.waitUntil(lambda: "px changed" in dock.state.text(), timeout=PATIENCE_MS)
    dock.reset.click()
    assert np.array_equal(space.session.mask, space.session.current.proposal)
    qtbot.waitUntil(lambda: "as proposed" in dock.state.text(), timeout=PATIENCE_MS)
    space.session.take_proposal(space.session.current.case.id, probability(False), "m")
    assert np.array_equal(space.viewer.layers[MASK].data, space.session.current.proposal)


def test_the_end_of_the_queue_is_said(qtbot, space):
    review, queue = docked(qtbot, ReviewDock, space), docked(qtbot, QueueDock, space)
    while space.session.current is not None:
        space.skip()
    assert not review.accept.isEnabled()
    assert queue.empty.isVisibleTo(queue)
    assert queue.model.rowCount() == 0


def test_a_click_in_the_queue_opens_that_case(qtbot, space):
    dock = docked(qtbot, QueueDock, space)
    index = dock.model.index(2)
    case = dock.model.case_id(index)
    dock.list.clicked.emit(index)
    assert space.session.current.case.id == case


def test_another_order_keeps_the_case_on_the_desk(qtbot, space):
    dock = docked(qtbot, QueueDock, space)
    current = space.session.current.case.id
    dock.order.setCurrentIndex(dock.order.findData("random"))
    dock.order.activated.emit(dock.order.currentIndex())
    assert space.session.current.case.id == current
    qtbot.waitUntil(
        lambda: all(choice.reason == "drawn at random" for choice in space.session.queue()),
        timeout=PATIENCE_MS,
    )
    assert space.session.current.case.id == current


def test_the_trainer_dock_starts_follows_and_stops_a_round(qtbot, space):
    dock = docked(qtbot, TrainerDock, space)
    dock.start.click()
    qtbot.waitUntil(lambda: len(space.monitor.view.losses) > 2, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "step" in dock.detail.text(), timeout=PATIENCE_MS)
    assert dock.plots.picture._curves[0].getData()[0] is not None
    dock.stop.click()
    qtbot.waitUntil(lambda: not space.monitor.view.alive, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.resume.isVisibleTo(dock), timeout=PATIENCE_MS)
    assert "stopped" in dock.state.text()


def test_a_promoted_teacher_reaches_queue_and_film(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    promote(space.session.project, "third-teacher", probability(False))
    qtbot.waitUntil(lambda: space.session.current.model_id == "third-teacher", timeout=PATIENCE_MS)
    assert np.array_equal(space.viewer.layers[MASK].data, space.session.current.proposal)
    assert "new teacher" in dock.service.text()


def test_without_labels_no_round_can_be_started(qtbot, tmp_path):
    folder = small_project(tmp_path / "p", labeled=0, holdout=0).folder
    workspace = Workspace(ViewerModel())
    workspace.open_project(folder, "Ada")
    dock = docked(qtbot, TrainerDock, workspace)
    assert not dock.start.isEnabled()
    assert "accept a few cases" in dock.pools.text()
    workspace.close_project()


def test_settings_are_kept_for_the_next_round(qtbot):
    dialog = SettingsDialog(preset("default"))
    qtbot.addWidget(dialog)
    assert dialog.read() == preset("default")
    dialog.forms["training"]["steps"].value = 1234
    assert dialog.read().training.steps == 1234


def test_impossible_settings_are_explained_and_not_kept(qtbot):
    dialog = SettingsDialog(preset("default"))
    qtbot.addWidget(dialog)
    dialog.forms["method"]["ema_end"].value = 0.1
    dialog._save()
    assert "ema_end" in dialog.complaint.text()
    assert dialog.config == preset("default")


def test_the_views_dock_shows_what_the_service_draws(qtbot, space):
    dock = docked(qtbot, ViewsDock, space)
    with qtbot.waitExposed(dock):
        dock.show()
    qtbot.waitUntil(lambda: "case_001" in dock.status.text(), timeout=PATIENCE_MS)
    assert all(picture._pixmap is not None for picture in dock.pictures.values())
    assert "[UNK_POS]" in dock.words.toPlainText()
    assert "Moved 3%" in dock.words.toPlainText()
    assert "somewhere" in dock.words.toPlainText()
    assert dock.pictures["student"].isVisible()
    assert dock.pictures["labeled"].isVisible()
    dock.again.click()
    qtbot.waitUntil(lambda: not dock.pictures["labeled"].isVisible(), timeout=PATIENCE_MS)
    assert dock.pictures["student"].isVisible()


def test_words_that_posaug_put_in_are_marked():
    html = marked("lower left lung & more", "[UNK_POS] lung & more")
    assert html.startswith("<span")
    assert html.endswith("lung &amp; more")


def test_words_that_do_not_fit_the_mask_are_said_and_mended(qtbot, space):
    dock = docked(qtbot, DescriptionDock, space)
    dock.edit.setPlainText("Unilateral pulmonary infection, one infected area, upper right lung.")
    space.session.edit_mask(spot(True))
    qtbot.waitUntil(lambda: "right" in dock.disagreement.text(), timeout=PATIENCE_MS)
    assert "left" in dock.disagreement.text()
    dock.from_mask.click()
    qtbot.waitUntil(lambda: "left lung" in dock.edit.toPlainText(), timeout=PATIENCE_MS)
    assert "right" not in dock.edit.toPlainText()


def test_a_case_that_another_reader_accepted_meanwhile_is_said_to_be_contested(space, monkeypatch):
    told = []
    monkeypatch.setattr("napari_semimedref.asking.show_warning", told.append)
    case = space.session.current.case.id
    space.session.project.accept(case, spot(True), LEFT, "Ben", source="drawn")
    space.accept()
    assert len(told) == 1
    assert f"{case} is contested" in told[0]
    space.accept()
    assert len(told) == 1


def test_a_proposal_can_only_be_unusable_where_there_is_one(qtbot, space, tmp_path):
    dock = docked(qtbot, ReviewDock, space)
    dock.reason.setCurrentText(UNUSABLE)
    small_project(tmp_path / "untaught", holdout=0).close()
    assert space.skip_reason == UNUSABLE
    space.open_project(tmp_path / "untaught", "Ada")
    assert dock.reason.currentText() == LATER
    assert not dock.reason.model().item(dock.reason.findText(UNUSABLE)).isEnabled()
