"""The views dock: the gate's word, the search for an accepted mix, settings for the next round, and nonsense pairs."""

from __future__ import annotations

import numpy as np
import pytest
from docking import docked
from napari.components import ViewerModel

from napari_semimedref.engine_client import Answer
from napari_semimedref.widgets.pair_verdict import FINE, NONSENSE
from napari_semimedref.widgets.trainer import TrainerDock
from napari_semimedref.widgets.view_pictures import gate_in_words, with_target
from napari_semimedref.widgets.views import NEXT_MIX, STOP, ViewsDock
from napari_semimedref.workspace import Workspace
from training.arms import MEASURED_MIXES, Arms, save_arms
from training.config import ViewsConfig
from training.next_round import chosen_views, next_config, project_config, save_next_config
from training.pool.pairs import nonsense_pairs, pair_log
from training.rundir import RunFolder

PATIENCE_MS = 60_000
DRAWN = "step 7 of a run"  # the small service's answer


@pytest.fixture
def dock(qtbot, space):
    made = docked(qtbot, ViewsDock, space)
    with qtbot.waitExposed(made):
        made.show()
    qtbot.waitUntil(lambda: DRAWN in made.status.text(), timeout=PATIENCE_MS)
    return made


def drawn(qtbot, dock, act):
    """Do something, and wait for the views that come of it."""
    arrived = []
    dock.workspace.views_arrived.connect(arrived.append)
    act()
    qtbot.waitUntil(lambda: bool(arrived), timeout=PATIENCE_MS)
    return arrived[-1].request


def test_accepted_and_refused_blocks_look_different(qtbot, dock):
    assert "Patch accepted: gate 0.40, at least 0.25 needed." in dock.gate.text()
    drawn(qtbot, dock, dock.again.click)
    assert "Patch refused: gate 0.10, at least 0.25 needed. Refused." in dock.gate.text()
    assert "makes no try" in dock.gate.text()
    film, mask = np.zeros((40, 40), np.float32), np.zeros((40, 40), np.uint8)
    blocks = mask.copy()
    blocks[10:25, 10:25] = 1
    accepted = with_target(film, mask, blocks, blocks)
    refused = with_target(film, mask, mask, blocks)
    for picture in (accepted, refused):
        assert picture[blocks > 0].any()
        assert not picture[blocks == 0].any()
    assert not np.array_equal(accepted, refused)
    assert accepted[10, 10:25].any(axis=1).all()  # a firm line
    assert 0 < refused[10, 10:25].any(axis=1).sum() < 15  # a broken one
    assert not accepted[15, 15].any()
    assert refused[11:24, 11:24].any()  # hatched


def test_without_a_gate_the_words_say_so():
    gate = {"value": None, "threshold": 0.25, "accepted": False, "sentence": "Refused: no side."}
    assert gate_in_words(gate) == "Patch refused: the gate asks nothing here. Refused: no side."
    assert gate_in_words({}) == ""


def test_seed_and_partner_go_with_the_request(qtbot, dock, space):
    assert dock.seed.value() == next_config(space.session.project).seed
    assert drawn(qtbot, dock, lambda: dock.seed.setValue(5))["seed"] == 5
    labeled = space.session.project.cases("labeled")[0].id
    assert dock.partner.itemData(0) is None
    dock.partner.setCurrentIndex(dock.partner.findData(labeled))
    request = drawn(qtbot, dock, lambda: dock.partner.activated.emit(dock.partner.currentIndex()))
    assert request["partner"] == labeled


def test_the_next_accepted_mix_is_found_over_several_requests(qtbot, dock):
    dock.next_mix.click()
    assert dock.next_mix.text() == STOP
    qtbot.waitUntil(lambda: dock.epoch.value() == 21, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "accepted" in dock.gate.text(), timeout=PATIENCE_MS)
    assert dock.next_mix.text() == NEXT_MIX


def test_if_no_mix_is_accepted_that_is_said(qtbot, dock):
    drawn(qtbot, dock, lambda: dock.epoch.setValue(30))
    assert f"{DRAWN} or later" in dock.status.text()
    dock.next_mix.click()
    qtbot.waitUntil(lambda: "None of the next 200" in dock.status.text(), timeout=PATIENCE_MS)
    assert "Refused: a test." in dock.status.text()
    assert dock.epoch.value() == 30
    assert dock.next_mix.text() == NEXT_MIX


def test_a_search_can_be_stopped_and_late_answers_change_nothing(qtbot, dock, space):
    dock.next_mix.click()
    dock.next_mix.click()
    assert dock.status.text() == "Stopped looking."
    request = {"case": space.session.case_id}
    dock.take_found(Answer("next_mix", request, {"found": 9, "epoch": 9}))
    assert dock.epoch.value() == 0
    qtbot.waitUntil(lambda: not space.engine.awaits("next_mix"), timeout=PATIENCE_MS)
    assert dock.epoch.value() == 0


