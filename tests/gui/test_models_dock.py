"""The models dock: what it lists, what its buttons do, and that slow work does not hold the window."""

from __future__ import annotations

import numpy as np
import pytest
from docking import docked, use_small_processes
from fake_runs import finished_run
from made import small_project, spot
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QTreeWidget

from napari_semimedref.widgets.model_dialogs import CardDialog, CompareDialog
from napari_semimedref.widgets.models import NO_MODELS, ModelsDock
from napari_semimedref.workspace import Workspace
from training.adopting import adopt
from training.pool.rounds import serving_model

PATIENCE_MS = 20_000


def says(project, rows):
    """Masks that cover this many rows of each lesion."""
    said = {}
    for case in project.cases():
        mask = spot(int(case.id[-3:]) % 2 == 0)
        mask[np.flatnonzero(mask.any(axis=1))[rows:]] = 0
        said[case.id] = mask
    return said


@pytest.fixture
def taught(tmp_path):
    """A project with three models: one that served, one that serves, one that was refused."""
    made = small_project(tmp_path / "project", holdout=12)
    for seed, rows in enumerate((9, 14, 5)):
        adopt(made, finished_run(made, says(made, rows), seed))
    yield made
    made.close()


@pytest.fixture
def room(qtbot, taught):
    space = Workspace(ViewerModel())
    assert space.open_project(taught.folder, "Ada")
    use_small_processes(space)
    yield space
    space.close_project()


@pytest.fixture
def dock(qtbot, room):
    made = docked(qtbot, ModelsDock, room)
    qtbot.waitUntil(lambda: len(made.rows) == 3, timeout=PATIENCE_MS)
    return made


def choose(dock, *places):
    dock.list.clearSelection()
    for place in places:
        dock.list.topLevelItem(place).setSelected(True)


def shown(dock):
    rows = (dock.list.topLevelItem(place) for place in range(dock.list.topLevelItemCount()))
    return [[row.text(column) for column in range(6)] for row in rows]


def able(dock):
    return {name for name, each in dock.buttons.items() if each.isEnabled()}


def test_models_are_listed_with_labels_both_dice_and_which_one_serves(dock):
    listed = shown(dock)
    assert [row[:3] for row in listed] == [
        ["", "Round 3", "4"],
        ["●", "Round 2", "4"],
        ["", "Round 1", "4"],
    ]
    assert [row[5] for row in listed] == ["refused", "serving", "served"]
    assert all(0 < float(row[3]) < 1 and 0 < float(row[4]) < 1 for row in listed)


def test_the_dock_says_why_a_model_was_refused_and_offers_what_can_be_done(dock):
    assert able(dock) == {"back", "import"}
    choose(dock, 0)
    assert dock.news.text().startswith("Refused: worse than the serving teacher")
    assert able(dock) == {"compare", "serve", "back", "card", "export", "import"}
    choose(dock, 1)
    assert "serve" not in able(dock)
    assert "compare" not in able(dock)


def test_without_models_a_sentence_says_where_they_come_from(qtbot, space):
    dock = docked(qtbot, ModelsDock, space)
    dock._beside.forget("rows")  # of the teacher that the other tests need
    dock._show([])
    assert dock.news.text() == NO_MODELS
    assert dock.list.isHidden()


def test_rolling_back_asks_first_and_brings_the_earlier_model(qtbot, dock, room, monkeypatch):
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Yes]
    asked = []

    def answer(_parent, title, question, *_):
        asked.append((title, question))
        return answers[len(asked) - 1]

    monkeypatch.setattr(QMessageBox, "question", answer)
    project = room.session.project
    second = serving_model(project).id
    dock.buttons["back"].click()
    assert serving_model(project).id == second
    dock.buttons["back"].click()
    assert asked[0][0] == "Roll back to Round 1?"
    assert "Accepted masks stay as they are" in asked[0][1]
    assert serving_model(project).run_id == 1
    qtbot.waitUntil(
        lambda: [row[5] for row in shown(dock)] == ["refused", "served", "serving"],
        timeout=PATIENCE_MS,
    )
    assert "serves again" in dock.news.text()


def test_two_models_are_compared_side_by_side_off_the_windows_thread(qtbot, dock):
    choose(dock, 0)  # with the serving one
    dock.buttons["compare"].click()
    assert able(dock) == set()
    qtbot.waitUntil(lambda: dock.work is None, timeout=PATIENCE_MS)
    (dialog,) = dock.findChildren(CompareDialog)
    assert dialog.windowTitle() == "Round 2 and Round 3"
    assert [dialog.tabs.tabText(place) for place in (0, 1)] == ["Report", "Gate"]
    scores, cases = dialog.tabs.widget(0).findChildren(QTreeWidget)
    assert scores.topLevelItem(0).text(3).startswith("\u2212")
    assert cases.topLevelItemCount() == 6
    dialog.close()


def test_the_card_is_shown_by_the_return_key_and_saved(qtbot, dock, tmp_path):
    dock.show()
    dock.list.setCurrentItem(dock.list.topLevelItem(1))
    qtbot.keyClick(dock.list, Qt.Key.Key_Return)
    (dialog,) = dock.findChildren(CardDialog)
    assert "not a medical device" in dialog.page.toPlainText()
    dialog.save(tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text().startswith("# Model ")
    assert "is written" in dialog.said.text()
    dialog.close()


def test_a_model_is_exported_imported_elsewhere_and_refused_with_a_sentence(qtbot, dock, tmp_path):
    file = tmp_path / "model.zip"
    dock.export_to(dock.rows[1], file)
    qtbot.waitUntil(lambda: dock.work is None, timeout=PATIENCE_MS)
    assert file.exists()
    assert "is written" in dock.news.text()
    dock.import_from(file)
    qtbot.waitUntil(lambda: dock.work is None, timeout=PATIENCE_MS)
    assert "already" in dock.news.text()
    other = small_project(tmp_path / "other")
    dock.workspace.open_project(other.folder, "Ada")
    dock.import_from(file)
    qtbot.waitUntil(lambda: len(dock.rows) == 1 and dock.work is None, timeout=PATIENCE_MS)
    assert shown(dock)[0][5] == "imported"
    choose(dock, 0)
    assert "Let serve…" in dock.news.text()
    assert able(dock) == {"serve", "card", "export", "import"}
    other.close()


def test_every_button_is_reached_by_the_keyboard(dock):
    for each in dock.buttons.values():
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert each.toolTip()
    assert dock.list.focusPolicy() & Qt.FocusPolicy.TabFocus
