"""Pixels in and out of files: our own 2-D loader and mask codec, which never transpose and never flip.

Rows are the picture's rows from the top, columns its columns from the left, as every image viewer shows them.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from training.errors import FormatError

MAX_PIXELS = 8192 * 8192
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue (ITU-R BT.601)
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")  # Pillow would hand others (EPS) to outside programs
_FULL_SCALE = {"L": 255.0, "RGB": 255.0, "I;16": 65535.0, "I;16B": 65535.0, "1": 1.0}


def read_image(path: Path) -> np.ndarray:
    """Read a 2-D image.

    Returns
    -------
    (H, W) float32 in [0, 1]
        8- and 16-bit files are divided by their full scale; colors become luminance.

    Raises
    ------
    FormatError
        The file is missing, damaged or no image; the sentence names it.
    """
    picture = _open(path)
    mode = picture.mode if picture.mode in _FULL_SCALE else "RGB"
    picture = picture if picture.mode == mode else picture.convert(mode)
    pixels = np.asarray(picture, dtype=np.float32) / _FULL_SCALE[mode]
    if pixels.ndim == 3:
        pixels = pixels @ LUMINANCE.astype(np.float32)
    return np.ascontiguousarray(pixels, dtype=np.float32)


def pseudo_mask(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Foreground ``(H, W) uint8, 0 or 1`` where a probability ``(H, W) float in [0, 1]`` reaches the threshold."""
    return (probability >= threshold).astype(np.uint8)


def read_mask(path: Path) -> np.ndarray:
    """Read a mask and cut it at half its full scale, so that grey halos fall to the nearer side.

    Returns
    -------
    (H, W) uint8, 0 or 1
    """
    pixels = read_image(path)
    if pixels.max() * 255 <= 1.5:  # a mask of zeros and ones, in a file of whatever depth
        return (pixels > 0).astype(np.uint8)
    return (pixels >= 0.5).astype(np.uint8)


def _open(path: Path) -> Image.Image:
    if not path.is_file():
        raise FormatError(f"{path} does not exist: check the folder and the name in the table.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise FormatError(
                    f"{path} has {picture.width} x {picture.height} pixels, more than 8192 x 8192: make it smaller."
                )
            picture.load()
    except FormatError:
        raise
    except Exception as error:  # damaged bytes make its parsers raise anything
        raise FormatError(
            f"{path} is damaged or is not an image: replace it or leave the case out."
        ) from error
    return picture


def encode_gray(pixels: np.ndarray) -> bytes:
    """Encode ``(H, W) uint8 or uint16`` as PNG bytes of the same depth."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def encode_mask(mask: np.ndarray) -> bytes:
    """Encode a mask ``(H, W) uint8, 0 or 1`` as an 8-bit PNG of 0 and 255."""
    return encode_gray((np.asarray(mask) > 0).astype(np.uint8) * 255)


def decode_mask(content: bytes) -> np.ndarray:
    """Decode what `encode_mask` wrote to ``(H, W) uint8, 0 or 1``."""
    with Image.open(io.BytesIO(content)) as picture:
        return (np.asarray(picture) > 127).astype(np.uint8)


def resize_probability(probability: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring a probability map ``(h, w) float32 in [0, 1]`` to ``shape`` by bilinear interpolation."""
    if probability.shape == shape:
        return probability
    picture = Image.fromarray(np.asarray(probability, dtype=np.float32), mode="F")
    resized = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized, dtype=np.float32), 0.0, 1.0)