def test_another_case_ends_the_search(dock, space):
    dock.next_mix.click()
    space.skip()
    assert dock.next_mix.text() == NEXT_MIX


def test_changed_settings_are_looked_at_and_can_go_to_the_next_round(qtbot, dock, space):
    trainer, project = docked(qtbot, TrainerDock, space), space.session.project
    dock.settings.open()
    box = dock.settings.dialog.form["patch_gate"]
    request = drawn(qtbot, dock, lambda: setattr(box, "value", 0.6))
    assert request["views"]["patch_gate"] == 0.6
    assert "try out here" in dock.settings.state.text()
    assert chosen_views(project) is None
    assert not trainer.back.isVisibleTo(trainer)
    request = drawn(qtbot, dock, dock.settings.use.click)
    assert "views" not in request  # the service reads the next round's own
    assert next_config(project).views.patch_gate == 0.6
    assert "Patch gate 0.25 → 0.6" in trainer.views.text()
    assert trainer.back.isVisibleTo(trainer)
    dock.settings.dialog.close()


def test_the_choice_is_there_in_the_next_window_and_in_its_round(qtbot, dock, space):
    dock.settings.look_at(ViewsConfig(patch_gate=0.6))
    dock.settings.use.click()
    folder = space.session.project.folder
    later = Workspace(ViewerModel())
    assert later.open_project(folder, "Ben")
    assert "Patch gate" in docked(qtbot, TrainerDock, later).views.text()
    later.close_project()
    trainer = docked(qtbot, TrainerDock, space)
    trainer.start.click()
    qtbot.waitUntil(lambda: space.monitor.view.run is not None, timeout=PATIENCE_MS)
    run = RunFolder.open(space.monitor.view.run.folder)
    assert run.read_config().views.patch_gate == 0.6
    trainer.stop.click()
    qtbot.waitUntil(lambda: not space.monitor.view.alive, timeout=PATIENCE_MS)


@pytest.mark.parametrize("who", ["views", "trainer"])
def test_both_docks_lead_back_to_the_projects_settings(qtbot, dock, space, who):
    trainer, project = docked(qtbot, TrainerDock, space), space.session.project
    own = project_config(project)
    save_next_config(project, own)
    dock.settings.look_at(own.views.model_copy(update={"patch_gate": 0.6}))
    dock.settings.use.click()
    (dock.settings.back if who == "views" else trainer.back).click()
    assert next_config(project) == own
    assert trainer.views.text() == ""
    assert dock.settings.state.text() == "Drawn by the project's settings."
    assert not dock.settings.back.isEnabled()


def test_impossible_settings_are_explained_and_not_drawn(dock):
    dock.settings.open()
    edited = []
    dock.settings.dialog.edited.connect(edited.append)
    dock.settings.dialog.form["zoom_max"].value = 1.4
    assert edited[-1].zoom_max == 1.4
    dock.settings.dialog.close()


def test_a_nonsense_pair_is_reported_with_its_reason_and_taken_back(qtbot, dock, space):
    project, case = space.session.project, space.session.case_id
    dock.verdict.reason.setText("two scanners")
    drawn(qtbot, dock, dock.verdict.button.click)
    (report,) = nonsense_pairs(project)
    assert report.pair == tuple(sorted((case, "case_001")))
    assert (report.reader, report.reason) == ("Ada", "two scanners")
    assert dock.verdict.button.text() == FINE
    assert dock.verdict.reason.text() == ""
    drawn(qtbot, dock, dock.verdict.button.click)
    assert nonsense_pairs(project) == []
    assert len(pair_log(project)) == 2
    assert dock.verdict.button.text() == NONSENSE


def test_a_film_with_itself_is_no_pair(dock):
    for pair in (None, ("case_001", "case_001")):
        dock.verdict.show_pair(pair)
        assert not dock.verdict.button.isEnabled()


def test_where_proposals_are_planted_views_of_waiting_cases_are_not_shown(dock, space):
    save_arms(space.session.project, Arms(planted=0.2))
    space.skip()
    assert dock.status.text() == MEASURED_MIXES
    assert dock.gate.text() == ""
    dock.next_mix.click()
    assert dock.next_mix.text() == NEXT_MIX


def test_nor_are_views_of_labeled_cases_which_mix_with_waiting_ones(dock, space):
    save_arms(space.session.project, Arms(no_proposal=0.2))
    space.session.open(space.session.project.cases("labeled")[0].id)
    assert dock.status.text() == MEASURED_MIXES


def test_views_that_arrive_after_their_case_has_gone_are_dropped(qtbot, dock, space):
    told = []
    space.views_arrived.connect(told.append)
    dock.again.click()
    save_arms(space.session.project, Arms(planted=0.2))
    space.skip()
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert dock.status.text() == MEASURED_MIXES
    assert dock.gate.text() == ""
