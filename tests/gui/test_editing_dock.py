"""The mask dock: every button acts, names its key, and shows how things stand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from qtpy.QtWidgets import QPushButton

from napari_semimedref import keys
from napari_semimedref.fixed_layers import MASK, OVERLAY, PROPOSAL
from napari_semimedref.tools import TOOLS
from napari_semimedref.widgets.editing import EditingDock

PATIENCE_MS = 20_000


@pytest.fixture
def dock(qtbot, space):
    made = EditingDock(space)
    qtbot.addWidget(made)
    return made


def test_every_button_names_its_key(dock):
    named = {
        re.search(r"\((.+)\)$", made.toolTip())[1] for made in dock.body.findChildren(QPushButton)
    }
    bound = {tool.key for tool in TOOLS}
    bound |= {keys.UNDO, keys.REDO, keys.ISLANDS, keys.HOLES, keys.SMOOTH, keys.ZONES}
    bound |= {keys.UNCERTAIN, keys.WHOLE_FILM, keys.MASK_CONTOUR, keys.PROPOSAL_CONTOUR}
    assert named == bound
    assert keys.OVERLAY in dock.overlay.toolTip()


def test_no_two_keys_are_the_same():
    chords = [
        value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)
    ]
    chords += [tool.key for tool in TOOLS]
    assert len(set(chords)) == len(chords)


def test_every_tool_can_be_taken_in_hand_and_is_marked(dock, space):
    for tool in TOOLS:
        dock.tools[tool.name].click()
        assert space.editing.tool is tool
        assert [name for name, made in dock.tools.items() if made.isChecked()] == [tool.name]


def test_undo_and_redo_are_offered_when_there_is_something_to_do(qtbot, dock, space):
    assert not dock.undo.isEnabled()
    layer = space.viewer.layers[MASK]
    before = layer.data.copy()
    layer.paint((3, 60), 1)
    assert dock.undo.isEnabled()
    assert "stroke" in dock.undo.toolTip()
    dock.undo.click()
    assert np.array_equal(layer.data, before)
    assert not dock.undo.isEnabled()
    dock.redo.click()
    assert layer.data[3, 60] == 1
    case = space.session.case_id
    project = space.session.project
    qtbot.waitUntil(lambda: project.draft(case, "Ada") is not None, timeout=PATIENCE_MS)


def test_the_slider_and_the_brush_follow_each_other(dock, space):
    dock.brush.setValue(17)
    assert space.viewer.layers[MASK].brush_size == 17
    space.viewer.layers[MASK].brush_size = 9
    assert dock.brush.value() == 9
    assert dock.brush_label.text() == "9 px"


def test_mask_and_proposal_can_be_hidden_and_outlined(dock, space):
    layers = space.viewer.layers
    outline = layers[PROPOSAL].contour
    for made in dock.body.findChildren(QPushButton):
        if keys.PROPOSAL_CONTOUR in made.toolTip():
            made.click()
    assert outline > 0
    assert layers[PROPOSAL].contour == 0
    space.looking.turn_contour(MASK)
    assert layers[MASK].contour > 0


def test_a_map_of_the_service_comes_when_it_is_chosen(qtbot, dock, space):
    dock.overlay.setCurrentIndex(dock.overlay.findData("disagreement"))
    dock.overlay.activated.emit(dock.overlay.currentIndex())
    layer = space.viewer.layers[OVERLAY]
    qtbot.waitUntil(lambda: layer.visible, timeout=PATIENCE_MS)
    assert layer.data.max() > 0.5
    space.looking.choose_next()
    assert dock.overlay.currentData() == "words"
    qtbot.waitUntil(lambda: layer.visible, timeout=PATIENCE_MS)


def test_a_long_painting_is_saved_while_it_goes_on(qtbot, dock, space):
    """Every change puts the next save off no further than a moment."""
    layer, project, case = space.viewer.layers[MASK], space.session.project, space.session.case_id

    def paint_and_look() -> bool:
        layer.paint((int(np.random.default_rng().integers(64)), 60), 1)
        layer.paint((int(np.random.default_rng().integers(64)), 60), 0)
        return project.draft(case, "Ada") is not None

    qtbot.waitUntil(paint_and_look, timeout=PATIENCE_MS)
