"""The words: colored and underlined as they are typed, mended by a click, compared with the mask, brought back from the
past; and proposals that follow them without touching a reader's own mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made import LEFT, RIGHT, spot
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextCharFormat
from qtpy.QtWidgets import QPushButton

from napari_semimedref.viewer_bridge import MASK
from napari_semimedref.widgets.description import DescriptionDock
from napari_semimedref.widgets.problems import MOST
from napari_semimedref.word_reading import QUICK, fit_words, read_mask_zones
from napari_semimedref.zone_outlines import ZONES_LAYER
from training.report import THIRDS, parse

HERE = Path(__file__).parent
PATIENCE_MS = 60_000
MISSPELT = "Unilateral pulmonary infection, one infected area, loewr left lung."


@pytest.fixture
def dock(qtbot, space):
    made = DescriptionDock(space)
    qtbot.addWidget(made)
    made.resize(366, 480)
    with qtbot.waitExposed(made):
        made.show()
    return made


def wait_for(qtbot, condition):
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


def formats(dock):
    """(start, end, format) of what is colored or underlined in the first paragraph."""
    layout = dock.edit.document().firstBlock().layout()
    return [(f.start, f.start + f.length, f.format) for f in layout.formats()]


def underlined(dock):
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    text = dock.edit.toPlainText()
    return "".join(text[a:b] for a, b, style in formats(dock) if style.underlineStyle() == wave)


def colored(dock):
    text = dock.edit.toPlainText()
    found = [(a, b) for a, b, style in formats(dock) if style.foreground().color().alpha()]
    return "".join(text[a:b] for a, b in found if dock)


def test_phrases_are_colored_with_each_keystroke(qtbot, dock):
    dock.edit.replace_words("")
    dock.edit.setFocus()
    qtbot.keyClicks(dock.edit, "upper left lung")
    assert "upper left lung" in colored(dock)
    assert dock.reading.text() == "Read as: unilateral, 1 zone."
    assert dock.zones._named == {"Lu"}


def test_a_repaired_word_is_underlined_and_mended_from_its_menu(qtbot, dock, space):
    dock.edit.replace_words(MISSPELT)
    assert "loewr" in underlined(dock)
    menu = dock.edit.menu_at(MISSPELT.index("loewr") + 2)
    first = menu.actions()[0]
    assert first.text() == "Write “lower”"
    first.trigger()
    assert dock.edit.toPlainText() == LEFT
    assert "loewr" not in underlined(dock)
    assert space.session.description == LEFT
    dock.edit.undo()
    assert dock.edit.toPlainText() == MISSPELT


def test_away_from_a_problem_the_menu_is_the_usual_one(dock):
    dock.edit.replace_words(MISSPELT)
    assert not dock.edit.menu_at(0).actions()[0].text().startswith("Write")


def test_all_spelling_is_mended_at_once_and_contradictions_are_left(qtbot, dock):
    dock.edit.replace_words("Bilateral infektion, one infected area, loewr lfet lung.")
    fix = next(b for b in dock.problems.findChildren(QPushButton) if "spelling" in b.text())
    fix.click()
    text = dock.edit.toPlainText()
    assert "lower left lung" in text
    assert text.startswith("Bilateral")


def test_many_problems_are_folded_until_they_are_wanted(qtbot, dock):
    words = "loewr lfet lung, uper rigt lung and midle lfet lung"
    dock.edit.replace_words(words)
    count = len(parse(words).problems)
    assert count > MOST
    rows = [b for b in dock.problems.findChildren(QPushButton) if b.text() == "Fix"]
    assert len(rows) <= MOST
    more = next(b for b in dock.problems.findChildren(QPushButton) if "more" in b.text())
    more.click()
    rows = [b for b in dock.problems.findChildren(QPushButton) if b.text() == "Fix"]
    assert len(rows) > MOST


def test_a_long_text_is_read_beside_the_window_and_only_the_last_one_counts(
    qtbot, dock, monkeypatch
):
    read_in_window: list[str] = []

    def slow(text):
        read_in_window.append(text)
        return parse(text)

    monkeypatch.setattr("napari_semimedref.widgets.description.parse", slow)
    filler = "The heart is of normal size. " * (QUICK // 20)
    for zone in ("upper left", "lower right"):
        dock.edit.replace_words(f"{filler} Opacity in the {zone} lung.")
    wait_for(qtbot, lambda: dock.zones._named == {"Rl"})
    assert "lower right lung" in colored(dock)
    assert dock.edit.highlighter.finding.text == dock.edit.toPlainText()


def test_the_zone_map_is_used_by_the_keyboard(qtbot, dock):
    dock.edit.replace_words(LEFT)
    dock.zones.setFocus()
    qtbot.keyClick(dock.zones, Qt.Key.Key_Right)
    qtbot.keyClick(dock.zones, Qt.Key.Key_Space)
    assert parse(dock.edit.toPlainText()).zones == {"Ll", "Ru"}
    qtbot.keyClick(dock.zones, Qt.Key.Key_Space)
    assert parse(dock.edit.toPlainText()).zones == {"Ll"}


def test_zones_are_drawn_on_the_film_and_strokes_still_go_to_the_mask(qtbot, dock, space):
    layers = space.viewer.layers
    assert ZONES_LAYER not in layers
    dock.edit.replace_words(LEFT)
    dock.on_film.setChecked(True)
    layer = layers[ZONES_LAYER]
    assert layer.visible
    assert len(layer.data) == 6
    assert layers.selection.active is layers[MASK]
    tinted = layer.face_color[:, 3] > 0
    dock.edit.replace_words(RIGHT)
    assert tinted.sum() == 1
    assert list(layer.face_color[:, 3] > 0) != list(tinted)
    space.skip()
    assert layers.selection.active is layers[MASK]
    assert [each.name for each in layers].count(ZONES_LAYER) == 1
    dock.on_film.setChecked(False)
    assert not layer.visible


def test_words_are_made_to_fit_the_mask(qtbot, dock, space):
    space.session.edit_mask(spot(False))
    dock.edit.replace_words("Unilateral pulmonary infection, one infected area, lower left lung.")
    wait_for(qtbot, lambda: "right" in dock.disagreement.text())
    dock.from_mask.click()
    wait_for(qtbot, lambda: "right lung" in dock.edit.toPlainText())
    wait_for(qtbot, lambda: not dock.disagreement.isVisibleTo(dock))
    dock.from_mask.click()
    wait_for(qtbot, lambda: "fit the mask as they are" in dock.service.text())


def test_without_words_the_mask_is_described(qtbot, dock, space):
    space.session.edit_mask(spot(True))
    dock.edit.replace_words("")
    dock.from_mask.click()
    wait_for(qtbot, lambda: "left lung" in dock.edit.toPlainText())


def test_an_empty_mask_describes_nothing(dock, space):
    space.session.edit_mask(np.zeros((64, 64), np.uint8))
    before = dock.edit.toPlainText()
    dock.describe_mask()
    assert dock.edit.toPlainText() == before
    assert "empty" in dock.service.text()


def test_fitting_words_keeps_what_has_nothing_to_do_with_the_mask():
    text = "Portable film. Unilateral pulmonary infection, one infected area, upper right lung."
    fitted = fit_words(text, spot(True), THIRDS, "image")
    assert fitted.startswith("Portable film.")
    assert parse(fitted).zones == read_mask_zones(fitted, spot(True), THIRDS, "image").painted


def test_earlier_words_come_back_from_the_history(dock, space):
    case = space.session.case_id
    imported = space.session.description
    project = space.session.project
    project.accept(case, spot(True), "Something else.", "Ben", source="drawn")
    dock.edit.replace_words("My own words.")
    dock.past.fill()
    actions = dock.past.actions()
    assert "Ben: Something else." in actions[0].text()
    assert "imported" in actions[1].text()
    actions[1].trigger()
    assert dock.edit.toPlainText() == imported
    assert space.session.description == imported
    dock.edit.undo()
    assert dock.edit.toPlainText() == "My own words."


def test_a_blind_reader_sees_no_history(qtbot, dock, space):
    assert dock.history.isVisibleTo(dock)
    space.session.read_blind(True)
    assert not dock.history.isVisibleTo(dock)


def test_the_spinner_turns_until_the_teacher_answers(qtbot, dock, space):
    dock.edit.replace_words("slow")
    wait_for(qtbot, lambda: dock.spinner.turning)
    wait_for(qtbot, lambda: not dock.spinner.awaited)
    assert "follows the words" in dock.service.text()


def test_a_readers_mask_stays_until_they_take_the_new_proposal(qtbot, dock, space):
    layer = space.viewer.layers[MASK]
    layer.selected_label = 1
    layer.paint((3, 60), 1)
    painted = layer.data.copy()
    assert not dock.use_it.isVisibleTo(dock)
    dock.edit.replace_words("One infected area, lower right lung.")
    wait_for(qtbot, lambda: dock.use_it.isVisibleTo(dock))
    assert np.array_equal(layer.data, painted)
    assert "Your mask stays" in dock.service.text()
    dock.use_it.click()
    assert np.array_equal(space.session.mask, space.session.current.proposal)
    assert np.array_equal(layer.data, space.session.current.proposal)
    layer.undo()
    assert np.array_equal(layer.data, painted)


def test_an_answer_to_words_that_changed_meanwhile_changes_nothing(qtbot, dock, space):
    dock.edit.replace_words("slow")
    space.ask_for_proposal()
    dock.edit.replace_words(RIGHT)
    wait_for(qtbot, lambda: space.session.current.model_id == "second-teacher")
    assert space.session.mask[:, 32:].any()
    assert not space.session.mask[:, :32].any()


def test_words_can_be_read_in_a_light_theme(dock, space):
    dark = dock.edit.highlighter.light
    space.viewer.theme = "light"
    assert (dark, dock.edit.highlighter.light) == (False, True)
    assert "92, 98, 110" in dock.service.styleSheet()
    space.viewer.theme = "dark"
    assert not dock.edit.highlighter.light


def test_words_that_the_network_does_not_read_are_said(qtbot, dock):
    dock.edit.setPlainText(LEFT + " and more words" * 6)
    wait_for(qtbot, lambda: dock.limit.isVisible())
    assert "Only the first 3 words are read" in dock.limit.text()
    dock.edit.setPlainText(LEFT)
    wait_for(qtbot, lambda: not dock.limit.isVisible())
