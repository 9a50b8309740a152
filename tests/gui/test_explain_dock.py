"""The explain dock: maps as layers over the film, which go with the case, and what it says where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from docking import docked
from made import LEFT, small_project
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_semimedref.explanation_layers import ExplanationLayers, title_of
from napari_semimedref.viewer_bridge import MASK, ORDER
from napari_semimedref.widgets.explain import NO_TEACHER, STALE, ExplainDock
from napari_semimedref.workspace import Workspace
from training.arms import MEASURED, Arms, save_arms

PATIENCE_MS = 20_000
DEEP, FINE, EMPTY = "Grad-CAM DownViT1", "Grad-CAM DownCNN1", "Grad-CAM DownCNN2"
WORDLESS, MIRRORED = "with − without words", "with − mirrored words"
RIGHT = "One infected area, lower right lung."


@pytest.fixture
def dock(qtbot, space):
    return docked(qtbot, ExplainDock, space)


def explained(qtbot, dock):
    dock.explain.click()
    assert "Looking" in dock.status.text()
    qtbot.waitUntil(lambda: dock.maps.count() > 0, timeout=PATIENCE_MS)


def check(dock, *titles):
    for row in range(dock.maps.count()):
        item = dock.maps.item(row)
        wanted = title_of(item.data(Qt.ItemDataRole.UserRole)) in titles
        item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)


def extra_layers(space) -> list[str]:
    return [layer.name for layer in space.viewer.layers if layer.name not in ORDER]


def edges(layer) -> np.ndarray:
    """Where a layer begins and ends: napari's extent reaches from the first pixel's middle to the last one's."""
    return layer.extent.world + np.array([[-0.5], [0.5]]) * layer.extent.step


def test_an_explanation_offers_all_maps_and_lays_one_over_the_film(qtbot, space, dock):
    explained(qtbot, dock)
    titles = [dock.maps.item(row).text() for row in range(dock.maps.count())]
    assert titles == [
        f"{WORDLESS}: up to 100 %",
        f"{MIRRORED}: up to 100 %",
        FINE,
        f"{EMPTY}: nothing here",
        DEEP,
    ]
    assert extra_layers(space) == [MIRRORED]
    assert "second-teacher" in dock.status.text()
    assert "The other side." in dock.mirrored.text()
    names = [layer.name for layer in space.viewer.layers]
    assert names.index(MIRRORED) == names.index(MASK) - 1
    assert space.viewer.layers.selection.active is space.viewer.layers[MASK]


def test_a_map_covers_the_film_though_it_is_coarser(qtbot, space, dock):
    space.session.edit_description(LEFT)
    explained(qtbot, dock)
    check(dock, WORDLESS)
    layers = space.viewer.layers
    film, shown = layers["film"], layers[WORDLESS]
    assert film.data.shape != shown.data.shape
    assert np.allclose(edges(film), edges(shown))
    # The spot is drawn at rows 20 to 27, columns 4 to 11 of 32.
    side = film.data.shape[0]
    assert shown.get_value((side * 0.75, side * 0.25), world=True) == 1
    assert shown.get_value((side * 0.75, side * 0.75), world=True) == 0


def test_layers_follow_what_is_checked(qtbot, space, dock):
    explained(qtbot, dock)
    check(dock, WORDLESS, FINE)
    assert sorted(extra_layers(space)) == sorted([WORDLESS, FINE])
    check(dock)
    assert extra_layers(space) == []


def test_another_case_takes_the_layers_away_and_the_choice_stays(qtbot, space, dock):
    explained(qtbot, dock)
    check(dock, MIRRORED)
    dock.forget()
    assert extra_layers(space) == []
    explained(qtbot, dock)
    assert extra_layers(space) == [MIRRORED]
    space.skip()
    assert extra_layers(space) == []
    assert dock.maps.count() == 0
    explained(qtbot, dock)
    assert extra_layers(space) == [MIRRORED]
    while space.session.current is not None:
        space.skip()
    assert extra_layers(space) == []
    assert not dock.explain.isEnabled()


def test_an_answer_that_comes_after_its_case_has_gone_is_dropped(qtbot, space, dock):
    told = []
    space.explanation_arrived.connect(told.append)
    dock.explain.click()
    space.skip()
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert dock.maps.count() == 0
    assert extra_layers(space) == []


def test_the_present_words_are_explained_and_older_ones_are_said_to_be(qtbot, space, dock):
    space.session.edit_description(RIGHT)
    explained(qtbot, dock)
    check(dock, DEEP)
    shown = space.viewer.layers[DEEP].data
    assert shown[24, 24] == 1
    assert shown[24, 8] == 0
    space.session.edit_description(LEFT)
    assert dock.status.text() == STALE


def test_a_layer_that_the_reader_removed_does_no_harm(qtbot, space, dock):
    explained(qtbot, dock)
    check(dock, DEEP)
    space.viewer.layers.remove(space.viewer.layers[DEEP])
    check(dock)
    check(dock, DEEP)
    assert extra_layers(space) == [DEEP]
    space.skip()
    assert extra_layers(space) == []


def test_what_the_service_refuses_is_said(qtbot, space, dock):
    space.session.edit_description("refuse")
    dock.explain.click()
    qtbot.waitUntil(lambda: dock.status.text() == "There is no such case.", timeout=PATIENCE_MS)
    assert extra_layers(space) == []


def test_before_the_first_teacher_the_dock_says_so_and_starts_no_service(qtbot, tmp_path):
    folder = small_project(tmp_path / "young", holdout=0).folder
    workspace = Workspace(ViewerModel())
    assert workspace.open_project(folder, "Ada")
    dock = docked(qtbot, ExplainDock, workspace)
    dock.explain.click()
    assert dock.status.text() == NO_TEACHER
    assert not workspace.engine.busy
    workspace.close_project()


def test_where_words_change_nothing_a_layer_of_the_network_is_shown_first(qtbot, space, dock):
    space.session.edit_description("deaf")
    explained(qtbot, dock)
    assert extra_layers(space) == [DEEP]
    assert f"{MIRRORED}: up to 0 %" in [dock.maps.item(row).text() for row in range(2)]


def test_maps_without_a_mask_layer_lie_on_top():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((40, 60)), name="film")
    layers = ExplanationLayers(viewer, under=MASK)
    layers.show({"cam_Down1": np.ones((8, 8), np.float32)}, (40, 60), ["cam_Down1"])
    assert [layer.name for layer in viewer.layers] == ["film", "Grad-CAM Down1"]
    assert np.allclose(edges(viewer.layers[0]), edges(viewer.layers[1]))
    layers.clear()
    assert len(viewer.layers) == 1


def test_where_proposals_are_planted_no_waiting_case_is_explained(space, dock):
    save_arms(space.session.project, Arms(planted=0.2))
    dock.explain.click()
    assert dock.status.text() == MEASURED
    assert not space.engine.awaits("explain")
