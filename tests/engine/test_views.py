from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from little_films import describe, films

from training.config import ViewsConfig
from training.engine.inputs import strong_images, weak_views
from training.engine.streams import Key, derangement
from training.engine.views import (
    StrongDraw,
    WeakDraw,
    apply_strong,
    apply_weak,
    draw_strong,
    draw_weak,
    standardize,
)

BUSY = ViewsConfig(zoom_probability=1, jitter_probability=1, blur_probability=1)


def test_one_key_gives_the_same_pixels_in_any_order_and_any_company():
    forward, backward = (weak_views(films(order), BUSY) for order in ([0, 1, 2], [2, 0, 1]))
    alone = weak_views(films([2]), BUSY)
    assert torch.allclose(forward.images[2], backward.images[0], atol=1e-6)
    assert torch.allclose(forward.images[2], alone.images[0], atol=1e-6)
    strong = strong_images(forward, BUSY)
    assert torch.allclose(strong[2], strong_images(backward, BUSY)[0], atol=1e-6)
    assert torch.equal(forward.masks[2], backward.masks[0])


def test_other_seeds_epochs_and_cases_give_other_draws():
    draws = {
        draw_weak(Key(seed, case, epoch), BUSY)
        for seed in (0, 1)
        for case in ("a", "b")
        for epoch in (0, 1)
    }
    assert len(draws) == 8


def test_a_draw_does_not_depend_on_settings_it_has_nothing_to_do_with():
    key = Key(0, "a")
    assert draw_weak(key, BUSY) == draw_weak(key, BUSY.model_copy(update={"brightness": 0.0}))
    assert draw_strong(key, BUSY) == draw_strong(key, BUSY.model_copy(update={"shift": 0.0}))


def test_draws_stay_within_their_settings_can_be_written_as_json_and_said_in_words():
    for epoch in range(50):
        key = Key(3, "a", epoch)
        weak, strong = draw_weak(key, BUSY), draw_strong(key, BUSY)
        assert BUSY.zoom_min <= weak.zoom <= BUSY.zoom_max
        assert abs(weak.right) <= BUSY.shift
        assert abs(strong.contrast) <= BUSY.contrast
        assert 0 <= strong.blur <= BUSY.blur_sigma
        assert json.loads(json.dumps([asdict(weak), asdict(strong)]))
        assert weak.words().endswith(".")
        assert "Brightness" in strong.words()


def test_nothing_drawn_changes_nothing():
    batch = films([0, 1])
    images, masks = apply_weak(batch.images, batch.masks, [WeakDraw()] * 2)
    assert torch.allclose(images, batch.images, atol=1e-5)
    assert torch.equal(masks, batch.masks)
    assert torch.allclose(apply_strong(batch.images, [StrongDraw()] * 2), batch.images, atol=1e-6)


def test_a_shift_moves_image_and_mask_the_way_it_says():
    image = torch.zeros(1, 1, 20, 20)
    image[0, 0, 10, 5] = 1
    moved, mask = apply_weak(image, image, [WeakDraw(right=0.25, down=-0.1)])
    assert moved[0, 0, 8, 10] == pytest.approx(1, abs=1e-4)
    assert mask[0, 0, 8, 10] == 1
    assert mask.sum() == 1


def test_zoom_magnifies_about_the_center():
    mask = torch.zeros(1, 1, 40, 40)
    mask[0, 0, 15:25, 15:25] = 1
    _, larger = apply_weak(mask, mask, [WeakDraw(zoom=1.2)])
    assert larger.sum() == pytest.approx(144, abs=1)
    assert larger[0, 0, 14:26, 14:26].sum() == larger.sum()


def test_photometry_follows_its_definition_and_stays_in_range():
    image = torch.rand(2, 1, 8, 8)
    changed = apply_strong(image, [StrongDraw(0.2, 0.5), StrongDraw(-0.4, -0.3)])
    for number, (brightness, contrast) in enumerate([(1.2, 1.5), (0.6, 0.7)]):
        bright = image[number].numpy().astype(np.float64) * brightness
        expected = ((bright - bright.mean()) * contrast + bright.mean()).clip(0, 1)
        assert np.allclose(changed[number].numpy(), expected, atol=1e-6)
    assert apply_strong(image, [StrongDraw(1, 1)] * 2).max() <= 1


def test_blur_agrees_with_a_gaussian_filter_image_by_image():
    from scipy.ndimage import gaussian_filter

    image = torch.rand(2, 1, 32, 32)
    blurred = apply_strong(image, [StrongDraw(blur=0.03), StrongDraw(blur=0.01)])
    for number, sigma in enumerate((0.96, 0.32)):
        expected = gaussian_filter(image[number, 0].numpy(), sigma, mode="nearest", radius=3)
        assert np.allclose(blurred[number, 0].numpy(), expected, atol=1e-4)


def test_standardized_films_have_mean_zero_and_spread_one_and_flat_ones_are_zero():
    images = torch.cat([torch.rand(2, 1, 16, 16), torch.full((1, 1, 16, 16), 0.4)])
    done = standardize(images)
    assert torch.allclose(done[:2].mean((2, 3)), torch.zeros(2, 1), atol=1e-5)
    assert torch.allclose(done[:2].std((2, 3), correction=0), torch.ones(2, 1), atol=1e-4)
    assert torch.count_nonzero(done[2].abs() > 1e-2) == 0


@pytest.mark.parametrize("count", [2, 3, 8])
def test_nobody_is_his_own_partner(count):
    for seed in range(20):
        partners = derangement(count, np.random.default_rng(seed))
        assert sorted(partners) == list(range(count))
        assert not np.any(partners == np.arange(count))


def test_a_single_film_has_only_itself():
    assert derangement(1, np.random.default_rng(0)).tolist() == [0]


def test_the_words_of_the_films_are_left_alone_by_geometry():
    assert weak_views(films([0]), BUSY).texts == (describe("left"),)
