"""Picture files as images and masks: depth, palette, camera orientation and mask polarity. Never transposes, never
flips, except where the file itself says that it must be turned to be seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from training.errors import FormatError
from training.formats.foreign import reading
from training.formats.options import Polarity
from training.pool.images import FORMATS, LUMINANCE, MAX_PIXELS

_ORIENTATION = 0x0112
_PLAIN = frozenset({"L", "RGB", "1", "P", "RGBA", "LA", "CMYK", "YCbCr"})


def usable_image(path: Path) -> Path | np.ndarray:
    """The picture as it may enter a project.

    Returns
    -------
    Path or (H, W) uint16 array
        The path where the file can be kept byte for byte; pixels where its depth or its camera orientation would
        be read wrongly: 10- to 14-bit pictures in 16-bit files are brought to full scale.

    Raises
    ------
    FormatError
        The file is missing, damaged, no picture, a stack of several, or too large.
    """
    with reading(path, "an image"):
        with Image.open(path, formats=FORMATS) as picture:
            _check(picture, path)
            turned = picture.getexif().get(_ORIENTATION, 1) not in (0, 1)
            if picture.mode in _PLAIN and not turned:
                return path
            pixels = np.asarray(ImageOps.exif_transpose(picture))
        if pixels.ndim == 3:
            luminance = pixels[..., :3].astype(np.float64) @ LUMINANCE
            gray: np.ndarray = np.rint(luminance * 257).astype(np.uint16)
            return gray
        return _full_scale(pixels, path, turned)


def _full_scale(pixels: np.ndarray, path: Path, turned: bool) -> Path | np.ndarray:
    values = np.asarray(pixels, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise FormatError(f"{path} holds values that are no numbers: save it as 8 or 16 bits.")
    if pixels.dtype.kind == "f":
        if low < 0 or high > 1:
            raise FormatError(
                f"{path} holds fractions from {low:g} to {high:g}: save it as 8 or 16 bits."
            )
        return np.rint(values * 65535).astype(np.uint16)
    if low < 0 or high > 65535:
        raise FormatError(f"{path} holds values from {low:g} to {high:g}: save it as 8 or 16 bits.")
    bits = 8 if pixels.dtype == np.uint8 else next(b for b in (10, 12, 14, 16) if high < 2**b)
    if bits == 16 and not turned and pixels.dtype == np.uint16:
        return path
    scaled: np.ndarray = np.rint(values * (65535 / (2**bits - 1))).astype(np.uint16)
    return scaled


def load_mask(path: Path, polarity: Polarity | None) -> np.ndarray:
    """Read a mask file.

    Values of 0 and 1, or of 0 and any one other, are taken as they are; many grey values (a soft edge, JPEG) are cut
    at half of full scale. Colors count by their strongest channel.

    Parameters
    ----------
    polarity : {"normal", "inverted"} or None
        See `with_polarity`.

    Returns
    -------
    (H, W) uint8, 0 or 1

    Raises
    ------
    FormatError
        As `usable_image`; or the mask holds several labels, or seems inverted and nobody said whether it is.
    """
    with reading(path, "a mask"), Image.open(path, formats=FORMATS) as picture:
        _check(picture, path)
        shown = picture.convert("RGB") if picture.mode in ("P", "RGBA", "LA", "CMYK") else picture
        pixels = np.asarray(ImageOps.exif_transpose(shown))
    if pixels.ndim == 3:
        pixels = pixels.max(axis=2)
    return with_polarity(binary(pixels, str(path)), polarity, str(path))


def binary(pixels: np.ndarray, what: str) -> np.ndarray:
    """Foreground ``(H, W) uint8, 0 or 1`` of a mask's values; ``what`` is its name in sentences.

    Raises
    ------
    FormatError
        It has several labels, or values below zero or that are no numbers.
    """
    values = np.unique(pixels)
    if not np.isfinite(values.astype(np.float64)).all() or values[0] < 0:
        raise FormatError(f"{what} holds values below zero or no numbers: this is no mask.")
    if len(values) == 1:
        return np.full(pixels.shape, values[0] > 0, np.uint8)
    if len(values) == 2 and values[0] == 0:
        return (pixels > 0).astype(np.uint8)
    if values[-1] <= 40:
        labels = ", ".join(f"{value:g}" for value in values[:6])
        raise FormatError(f"{what} holds several labels ({labels}): keep one of them per mask.")
    full = 255 if values[-1] <= 255 else 65535
    return (pixels.astype(np.float64) * 2 > full).astype(np.uint8)


def with_polarity(mask: np.ndarray, polarity: Polarity | None, what: str) -> np.ndarray:
    """Turn an inverted mask round, if somebody said that it is one; never guess.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
    polarity : {"normal", "inverted"} or None
        None refuses a mask that looks inverted: more than half of its rim, or more than 80 % of all of it, is
        foreground. (Of 1,900 QaTa masks 8 cover more than half of the film, none more than a fifth of its rim.)

    Raises
    ------
    FormatError
        The mask looks inverted and ``polarity`` is None.
    """
    if polarity == "inverted":
        return (1 - mask).astype(np.uint8)
    if polarity is None and mask.size:
        rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
        if mask.mean() > 0.8 or rim > 0.5:
            raise FormatError(
                f"{what} seems to be inverted: {mask.mean():.0%} of it, and {rim:.0%} of its rim, is "
                "foreground; say which it is with --mask-polarity inverted or --mask-polarity normal."
            )
    return mask


def _check(picture: Image.Image, path: Path) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise FormatError(
            f"{path} has {picture.width} x {picture.height} pixels, more than 8192 x 8192: make it smaller."
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise FormatError(f"{path} holds {frames} pictures: save each as a file of its own.")
