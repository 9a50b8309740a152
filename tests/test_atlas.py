from __future__ import annotations

import csv

import numpy as np
import pytest
from made import SHARED_DATA

from training.atlas import CUTS, RIDGE, TRUST, fit_atlas
from training.errors import SemiMedRefError
from training.metrics import score_masks
from training.pool.images import read_mask
from training.report import ZONES, parse, zone_boxes

SIDE = 48


def box_masks(zone_sets, rng, side=SIDE):
    """Masks that fill a random part of every named zone's box."""
    masks = np.zeros((len(zone_sets), side, side), np.uint8)
    boxes = zone_boxes((side, side))
    for mask, zones in zip(masks, zone_sets, strict=True):
        for zone in zones or ():
            top, left, bottom, right = boxes[zone]
            row, column = rng.integers(0, 4, 2)
            mask[top + row : bottom - row, left + column : right - column] = 1
    return masks


def drawn_sets(count, rng):
    return [
        frozenset(rng.choice(ZONES, rng.integers(1, 4), replace=False).tolist())
        for _ in range(count)
    ]


def test_a_set_seen_often_gives_its_mean_mask_and_one_seen_once_leans_towards_its_zones():
    rng = np.random.default_rng(0)
    often, once = frozenset({"Lu"}), frozenset({"Lu", "Rl"})
    zones = [often] * 200 + [once]
    masks = box_masks(zones, rng)
    atlas = fit_atlas(masks, zones)
    assert np.abs(atlas.probability(often) - masks[:200].mean(0)).max() < 0.03
    weight = 1 / (1 + TRUST)
    parts = np.clip(atlas.of_zone[0] + atlas.of_zone[ZONES.index("Rl")], 0, 1)
    expected = weight * masks[200] + (1 - weight) * parts
    assert np.allclose(atlas.probability(once), expected, atol=1e-5)


def test_a_set_never_seen_is_the_sum_of_its_zones_and_lies_where_they_do():
    rng = np.random.default_rng(1)
    singles = [frozenset({zone}) for zone in ZONES] * 20
    atlas = fit_atlas(box_masks(singles, rng), singles)
    unseen = frozenset({"Lm", "Ru"})
    found = atlas.probability(unseen)
    assert np.allclose(found, np.clip(atlas.of_zone[1] + atlas.of_zone[3], 0, 1), atol=1e-6)
    truth = box_masks([unseen] * 10, rng)
    assert score_masks([(atlas.mask(unseen), mask) for mask in truth]).dice_global > 0.8


def test_no_position_is_the_overall_mean_and_a_denial_is_empty():
    rng = np.random.default_rng(2)
    zones = [*drawn_sets(20, rng), None, None, frozenset()]
    masks = box_masks([each or frozenset({"Lu"}) if each is None else each for each in zones], rng)
    atlas = fit_atlas(masks, zones)
    assert np.allclose(atlas.probability(None), masks.mean(0), atol=1e-6)
    assert not atlas.probability(frozenset()).any()
    assert not atlas.mask(frozenset()).any()
    without = fit_atlas(masks[:20], zones[:20])
    assert np.allclose(without.of_zone, atlas.of_zone, atol=1e-5)  # they say nothing of the zones


def test_probabilities_stay_between_0_and_1_for_all_64_sets():
    rng = np.random.default_rng(3)
    zones = drawn_sets(12, rng)
    atlas = fit_atlas(box_masks(zones, rng), zones)
    for code in range(64):
        named = frozenset(zone for bit, zone in enumerate(ZONES) if code >> bit & 1)
        found = atlas.probability(named)
        assert found.dtype == np.float32
        assert found.shape == (SIDE, SIDE)
        assert 0 <= found.min() <= found.max() <= 1


def slow_left_out(masks, zones, number):
    """The atlas of all cases but one, fitted from the start, asked about that one; set means included."""
    kept = [index for index in range(len(zones)) if index != number]
    flat = masks[kept].reshape(len(kept), -1).astype(np.float64)
    codes = np.array([[zone in (zones[index] or ()) for zone in ZONES] for index in kept], float)
    maps = np.linalg.solve(codes.T @ codes + RIDGE * np.eye(6), codes.T @ flat)
    asked = zones[number]
    if asked is None:
        return flat.mean(0)
    if not asked:
        return np.zeros(flat.shape[1])
    parts = np.clip(np.array([zone in asked for zone in ZONES], float) @ maps, 0, 1)
    same = flat[[place for place, index in enumerate(kept) if zones[index] == asked]]
    return (same.sum(0) + TRUST * parts) / (len(same) + TRUST)


def test_the_threshold_is_the_best_when_every_case_is_left_out_in_turn():
    rng = np.random.default_rng(4)
    zones = [*drawn_sets(14, rng), None, frozenset()]
    masks = box_masks([zones[0] if each is None else each for each in zones], rng, 24)
    left_out = np.stack([slow_left_out(masks, zones, number) for number in range(len(zones))])
    truth = masks.reshape(len(masks), -1) > 0
    dice = [
        2 * ((left_out >= cut) & truth).sum() / ((left_out >= cut).sum() + truth.sum())
        for cut in CUTS
    ]
    threshold = fit_atlas(masks, zones).threshold
    assert dice[int(np.argmin(np.abs(CUTS - threshold)))] == pytest.approx(max(dice), abs=1e-3)


def test_one_labeled_case_makes_an_atlas_and_none_or_too_few_words_make_a_sentence():
    zones = [frozenset({"Lu"})]
    masks = box_masks(zones, np.random.default_rng(0))
    assert fit_atlas(masks, zones).probability(zones[0]).max() > 0
    with pytest.raises(SemiMedRefError, match="accept a mask"):
        fit_atlas(masks[:0], [])
    with pytest.raises(SemiMedRefError, match="not 1 and 2"):
        fit_atlas(masks, zones * 2)


@pytest.mark.skipif(not (SHARED_DATA / "qata").is_dir(), reason="the real-data folder is not there")
def test_on_real_films_the_words_alone_reach_half_of_the_dice():

    folder = SHARED_DATA / "qata"
    with (folder / "table.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    labeled = [row for row in rows if row["smallest_labeled_ratio"] in ("0.01", "0.02")]
    held = [row for row in rows if not row["smallest_labeled_ratio"]][:150]
    assert len(labeled) == 114
    places = {path.name: path for path in folder.rglob("mask_*")}

    def read(some):
        masks = np.stack([read_mask(places[row["mask"]])[::4, ::4] for row in some])
        return masks, [parse(row["raw_text"]).zones or None for row in some]

    atlas = fit_atlas(*read(labeled))
    masks, zones = read(held)
    scores = score_masks(
        [(atlas.mask(each), mask) for each, mask in zip(zones, masks, strict=True)]
    )
    assert scores.dice_global > 0.47
