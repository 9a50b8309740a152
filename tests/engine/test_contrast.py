from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from openpyxl import Workbook
from PIL import Image

from training.engine.contrast import ContrastSet, from_films, from_folder
from training.engine.data import FilmPool
from training.engine.objectives import lv_loss
from training.engine.words import finding_of
from training.errors import EngineError
from training.report.finding import sides_of
from training.report.write import render
from training.report.zones import ZONES
from training.snapshot import SnapshotCase

REAL = Path(__file__).parents[3] / "shared" / "data" / "lvit_contrastive"
UPPER_LEFT = "Unilateral pulmonary infection, one infected area, upper left lung."
ALL_LEFT = "Unilateral pulmonary infection, three infected areas, all left lung."
UPPER_RIGHT = "Unilateral pulmonary infection, one infected area, upper right lung."
LOWER_LEFT = "Unilateral pulmonary infection, one infected area, lower left lung."
BOTH = "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung."
TEXTS = (UPPER_LEFT, ALL_LEFT, UPPER_RIGHT, BOTH)


def contrast_set(*texts: str) -> ContrastSet:
    return ContrastSet(texts, torch.rand(len(texts), 1, 4, 4))


def letters(texts) -> torch.Tensor:
    """Vectors by which left and right hardly differ: counts of a few words, the side weighs little."""
    words = ("one", "two", "upper", "lower", "all", "lung")
    rows = [[text.lower().count(word) + 0.1 for word in words] for text in texts]
    sides = [[0.01 * ("left" in text), 0.01 * ("right" in text)] for text in texts]
    return torch.cat([torch.tensor(rows), torch.tensor(sides)], 1)


def film_pool(texts: list[str], masks: torch.Tensor) -> FilmPool:
    cases = tuple(
        SnapshotCase(case_id=str(n), patient=str(n), image="", description=text, mask="m")
        for n, text in enumerate(texts)
    )
    return FilmPool(cases, torch.zeros(len(texts), 4, 4, dtype=torch.uint8), masks)


def test_lv_is_one_minus_the_cosine():
    mask = torch.tensor([[1.0, 1.0], [0.0, 0.0]])[None, None]
    same = lv_loss(mask, mask, torch.ones(1))
    beside = lv_loss(1 - mask, mask, torch.ones(1))
    # Cosine of (1, 1, 1, 1) and (1, 1, 0, 0): 2 / (2 * sqrt(2)).
    everywhere = lv_loss(torch.ones_like(mask), mask, torch.ones(1))
    assert same.item() == pytest.approx(0.0, abs=1e-6)
    assert beside.item() == pytest.approx(1.0, abs=1e-6)
    assert everywhere.item() == pytest.approx(1 - 2**-0.5, abs=1e-6)


def test_lv_pulls_a_prediction_towards_its_mask_and_leaves_the_others_alone():
    logits = torch.zeros(2, 1, 2, 2, requires_grad=True)
    masks = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(2, 1, 2, 2)
    lv_loss(torch.sigmoid(logits), masks, torch.tensor([1.0, 0.0])).backward()
    pull = -logits.grad
    assert pull[0, 0, 0, 0] > 0
    assert (pull[0].flatten()[1:] < 0).all()
    assert not pull[1].any()


def test_lv_without_any_mask_is_zero_with_a_gradient_of_zero():
    logits = torch.zeros(2, 1, 2, 2, requires_grad=True)
    loss = lv_loss(torch.sigmoid(logits), torch.zeros(2, 1, 2, 2), torch.zeros(2))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_the_same_zones_in_other_words_are_matched_exactly():
    other_words = "One infected area in the upper left lung."
    numbers = contrast_set(*TEXTS).match([other_words, BOTH, ALL_LEFT])
    assert numbers.tolist() == [0, 3, 1]


def test_without_the_same_zones_the_largest_overlap_on_the_same_sides_wins():
    middle = "Unilateral pulmonary infection, two infected areas, upper middle left lung."
    assert contrast_set(*TEXTS).match([middle]).tolist() == [1]
    assert contrast_set(UPPER_LEFT, BOTH).match([LOWER_LEFT]).tolist() == [-1]


@pytest.mark.parametrize("encode", [None, letters])
def test_laterality_is_never_matched_across(encode):
    only_left = contrast_set(UPPER_LEFT, ALL_LEFT)
    assert only_left.match([UPPER_RIGHT, BOTH], encode).tolist() == [-1, -1]
    mixed = contrast_set(UPPER_LEFT, ALL_LEFT, UPPER_RIGHT)
    assert mixed.match([UPPER_RIGHT], encode).tolist() == [2]


