from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from little_films import draw_film, write_case
from PIL import Image

from training.engine.data import CaseOrder, load_films, shrink_image, shrink_mask


def load(root, cases, side=32, masks=True):
    warnings: list[str] = []
    return load_films(Path(root), tuple(cases), side, warnings.append, masks), warnings


def test_films_are_decoded_without_turning_or_mirroring(tmp_path):
    cases = [write_case(tmp_path, number, True) for number in range(2)]
    pool, warnings = load(tmp_path, cases, side=48)
    assert not warnings
    for number in range(2):
        image, mask, _ = draw_film(number)
        assert np.array_equal(pool.images[number].numpy(), image)
        assert np.array_equal(pool.masks[number].numpy(), mask)


def test_sixteen_bit_and_color_films_give_the_same_bytes(tmp_path):
    gray = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    case = write_case(tmp_path, 0, False)
    for picture in (
        Image.fromarray(gray),
        Image.fromarray(gray.astype(np.uint16) * 257),
        Image.fromarray(np.stack([gray] * 3, axis=2)),
    ):
        picture.save(tmp_path / case.image)
        pool, _ = load(tmp_path, [case], masks=False)
        assert np.array_equal(pool.images[0].numpy(), gray)


def test_a_broken_film_is_left_out_with_a_warning_that_names_it(tmp_path):
    good, broken, gone = (write_case(tmp_path, number, True) for number in range(3))
    (tmp_path / broken.image).write_bytes(b"no picture")
    (tmp_path / gone.image).unlink()
    pool, warnings = load(tmp_path, [good, broken, gone])
    assert [case.case_id for case in pool.cases] == [good.case_id]
    assert len(warnings) == 2
    assert broken.case_id in warnings[0]
    assert gone.case_id in warnings[1]


def test_a_mask_of_another_size_than_its_film_is_left_out_with_both_sizes_named(tmp_path):
    case = write_case(tmp_path, 0, True)
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(tmp_path / case.mask)
    pool, warnings = load(tmp_path, [case])
    assert len(pool) == 0
    assert "20 x 10" in warnings[0]
    assert "48 x 48" in warnings[0]


def test_films_of_any_shape_fill_the_square_and_keep_their_place():
    image = np.zeros((40, 80), np.float32)
    image[:, :40] = 1
    small = shrink_image(image, 32)
    assert small.shape == (32, 32)
    assert small[:, :15].min() == 255
    assert small[:, 17:].max() == 0
    mask = shrink_mask(image.astype(np.uint8), 32)
    assert mask.sum() == 32 * 16


def test_every_pass_shows_every_case_once_and_any_batch_can_be_told_alone():
    order = CaseOrder(7, seed=3, name="labeled")
    picks = [pick for number in range(7) for pick in order.batch(number, 4)]
    for epoch in range(4):
        assert sorted(n for n, e in picks if e == epoch) == list(range(7))
    assert CaseOrder(7, 3, "labeled").batch(5, 4) == picks[20:24]
    assert [n for n, e in picks if e == 0] != [n for n, e in picks if e == 1]


@pytest.mark.parametrize("count", [1, 3])
def test_a_pool_smaller_than_a_batch_is_passed_again(count):
    numbers = [number for number, _ in CaseOrder(count, 0, "x").batch(0, 8)]
    assert len(numbers) == 8
    assert set(numbers) == set(range(count))


def test_a_batch_carries_keys_words_and_pixels_of_its_cases(tmp_path):
    pool, _ = load(tmp_path, [write_case(tmp_path, n, True) for n in range(3)], side=48)
    films = pool.films([(2, 0), (0, 5)], 9, torch.device("cpu"))
    assert [(k.seed, k.case_id, k.epoch) for k in films.keys] == [
        (9, "film_002", 0),
        (9, "film_000", 5),
    ]
    assert films.texts[0] == draw_film(2)[2]
    assert torch.equal((films.images[1, 0] * 255).byte(), pool.images[0])
    assert films.masks.unique().tolist() == [0, 1]
