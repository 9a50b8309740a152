"""Where T-PatchMix thinks the zones are: fitted to the labeled films, and moved with the view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from little_films import films, write_case
from test_mixing import PLAIN

from training.config import RunConfig
from training.engine import inputs, setup
from training.engine.films import StudentFilms
from training.engine.inputs import patch_films, weak_views
from training.engine.views import WeakDraw, apply_weak, draw_weak
from training.engine.zone_bands import CHEST, bands_of_films, moved
from training.events import EventWriter
from training.report import describe, zones_of
from training.report.survey import LEAST_FOR_BANDS
from training.report.zones import Bands, zone_boxes
from training.rundir import RunFolder
from training.snapshot import Snapshot

SIDE = 64
OTHER = Bands((0.2, 0.5), (0.5, 0.7), (0.7, 0.95), (0.15, 0.5), (0.5, 0.85))


def a_data_set(count: int, bands: Bands = OTHER) -> tuple[np.ndarray, list[str]]:
    """Masks with a spot or two, each within a zone of these bands, and words that say so."""
    rng = np.random.default_rng(0)
    boxes = list(zone_boxes((SIDE, SIDE), bands).values())
    masks, texts = [], []
    for _ in range(count):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for chosen in rng.choice(6, rng.integers(1, 3), replace=False):
            top, left, bottom, right = boxes[chosen]
            row, column = rng.integers(top, bottom - 6), rng.integers(left, right - 6)
            mask[row : row + 6, column : column + 6] = 1
        masks.append(mask)
        texts.append(describe(mask, bands))
    return np.stack(masks), texts


def test_bands_of_another_data_set_are_found_and_chest_films_serve_where_labels_are_few():
    masks, texts = a_data_set(3 * LEAST_FOR_BANDS)
    few = slice(0, LEAST_FOR_BANDS - 1)
    assert bands_of_films(masks[few], texts[few], "image") == CHEST
    learned = bands_of_films(masks, texts, "image")
    for name in ("upper", "middle", "lower", "first", "second"):
        assert getattr(learned, name) == pytest.approx(getattr(OTHER, name), abs=0.1), name
    named = [zones_of(mask, OTHER) for mask in masks]
    right = {
        bands: np.mean(
            [zones_of(mask, bands) == zones for mask, zones in zip(masks, named, strict=True)]
        )
        for bands in (CHEST, learned)
    }
    assert right[learned] > right[CHEST] + 0.2


def test_films_without_lesions_and_without_sure_words_teach_no_bands():
    masks, texts = a_data_set(LEAST_FOR_BANDS)
    assert bands_of_films(masks, texts, "image") != CHEST
    assert bands_of_films(np.zeros_like(masks), texts, "image") == CHEST
    assert bands_of_films(masks, ["Infection."] * len(texts), "image") == CHEST


@pytest.mark.parametrize(
    "draw", [WeakDraw(), WeakDraw(1.2, 0.05, -0.04), WeakDraw(0.85, -0.06, 0.06)]
)
def test_bands_move_as_the_pixels_do(draw):
    shifted = zone_boxes((256, 256), moved(CHEST, draw))
    for zone, (top, left, bottom, right) in zone_boxes((256, 256), CHEST).items():
        filled = torch.zeros(1, 1, 256, 256)
        filled[..., top:bottom, left:right] = 1
        _, seen = apply_weak(filled, filled, [draw])
        rows, columns = torch.nonzero(seen[0, 0], as_tuple=True)
        found = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert np.allclose([int(each) for each in found], shifted[zone], atol=2)


def test_patches_are_placed_by_the_bands_of_the_films_as_moved_with_each_view(monkeypatch):
    views = PLAIN.model_copy(update={"patch_probability": 1.0})
    weak = weak_views(films([0, 1, 2, 3]), views)
    own = StudentFilms(weak.images, weak.masks, weak.texts, weak.texts)
    asked, plan_patch = [], inputs.plan_patch

    def noting(*args):
        asked.append(args[-1])
        return plan_patch(*args)

    monkeypatch.setattr(inputs, "plan_patch", noting)
    patch_films(own, replace(weak, bands=OTHER), views, "image")
    assert asked == [moved(OTHER, draw_weak(key, views)) for key in weak.keys]
    assert len(set(asked)) == 4


def test_a_round_learns_the_bands_of_its_labeled_films_and_uses_them(tmp_path, monkeypatch):
    monkeypatch.setattr("training.engine.zone_bands.LEAST_FOR_BANDS", 6)
    root = tmp_path / "films"
    root.mkdir()
    snapshot = Snapshot(
        root=str(root),
        labeled=tuple(write_case(root, n, True) for n in range(8)),
        unlabeled=tuple(write_case(root, n, False) for n in range(10, 14)),
        gate=(write_case(root, 20, True),),
        report=(write_case(root, 30, True),),
    )
    config = RunConfig.parse({"device": "cpu", "network": {"image_size": 32}})
    folder = RunFolder.create(tmp_path / "run", config, snapshot)
    this = setup.prepare(folder, EventWriter(folder.events_file), "cpu")
    bands = this.pools.labeled.bands
    assert bands != CHEST
    assert this.pools.unlabeled.bands == bands
    assert this.pools.unlabeled.films([(0, 0), (1, 0)], 0, torch.device("cpu")).bands == bands