def arbitrary(texts) -> torch.Tensor:
    return torch.randn(len(texts), 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("encode", [None, arbitrary], ids=["by zones", "by any vectors"])
def test_of_all_sets_of_zones_none_is_matched_to_one_with_other_sides(encode):
    subsets = [zones for count in range(1, 7) for zones in combinations(ZONES, count)]
    texts = [render(zones) for zones in subsets]
    few = texts[::5]
    for known in (texts, few):
        numbers = contrast_set(*known).match(texts, encode).tolist()
        for zones, number in zip(subsets, numbers, strict=True):
            if number >= 0:
                found = finding_of(known[number]).zones
                assert sides_of(found) == sides_of(zones)
    assert encode is not None or contrast_set(*texts).match(texts).tolist() == list(range(63))


def test_by_cosine_the_text_with_the_nearest_vector_wins():
    chosen = contrast_set(ALL_LEFT, UPPER_LEFT).match([LOWER_LEFT], letters)
    vectors = torch.nn.functional.normalize(letters([LOWER_LEFT, ALL_LEFT, UPPER_LEFT]))
    expected = (vectors[:1] @ vectors[1:].T).argmax()
    assert chosen.tolist() == [int(expected)]


def test_a_description_without_certain_zones_or_without_a_finding_gets_no_mask():
    texts = ["Infection.", "No pulmonary infection, zero infected areas.", ""]
    contrasts = contrast_set(*TEXTS)
    numbers = contrasts.match(texts)
    assert numbers.tolist() == [-1, -1, -1]
    assert contrasts.match(texts, letters).tolist() == [-1, -1, -1]
    masks, counts = contrasts.masks_for(numbers)
    assert not masks.any()
    assert not counts.any()


def test_the_labeled_pool_gives_the_mean_mask_of_each_set_of_zones():
    masks = torch.zeros(4, 4, 4, dtype=torch.uint8)
    masks[0, 0, 0] = masks[1, 0, 0] = masks[1, 1, 1] = masks[2, 2, 2] = 1
    texts = [UPPER_LEFT, "One infected area, upper left lung.", UPPER_RIGHT, "Infection."]
    contrasts = from_films(film_pool(texts, masks))
    assert contrasts.texts == (UPPER_LEFT, UPPER_RIGHT)
    assert contrasts.masks.shape == (2, 1, 4, 4)
    assert contrasts.masks[0, 0, 0, 0] == 1
    assert contrasts.masks[0, 0, 1, 1] == 0.5
    assert contrasts.masks[1].sum() == 1


def write_folder(folder: Path, rows: list[tuple[str, str]], columns=("Image", "Description")):
    book = Workbook()
    book.active.append(columns)
    for row in rows:
        book.active.append(row)
    book.save(folder / "LV_loss.xlsx")
    grey = np.zeros((8, 8), np.uint8)
    grey[:, :2], grey[:, 2] = 255, 127
    Image.fromarray(grey).save(folder / "fig1.png")


def test_figures_are_cut_at_127_and_mirrored_where_left_is_the_patients(tmp_path):
    write_folder(tmp_path, [("fig1.png", UPPER_LEFT)])
    straight = from_folder(tmp_path, 8, "image").masks[0, 0]
    assert straight[0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert torch.equal(from_folder(tmp_path, 8, "patient").masks[0, 0], straight.flip(1))


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"LV_loss\.xlsx"):
        from_folder(tmp_path, 8, "image")
    write_folder(tmp_path, [("fig2.png", UPPER_LEFT)])
    with pytest.raises(EngineError, match=r"fig2\.png"):
        from_folder(tmp_path, 8, "image")
    write_folder(tmp_path, [("fig1.png", UPPER_LEFT)], columns=("Figure", "Description"))
    with pytest.raises(EngineError, match="image"):
        from_folder(tmp_path, 8, "image")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real-data folder is absent")
def test_the_published_contrastive_set_is_read_and_lies_on_the_sides_it_names():
    contrasts = from_folder(REAL, 64, "image")
    assert contrasts.masks.shape == (14, 1, 64, 64)
    assert set(contrasts.masks.unique().tolist()) == {0.0, 1.0}
    for text, mask in zip(contrasts.texts, contrasts.masks[:, 0], strict=True):
        halves = mask[:, :32].sum() > 0, mask[:, 32:].sum() > 0
        assert halves == ("left" in text, "right" in text)
    assert contrasts.match(contrasts.texts).tolist()[0] == 0
