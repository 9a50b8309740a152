"""The queue dock: lists by filters, rows and pictures read when they come into sight, the sitting's progress, second
readings; and that a hundred thousand cases are no more work than what the screen shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made import LEFT, RIGHT, small_project, spot
from qtpy.QtCore import Qt
from teachers import probability, promote

from napari_semimedref.widgets.queue import QueueDock
from napari_semimedref.widgets.queue_filters import SECOND
from napari_semimedref.widgets.queue_list import AHEAD
from napari_semimedref.widgets.queue_model import CHIPS_ROLE, PICTURE_ROLE, ROW_ROLE, QueueModel
from training.pool.listing import ListedCase
from training.pool.second_reading import ask_second_reading

HERE = Path(__file__).parent
PATIENCE_MS = 60_000


@pytest.fixture
def dock(qtbot, space):
    made = QueueDock(space)
    qtbot.addWidget(made)
    made.resize(260, 620)
    with qtbot.waitExposed(made):
        made.show()
    return made


def ids_of(dock):
    return list(dock.model.ids)


def chips(dock, case_id):
    return [chip.text for chip in dock.model.chips(case_id)]


def wait_for(qtbot, condition):
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


def test_rows_show_words_reasons_and_a_picture_once_they_are_seen(qtbot, dock, space):
    index = dock.model.index(0)
    wait_for(qtbot, lambda: index.data(PICTURE_ROLE) is not None)
    assert index.data(ROW_ROLE).description in (LEFT, RIGHT)
    assert any("labeled" in chip.text for chip in index.data(CHIPS_ROLE))
    assert index.data(Qt.ItemDataRole.DisplayRole) in index.data(Qt.ItemDataRole.ToolTipRole)
    assert list((space.session.project.folder / "thumbnails").rglob("*.jpg"))


def test_a_chip_says_in_words_why_a_case_comes_first(dock):
    words = [chip for case in dock.model.ids for chip in chips(dock, case)]
    assert any(chip.startswith(("upper right: ", "lower left: ")) for chip in words)
    assert any(chip.startswith("teacher unsure") for chip in words)


def test_the_progress_of_the_sitting_is_told(dock, space):
    assert dock.sitting.text() == "This sitting: 0 accepted, 0 skipped, 6 left"
    space.accept()
    space.skip()
    assert dock.sitting.text() == "This sitting: 1 accepted, 1 skipped, 4 left"


def test_states_list_other_cases_and_a_click_opens_one(qtbot, dock, space):
    dock.filters.show_state("labeled")
    wait_for(qtbot, lambda: len(ids_of(dock)) == 4)
    assert dock.found.text() == "4 cases"
    case = ids_of(dock)[2]
    wait_for(qtbot, lambda: dock.model.index(2).data(ROW_ROLE) is not None)
    assert "labeled · dataset" in chips(dock, case)
    dock.list.clicked.emit(dock.model.index(2))
    assert space.session.case_id == case
    assert space.session.mask.any()


def test_a_skipped_case_is_listed_with_its_reason(qtbot, dock, space):
    case = space.session.case_id
    space.skip_reason = "patient is turned"
    space.skip()
    dock.filters.show_state("skipped")
    wait_for(qtbot, lambda: ids_of(dock) == [case])
    wait_for(qtbot, lambda: chips(dock, case) == ["skipped: patient is turned"])


def test_a_row_follows_what_became_of_its_case(qtbot, dock, space):
    dock.filters.show_state("any")
    wait_for(qtbot, lambda: len(ids_of(dock)) == 10)
    case = space.session.case_id
    wait_for(qtbot, lambda: dock.model.without_row(0, 9) == [])
    assert "labeled · Ada" not in chips(dock, case)
    space.accept()
    wait_for(qtbot, lambda: "labeled · Ada" in chips(dock, case))


def test_a_search_narrows_the_queue_and_accepting_stays_within_it(qtbot, dock, space):
    dock.filters.search.setText("UPPER right")
    wait_for(qtbot, lambda: space.session.planner.wanted.words == "UPPER right")
    wait_for(qtbot, lambda: 0 < len(space.session.desk.queue) <= 3)
    assert ids_of(dock) == space.session.desk.queue
    assert "fit" in dock.found.text()
    while space.session.current is not None:
        space.skip()
        if space.session.current is not None:
            assert space.session.current.case.description == RIGHT
    assert "No case fits" in dock.empty.text()
    dock.filters.reset()
    wait_for(qtbot, lambda: len(ids_of(dock)) > 3)
    assert dock.filters.search.text() == ""


def test_signs_of_a_search_language_find_nothing_by_themselves(qtbot, dock):
    dock.filters.show_state("any")
    wait_for(qtbot, lambda: len(ids_of(dock)) == 10)
    dock.filters.search.setText("%")
    wait_for(qtbot, lambda: ids_of(dock) == [])
    assert dock.empty.isVisibleTo(dock)


def test_the_number_of_filters_is_told_and_one_click_clears_them(qtbot, dock):
    dock.filters.zone.setCurrentIndex(dock.filters.zone.findData("Ll"))
    dock.filters.zone.activated.emit(1)
    dock.filters.doubtful.click()
    assert dock.filters.fold.text() == "Filters (2) ▾"
    wait_for(qtbot, lambda: ids_of(dock) == [])
    dock.filters.clear.click()
    assert dock.filters.fold.text() == "Filters ▾"
    wait_for(qtbot, lambda: len(ids_of(dock)) == 5)


def test_the_readers_of_the_project_can_be_chosen(qtbot, dock, space):
    wait_for(qtbot, lambda: dock.filters.reader.findData("dataset") > 0)
    dock.filters.show_state("any")
    dock.filters.reader.setCurrentIndex(dock.filters.reader.findData("dataset"))
    dock.filters.reader.activated.emit(1)
    wait_for(qtbot, lambda: len(ids_of(dock)) == 4)


def test_the_case_on_the_desk_is_marked_in_the_list(qtbot, dock, space):
    dock.filters.show_state("any")
    wait_for(qtbot, lambda: len(ids_of(dock)) == 10)
    dock.list.clicked.emit(dock.model.index(5))
    assert dock.model.on_desk == ids_of(dock)[5] == space.session.case_id


def test_enter_opens_the_case_that_the_arrow_keys_chose(qtbot, dock, space):
    dock.list.setFocus()
    qtbot.keyClick(dock.list, Qt.Key.Key_Down)
    qtbot.keyClick(dock.list, Qt.Key.Key_Down)
    case = dock.model.case_id(dock.list.currentIndex())
    qtbot.keyClick(dock.list, Qt.Key.Key_Return)
    assert space.session.case_id == case


def test_previous_works_after_a_restart(space):
    first = space.session.case_id
    space.accept()
    folder = space.session.project.folder
    space.open_project(folder, "Ada")
    assert space.session.case_id != first
    space.previous()
    assert space.session.case_id == first


def test_previous_passes_over_a_case_on_another_desk(space, tmp_path):
    from training.pool.leases import take_lease

    first = space.session.case_id
    space.accept()
    second = space.session.case_id
    space.accept()
    take_lease(space.session.project, second, "Ben")
    space.previous()
    assert space.session.case_id == first


def test_second_readings_show_nothing_of_the_first(qtbot, dock, space):
    project = space.session.project
    case = project.cases("unlabeled")[-1].id
    project.accept(case, spot(False), "Words of another reader.", "Ben", source="drawn")
    ask_second_reading(project, [case])
    dock.filters.show_state(SECOND)
    assert space.session.case_id == case
    assert space.session.current.case.mask is None
    assert "another" not in space.session.description
    assert not dock.filters.search.isEnabled()
    space.accept()
    assert project.revisions(case)[-1].reading == "blind"
    assert project.case(case).description == "Words of another reader."
    assert space.session.current is None
    assert "No second reading" in dock.empty.text()
    dock.filters.show_state("next")
    assert not space.session.desk.blind
    assert space.session.current is not None


def test_a_hundred_thousand_cases_read_only_what_the_screen_shows(qtbot, dock, monkeypatch):
    asked: list[int] = []

    def read(_project, case_ids):
        asked.append(len(case_ids))
        return {i: ListedCase(i, "unlabeled", LEFT, "", frozenset()) for i in case_ids}

    monkeypatch.setattr("napari_semimedref.widgets.queue_list.list_rows", read)
    dock.filters.show_state("any")
    wait_for(qtbot, lambda: len(ids_of(dock)) == 10)
    dock._beside.forget("ids")
    dock._take([f"c{i}" for i in range(100_000)], {})
    bar = dock.list.verticalScrollBar()
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        bar.setValue(round(share * bar.maximum()))
        wait_for(qtbot, lambda: dock.model.without_row(*dock.list.places()) == [])
    assert dock.list.places()[1] == 99_999
    on_screen = dock.list.places()[1] - dock.list.places()[0] + 1
    assert max(asked) <= on_screen + 2 * AHEAD + 2
    assert sum(asked) < 12 * (on_screen + 2 * AHEAD + 2)
    assert dock.list.horizontalScrollBar().maximum() == 0


def test_what_was_read_long_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr("napari_semimedref.widgets.queue_model.MOST_ROWS", 50)
    model = QueueModel()
    model.replace([f"c{i}" for i in range(200)], {})
    for start in range(0, 200, 20):
        asked = model.ids[start : start + 20]
        model.take_rows(asked, {})
    assert len(model._rows) == 50
    assert model.without_row(150, 199) == []
    model.take_pictures({"a": np.zeros((4, 6), np.uint8), "b": None})
    assert model.without_picture(0, 199) == []


def test_a_new_order_waits_for_nobody(qtbot, dock, space):
    space.session.plan_soon("random")
    first = space.session.case_id
    space.accept()  # while the order is being worked out
    wait_for(qtbot, lambda: all(c.reason == "drawn at random" for c in space.session.queue()))
    assert first not in space.session.desk.queue
    assert space.session.case_id not in space.session.desk.queue


def test_another_project_starts_with_the_whole_queue(qtbot, dock, space, tmp_path):
    dock.filters.search.setText("nothing has these words")
    wait_for(qtbot, lambda: ids_of(dock) == [])
    other = small_project(tmp_path / "other", unlabeled=3, holdout=0)
    promote(other, "t", probability())
    other.close()
    assert space.open_project(tmp_path / "other", "Ada")
    assert dock.filters.search.text() == ""
    assert len(ids_of(dock)) == 2
