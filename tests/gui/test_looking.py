"""The eyes: maps over the film, and the way to the regions the teacher is unsure of."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from teachers import probability

from napari_semimedref.fixed_layers import OVERLAY
from napari_semimedref.looking import Looking
from napari_semimedref.overlays import DISAGREEMENT, OVERLAYS, SENSITIVITY, UNCERTAINTY, values_of
from napari_semimedref.viewer_bridge import ViewerBridge


class Eyes:
    def __init__(self, session):
        self.session = session
        self.bridge = ViewerBridge(ViewerModel())
        self.looking = Looking()
        session.opened.connect(lambda opened: self.bridge.show(opened, session.mask))
        self.looking.attach(session, self.bridge)
        self.told, self.asked = [], []
        self.looking.said.connect(self.told.append)
        self.looking.asked.connect(lambda: self.asked.append(self.looking.wanted))
        session.next()

    @property
    def layer(self):
        return self.bridge.viewer.layers[OVERLAY]


@pytest.fixture
def eyes(session):
    return Eyes(session)


def test_maps_of_the_probability_alone_are_shown_at_once(eyes):
    eyes.looking.choose("probability")
    assert np.allclose(eyes.layer.data, eyes.session.current.probability)
    eyes.looking.choose("uncertainty")
    assert eyes.layer.visible
    assert eyes.layer.data.max() <= 1
    eyes.looking.choose("")
    assert not eyes.layer.visible
    assert not eyes.asked


def test_a_map_that_needs_the_service_is_asked_for_and_then_shown(eyes):
    eyes.looking.choose("disagreement")
    assert eyes.asked == [["student"]]
    assert not eyes.layer.visible
    eyes.looking.take({"probability": probability(True), "student": probability(False)})
    assert eyes.layer.visible
    assert eyes.layer.data.max() == pytest.approx(0.9, abs=0.01)
    eyes.session.skip()
    assert eyes.asked == [["student"]] * 2
    assert not eyes.layer.visible


def test_every_map_comes_in_turn_and_then_none(eyes):
    seen = []
    eyes.looking.overlay_changed.connect(seen.append)
    for _ in range(len(OVERLAYS) + 1):
        eyes.looking.choose_next()
    assert seen == [*(each.name for each in OVERLAYS), ""]


def test_the_effect_of_the_words_is_the_larger_of_its_two_differences():
    said, silent, swapped = (np.array([value], np.float32) for value in (0.9, 0.5, 0.1))
    also = {"wordless": silent, "mirrored": swapped}
    assert values_of(SENSITIVITY, said, also) == pytest.approx(0.8)
    assert values_of(SENSITIVITY, said, {"wordless": silent}) is None
    assert values_of(DISAGREEMENT, said, {"student": silent}) == pytest.approx(0.4)
    assert values_of(UNCERTAINTY, silent, {}) == pytest.approx(1.0)


def test_the_key_leads_from_the_largest_unsure_region_to_the_next_and_round(eyes):
    said = np.full((64, 64), 0.02, np.float32)
    said[40:56, 8:24] = 0.5
    said[4:10, 50:58] = 0.45
    eyes.session.take_proposal(eyes.session.case_id, said, "m")
    centers = []
    for _ in range(3):
        eyes.looking.next_uncertain()
        centers.append(tuple(eyes.bridge.viewer.scene.camera.center[-2:]))
    assert np.allclose(centers, [(47.5, 15.5), (6.5, 53.5), (47.5, 15.5)], atol=1)
    assert eyes.told[0].startswith("Uncertain region 1 of 2")
    eyes.looking.look_at_all()
    eyes.looking.next_uncertain()
    assert eyes.told[-1].startswith("Uncertain region 1 of 2")


def test_a_teacher_that_is_sure_leads_nowhere(eyes):
    eyes.session.take_proposal(eyes.session.case_id, np.zeros((64, 64), np.float32), "m")
    before = eyes.bridge.viewer.scene.camera.center
    eyes.looking.next_uncertain()
    assert "sure" in eyes.told[-1]
    assert eyes.bridge.viewer.scene.camera.center == before


def test_the_next_case_starts_with_its_own_regions(eyes):
    eyes.session.take_proposal(eyes.session.case_id, np.full((64, 64), 0.5, np.float32), "m")
    eyes.looking.next_uncertain()
    eyes.session.skip()
    eyes.looking.next_uncertain()
    assert "Uncertain region 1 of 1: 4096" not in eyes.told[-1]
