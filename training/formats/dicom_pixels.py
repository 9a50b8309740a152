"""From stored DICOM values to a picture as a viewer shows it: rescale, window or lookup table, black and white the
right way round, the patient the right way up."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import UID

from training.errors import FormatError
from training.formats.dicom_decoder import stored_pixels
from training.formats.options import LUNG_WINDOW
from training.formats.turning import Turn, letter_of, turn_for
from training.pool.images import LUMINANCE, MAX_PIXELS

_CODESTREAM = b"\xff\x4f\xff\x51"


def picture_of(header: Dataset, window: tuple[float, float] | None) -> tuple[np.ndarray, Turn]:
    """Decode, rescale, window and turn one image.

    Parameters
    ----------
    header : Dataset
        With its pixel data.
    window : (center, width) or None
        Instead of the file's own window or lookup table, in rescaled units.

    Returns
    -------
    (H, W) uint16
        0 is black, 65535 white; MONOCHROME1 is already inverted.
    Turn
        How the stored grid was turned.
    """
    check_size(header)
    stored = stored_pixels(header)
    meaning = str(header.PhotometricInterpretation)
    if meaning == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)
    if stored.ndim == 3:
        gray = _luminance(stored)
    else:
        gray = _windowed(stored, header, window)
        if meaning == "MONOCHROME1":
            gray = 1.0 - gray
    turn = turn_of(header) or Turn()
    return turn.apply(np.rint(np.clip(gray, 0, 1) * 65535).astype(np.uint16)), turn


def check_size(header: Dataset) -> None:
    """Refuse what cannot be one flat picture of a sane size, before anything is decoded.

    Raises
    ------
    FormatError
        It holds no picture or several frames, claims more than `MAX_PIXELS`, or states two different sizes.
    """
    rows, columns = int(header.get("Rows", 0) or 0), int(header.get("Columns", 0) or 0)
    if not rows or not columns or "PixelData" not in header:
        kind = UID(str(header.get("SOPClassUID", ""))).name or "an object of unknown kind"
        raise FormatError(f"It holds no picture ({kind}): leave it out.")
    if int(header.get("NumberOfFrames", 1) or 1) > 1:
        raise FormatError(
            f"It holds {header.NumberOfFrames} frames: convert it to single-frame files first."
        )
    declared = [(rows, columns)]
    at = bytes(header.PixelData[:65536]).find(_CODESTREAM)
    if at >= 0:  # a JPEG 2000 stream states its own size, and its decoder believes it
        size = header.PixelData[at + 8 : at + 16]
        declared.append((int.from_bytes(size[4:8], "big"), int.from_bytes(size[:4], "big")))
    for height, width in declared:
        if height * width > MAX_PIXELS:
            raise FormatError(
                f"It claims {width} x {height} pixels, more than 8192 x 8192: make it smaller."
            )
    if declared[-1] != (rows, columns):
        raise FormatError("Its header and its compressed picture differ in size: it is damaged.")


def turn_of(header: Dataset) -> Turn | None:
    """How the stored grid must be turned; None where the header does not say how the patient lies."""
    directions = header.get("ImageOrientationPatient")
    if directions is not None and len(directions) == 6:
        values = np.array([float(value) for value in directions])
        if np.isfinite(values).all() and np.abs(values).max() > 0.1:
            return turn_for(letter_of(values[:3]), letter_of(values[3:]))
    letters = header.get("PatientOrientation")
    if letters is not None and not isinstance(letters, str) and len(letters) == 2:
        return turn_for(str(letters[0]), str(letters[1]))
    return None


def _windowed(
    stored: np.ndarray, header: Dataset, window: tuple[float, float] | None
) -> np.ndarray:
    values = np.asarray(apply_modality_lut(stored, header), dtype=np.float64)
    table = header.get("VOILUTSequence")
    if window is None and table and len(table[0].LUTDescriptor) == 3:
        shown = np.asarray(apply_voi(np.rint(values).astype(np.int64), header), dtype=np.float64)
        gray: np.ndarray = shown / max(2.0 ** int(table[0].LUTDescriptor[2]) - 1, shown.max(), 1.0)
        return gray
    function = str(header.get("VOILUTFunction", "") or "LINEAR").upper()
    if window is None:
        window = _own_window(header)
    if window is not None:
        return window_values(values, *window, function)
    inside = stored != header.PixelPaddingValue if "PixelPaddingValue" in header else None
    seen = values[inside] if inside is not None and inside.any() else values
    low, high = np.percentile(seen, (0.1, 99.9))
    if high <= low:
        low, high = float(seen.min()), float(seen.max())
    stretched: np.ndarray = (values - low) / max(high - low, 1e-12)
    return stretched


def _own_window(header: Dataset) -> tuple[float, float] | None:
    center, width = header.get("WindowCenter"), header.get("WindowWidth")
    first = [
        value[0]
        if hasattr(value, "__len__") and not isinstance(value, str) and len(value)
        else value
        for value in (center, width)
    ]
    if all(value not in (None, "") for value in first) and float(first[1]) > 0:
        return float(first[0]), float(first[1])
    computed = "CT Image Storage" in UID(str(header.get("SOPClassUID", ""))).name
    return LUNG_WINDOW if computed or header.get("Modality") == "CT" else None


def window_values(
    values: np.ndarray, center: float, width: float, function: str = "LINEAR"
) -> np.ndarray:
    """Apply a window: DICOM PS3.3, C.11.2.1.2, with output 0 to 1.

    Parameters
    ----------
    values : float array of any shape
        In rescaled units, as are ``center`` and ``width`` (above 0).
    function : {"LINEAR", "LINEAR_EXACT", "SIGMOID"}
    """
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -700, 700)))
    if function == "LINEAR_EXACT" or width <= 1:
        return np.clip((values - center) / width + 0.5, 0, 1)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def _luminance(colors: np.ndarray) -> np.ndarray:
    """Gray of RGB ``(H, W, 3)``, 0 to 1; pydicom has brought other color spaces to RGB already."""
    if colors.shape[-1] != 3:
        raise FormatError("It holds no flat picture: convert it to single-frame files first.")
    full = float(np.iinfo(colors.dtype).max)
    gray: np.ndarray = (colors.astype(np.float64) / full) @ LUMINANCE
    return gray
