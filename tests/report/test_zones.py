"""Zones and pixels: boxes, zones of masks, learned bands and readers, proposed descriptions."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from tests.report.real import QATA, needs_qata
from tests.report.strategies import ALL_FINDINGS
from training.report import (
    STYLES,
    THIRDS,
    ZONES,
    Bands,
    ReportError,
    describe,
    learn_bands,
    learn_zone_reader,
    lung_bands,
    parse,
    zone_boxes,
    zone_vector,
    zones_of,
)

CUTS = Bands(upper=(0.0, 0.36), middle=(0.36, 0.45), lower=(0.45, 1.0))


def drawn(zones: frozenset[str], convention: str = "image", bands: Bands = THIRDS) -> np.ndarray:
    """A mask with one block in the middle of each zone's box."""
    mask = np.zeros((120, 90), np.uint8)
    for zone, (y0, x0, y1, x1) in zone_boxes(mask.shape, bands, convention).items():
        if zone in zones:
            mask[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4] = 1
    return mask


def test_thirds_are_the_six_boxes_of_the_picture() -> None:
    boxes = zone_boxes((90, 60))
    assert boxes["Lu"] == (0, 0, 30, 30)
    assert boxes["Rl"] == (60, 30, 90, 60)
    assert tuple(boxes) == ZONES
    assert zone_boxes((90, 60), convention="patient")["Lu"] == boxes["Ru"]


@pytest.mark.parametrize("convention", ["image", "patient"])
@pytest.mark.parametrize("style", STYLES)
def test_all_64_findings_survive_drawing_describing_and_reading(
    convention: str, style: str
) -> None:
    for zones in ALL_FINDINGS:
        mask = drawn(zones, convention)
        assert zones_of(mask, THIRDS, convention) == zones
        finding = parse(describe(mask, THIRDS, convention, style))
        assert (finding.zones, finding.reading, finding.conflict) == (zones, "clear", False)


def test_a_description_counts_the_separate_parts() -> None:
    mask = drawn(frozenset({"Lu", "Ll", "Rm"}))
    assert describe(mask).startswith("Bilateral pulmonary infection, three infected areas")
    assert describe(np.zeros((9, 9), np.uint8)) == "No pulmonary infection, zero infected areas."


def test_a_corner_of_a_lesion_does_not_make_a_zone() -> None:
    mask = np.zeros((90, 60), np.uint8)
    mask[29:60, 5:25] = 1
    assert zones_of(mask) == {"Lm"}
    assert zones_of(mask, Bands(least=0.0)) == {"Lu", "Lm"}


def test_learned_bands_find_the_cuts_that_made_the_zones() -> None:
    rng = np.random.default_rng(0)
    masks = []
    for _ in range(150):
        mask = np.zeros((100, 80), np.uint8)
        for left in (5, 45):
            top = rng.integers(0, 80)
            mask[top : top + rng.integers(8, 20), left : left + 20] = 1
        masks.append(mask)
    zones = [zones_of(mask, CUTS) for mask in masks]
    learned = learn_bands(masks, zones)

    def right(bands: Bands) -> float:
        return np.mean([zones_of(m, bands) == z for m, z in zip(masks, zones, strict=True)])

    assert right(learned) > max(0.8, right(THIRDS) + 0.3)


def test_bands_lie_on_the_lungs() -> None:
    bands = lung_bands(np.array([[0.2, 0.8], [0.2, 0.8]]))
    assert bands.middle == pytest.approx((0.4, 0.6))
    assert (bands.upper[0], bands.lower[1]) == (0.0, 1.0)


def test_impossible_bands_zones_and_conventions_are_refused() -> None:
    with pytest.raises(ReportError, match="'middle' runs"):
        Bands(middle=(0.6, 0.4))
    with pytest.raises(ReportError, match="no zone"):
        zone_vector(["Xx"])
    with pytest.raises(ReportError, match="convention"):
        zone_boxes((9, 9), convention="reader")
    with pytest.raises(ReportError, match="pairs"):
        learn_bands([], [])
    with pytest.raises(ReportError, match="use bands"):
        learn_zone_reader([drawn(frozenset({"Lu"}))], [{"Lu"}])


def test_zone_vectors_follow_the_order_of_the_zones() -> None:
    assert zone_vector({"Lu", "Rl"}).tolist() == [1, 0, 0, 0, 0, 1]
    assert zone_vector(()).dtype == np.float32


@needs_qata
def test_zones_learned_from_the_pool_fit_films_never_seen_clearly_better_than_fixed_cuts() -> None:
    train, valid = _films("train", 700), _films("valid", 300)
    reader = learn_zone_reader(
        [m for _, m, _ in train], [z for _, _, z in train], [i for i, _, _ in train]
    )
    bands = learn_bands([m for _, m, _ in train], [z for _, _, z in train])
    exact = {
        "thirds": np.mean([zones_of(m) == z for _, m, z in valid]),
        "cuts": np.mean([zones_of(m, CUTS) == z for _, m, z in valid]),
        "bands": np.mean([zones_of(m, bands) == z for _, m, z in valid]),
        "reader": np.mean([reader.zones(m, i) == z for i, m, z in valid]),
    }
    assert exact["thirds"] < exact["cuts"] < exact["bands"] < exact["reader"]
    assert exact["reader"] > exact["cuts"] + 0.05


def _films(split: str, most: int) -> list[tuple[np.ndarray, np.ndarray, frozenset[str]]]:
    with (QATA / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split][:most]
    films = []
    for row in rows:
        zones = parse(row["raw_text"]).zones
        if zones:
            image = np.array(Image.open(QATA / split / "images" / row["image"]).convert("L"))
            mask = np.array(Image.open(QATA / split / "masks" / row["mask"]).convert("L")) > 127
            films.append((image, mask.astype(np.uint8), zones))
    return films
