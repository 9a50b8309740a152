"""NIfTI volumes as cases, a slice each, shown as slices are read whatever way the file stores them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from training.errors import FormatError
from training.formats.findings import Found, Note, Trouble
from training.formats.foreign import reading
from training.formats.names import key_of, plain_stem
from training.formats.options import LUNG_WINDOW, ReadOptions
from training.formats.pairs import Pair, find_pairs
from training.formats.patients import PatientRule
from training.formats.pictures import binary, with_polarity
from training.formats.texts import Texts, read_texts
from training.pool.records import IncomingCase

SUFFIXES = frozenset({".nii", ".nii.gz"})
MAX_BYTES = 2 * 1024**3
Plane = Literal["axial", "coronal", "sagittal"]
_NORMAL = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True)
class Volume:
    """A volume in canonical order: its axes run toward the patient's right, front and head (RAS+).

    Attributes
    ----------
    values : (X, Y, Z) float32
    affine : (4, 4) float64
        From voxel indices to millimeters, RAS+.
    oriented : bool
        Whether the file says how the patient lies.
    """

    values: np.ndarray
    affine: np.ndarray
    oriented: bool


def read_nifti(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read one volume, or all below a folder with the label volumes that belong to them.

    Raises
    ------
    FormatError
        There is no volume. A damaged one is a `Trouble` and stops nothing.
    """
    texts = read_texts([options.texts], options.text_column) if options.texts else Texts()
    rule = PatientRule(options.patient_rule)
    pairs = _pairs(source)
    if not any(isinstance(found, Pair) for found in pairs):
        raise FormatError(f"{source} holds no NIfTI volumes (.nii, .nii.gz): give another folder.")
    masks = 0
    for found in pairs:
        if isinstance(found, Trouble):
            yield found
            continue
        masks += found.mask is not None
        withheld = int(masks * options.labels) <= int((masks - 1) * options.labels)
        try:
            yield from _slices(found, options, rule, texts, withheld)
        except FormatError as error:
            yield Trouble(found.name, str(error))


def _pairs(source: Path) -> list[Pair | Trouble]:
    if source.is_file():
        return [Pair(source, None, source.name, plain_stem(source.name), None)]
    return list(find_pairs(source, SUFFIXES))


def load_volume(path: Path) -> Volume:
    """Read a volume and turn it to canonical order.

    Raises
    ------
    FormatError
        It is damaged, not 3-D, holds values that are no numbers, or is larger than 2 GB.
    """
    import nibabel

    with reading(path, "a NIfTI volume"):
        image = nibabel.Nifti1Image.from_filename(path)
        shape = tuple(image.shape)
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        shape = shape + (1,) * (3 - len(shape))
        if len(shape) != 3 or min(shape) < 1 or image.get_data_dtype().names:
            raise FormatError(f"{path} is {image.shape}: give 2-D or 3-D volumes of plain numbers.")
        if np.prod(shape, dtype=np.float64) * 4 > MAX_BYTES:
            raise FormatError(f"{path} claims {shape} voxels, more than 2 GB: divide it.")
        values = np.asarray(image.dataobj, dtype=np.float32).reshape(shape)
        if not np.isfinite(values).all() or not np.isfinite(image.affine).all():
            raise FormatError(f"{path} holds values that are no numbers: repair it.")
        oriented = bool(image.header["qform_code"] or image.header["sform_code"])
        turned = nibabel.as_closest_canonical(nibabel.Nifti1Image(values, image.affine))
        return Volume(np.asarray(turned.dataobj), turned.affine, oriented)


def _slices(
    pair: Pair, options: ReadOptions, rule: PatientRule, texts: Texts, withheld: bool
) -> Iterator[Found]:
    volume = load_volume(pair.image)
    labels = None if pair.mask is None else _labels(pair.mask, volume)
    low, high = _window(volume.values, options.window)
    normal = flat_axis(volume, options.plane)
    patient = rule(key_of(pair.relative) if options.patient_rule == "auto" else pair.relative)
    if not volume.oriented:
        yield Note(
            pair.name, f"{pair.relative} does not say how the patient lies: check its sides."
        )
    for index in range(0, volume.values.shape[normal], options.every):
        name = f"{pair.name}_{index:04d}"
        shown = (slice_of(volume.values, normal, index) - low) / (high - low)
        mask = None
        if labels is not None:
            mask = with_polarity(slice_of(labels, normal, index), options.mask_polarity, name)
        yield IncomingCase(
            name=name,
            image=np.rint(np.clip(shown, 0, 1) * 65535).astype(np.uint16),
            description=texts.of(name, pair.relative),
            patient=patient,
            split=pair.split,
            mask=None if withheld else mask,
            hidden_mask=mask if withheld else None,
            source={
                "kind": "nifti",
                "affine": grid_of(volume, normal, index).tolist(),
                "oriented": volume.oriented,
            },
        )


def slice_of(values: np.ndarray, normal: int, index: int) -> np.ndarray:
    """A slice as it is read: the patient's right on the left, the front or the head up; side views face left.

    Parameters
    ----------
    values : (I, J, K) array
        Voxels in canonical order (RAS+).
    normal : {0, 1, 2}
        The axis across the slices.

    Returns
    -------
    (H, W) array
    """
    plane = np.take(values, index, axis=normal)
    return np.ascontiguousarray(plane[::-1, ::-1].T)


def slices_of(values: np.ndarray, normal: int) -> list[np.ndarray]:
    """All slices of a volume ``(I, J, K)``, each ``(H, W)`` as `slice_of` shows it."""
    return [slice_of(values, normal, index) for index in range(values.shape[normal])]


def grid_of(volume: Volume, normal: int, index: int) -> np.ndarray:
    """The affine ``(4, 4)`` from (column, row, 0) of `slice_of` to millimeters, RAS+."""
    across, down = [axis for axis in range(3) if axis != normal]
    corner = np.zeros(4)
    corner[[across, down, normal, 3]] = (
        volume.values.shape[across] - 1,
        volume.values.shape[down] - 1,
        index,
        1,
    )
    grid = np.eye(4)
    grid[:, 0], grid[:, 1] = -volume.affine[:, across], -volume.affine[:, down]
    grid[:, 2], grid[:, 3] = volume.affine[:, normal], volume.affine @ corner
    return grid


def flat_axis(volume: Volume, plane: Plane) -> int:
    """The axis along which a volume is sliced: the one of a single voxel if there is one, else the plane's."""
    flat = [axis for axis, size in enumerate(volume.values.shape) if size == 1]
    return flat[0] if len(flat) == 1 else _NORMAL[plane]


def _labels(path: Path, volume: Volume) -> np.ndarray:
    labels = load_volume(path)
    if labels.values.shape != volume.values.shape or not np.allclose(
        labels.affine, volume.affine, atol=1e-2
    ):
        raise FormatError(
            f"{path} does not lie on the grid of its image: resample it to that grid first."
        )
    return binary(labels.values, str(path))


def _window(values: np.ndarray, asked: tuple[float, float] | None) -> tuple[float, float]:
    if asked is None and values.min() <= -500:  # only Hounsfield units go that low
        asked = LUNG_WINDOW
    if asked is not None:
        return asked[0] - asked[1] / 2, asked[0] + asked[1] / 2
    low, high = np.percentile(values, (0.1, 99.9))
    if high <= low:
        low, high = values.min(), values.max()
    return float(low), float(max(high, low + 1e-6))
