"""Picture files: every depth keeps its gray values and its sides, and a mask's polarity is asked for, never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from made import SHARED_DATA
from made_sources import left_film, left_mask
from PIL import Image

from training.errors import FormatError
from training.formats.pictures import load_mask, usable_image
from training.pool.images import read_image

TRAP = SHARED_DATA / "lung_mask_jpeg_trap"


def _pixels(image):
    return read_image(image) if not isinstance(image, np.ndarray) else image / np.float32(65535)


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "bmp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_eight_bit_pictures_are_kept_as_files_with_their_values(tmp_path, ending, mode):
    path = tmp_path / f"x.{ending}"
    Image.fromarray(left_film()).convert(mode).save(path, quality=98)
    assert usable_image(path) == path
    assert np.abs(read_image(path) - left_film() / 255).max() < 0.03


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_deep_pictures_come_in_at_full_scale(tmp_path, bits, ending):
    full = 2**bits - 1
    stored = np.rint(left_film() / 220 * full).astype(np.uint16)
    Image.fromarray(stored).save(tmp_path / f"x.{ending}")
    assert np.allclose(_pixels(usable_image(tmp_path / f"x.{ending}")), stored / full, atol=1e-4)


def test_a_picture_that_the_camera_marks_as_turned_is_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be seen, turn clockwise
    Image.fromarray(np.rot90(left_film())).save(tmp_path / "x.png", exif=exif)
    assert np.allclose(_pixels(usable_image(tmp_path / "x.png")), left_film() / 255, atol=1e-3)


@pytest.mark.parametrize("foreground", [1, 2, 128, 255])
def test_a_mask_of_two_values_is_taken_as_it_is(tmp_path, foreground):
    Image.fromarray(left_mask() * np.uint8(foreground)).save(tmp_path / "m.png")
    assert np.array_equal(load_mask(tmp_path / "m.png", None), left_mask())


def test_masks_of_sixteen_bits_palettes_and_colors_keep_their_foreground(tmp_path):
    Image.fromarray(left_mask().astype(np.uint16)).save(tmp_path / "deep.png")
    palette = Image.fromarray(left_mask(), mode="P")
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(tmp_path / "palette.png")
    red = np.zeros((*left_mask().shape, 3), np.uint8)
    red[..., 0] = left_mask() * 255
    Image.fromarray(red).save(tmp_path / "red.png")
    for name in ("deep", "palette", "red"):
        assert np.array_equal(load_mask(tmp_path / f"{name}.png", None), left_mask()), name


def test_gray_halos_and_jpeg_noise_fall_to_the_nearer_side(tmp_path):
    mask = left_mask() * np.uint8(255)
    Image.fromarray(mask).save(tmp_path / "m.jpg", quality=85)
    assert len(np.unique(np.asarray(Image.open(tmp_path / "m.jpg")))) > 5
    assert np.array_equal(load_mask(tmp_path / "m.jpg", None), left_mask())
    mask[0, :2] = (100, 140)
    Image.fromarray(mask).save(tmp_path / "m.png")
    expected = left_mask()
    expected[0, 1] = 1
    assert np.array_equal(load_mask(tmp_path / "m.png", None), expected)


def test_an_inverted_mask_is_refused_until_somebody_says_so(tmp_path):
    Image.fromarray((1 - left_mask()) * np.uint8(255)).save(tmp_path / "m.png")
    with pytest.raises(FormatError, match=r"96% of it.*--mask-polarity inverted"):
        load_mask(tmp_path / "m.png", None)
    assert np.array_equal(load_mask(tmp_path / "m.png", "inverted"), left_mask())
    assert np.array_equal(load_mask(tmp_path / "m.png", "normal"), 1 - left_mask())


def test_a_mask_of_several_labels_is_refused_with_them_named(tmp_path):
    mask = left_mask() * np.uint8(2)
    mask[0, 0] = 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    with pytest.raises(FormatError, match=r"several labels \(0, 1, 2\)"):
        load_mask(tmp_path / "m.png", None)


def test_a_stack_of_pictures_and_fractions_beyond_one_are_refused(tmp_path):
    frames = [Image.fromarray(left_film()) for _ in range(3)]
    frames[0].save(tmp_path / "s.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(FormatError, match="holds 3 pictures"):
        usable_image(tmp_path / "s.tif")
    Image.fromarray(left_film().astype(np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(FormatError, match="save it as 8 or 16 bits"):
        usable_image(tmp_path / "f.tif")


@pytest.mark.skipif(not TRAP.is_dir(), reason="the real pictures are not at hand")
def test_the_real_inverted_jpeg_masks_are_refused_and_turn_right_when_asked():
    masks = sorted(TRAP.glob("mask_*.jpg"))
    assert len(masks) == 2
    for path in masks:
        with pytest.raises(FormatError, match="100% of its rim"):
            load_mask(path, None)
        mask = load_mask(path, "inverted")
        assert 0.1 < mask.mean() < 0.5
        assert mask[0].max() == mask[-1].max() == 0
