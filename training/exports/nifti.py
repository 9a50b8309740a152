"""NIfTI: one single-slice volume for each image and each mask, on the grid the image came from."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

import nibabel
import numpy as np

from training.exports.folder import ExportFolder, provenance
from training.exports.grids import grid_of
from training.exports.selection import Chosen
from training.pool import Project
from training.pool.sources import read_source


def write_nifti(
    project: Project, chosen: Sequence[Chosen], folder: ExportFolder, *, images: bool
) -> None:
    """Write ``labels/CASE.nii.gz``, ``cases.csv`` and, if asked, ``images/CASE.nii.gz``.

    First axis columns, second rows: ``label[c, r, 0]`` is the mask at row r, column c.
    """
    for each in chosen:
        case = each.case
        grid = grid_of(read_source(project, case.id), (case.height, case.width))
        mask = each.mask(project)
        if mask is not None:
            folder.put(f"labels/{case.id}.nii.gz", slice_volume(mask, grid))
        if images:
            pixels = np.rint(project.read_image(case.id) * 65535).astype(np.uint16)
            folder.put(f"images/{case.id}.nii.gz", slice_volume(pixels, grid))
    folder.put_table("cases.csv", [provenance(each) for each in chosen])


def slice_volume(pixels: np.ndarray, grid: np.ndarray) -> bytes:
    """A picture ``(H, W)`` as a volume of one slice; ``grid`` takes (column, row, 0) to millimeters, RAS+."""
    return _compressed(np.ascontiguousarray(pixels.T)[:, :, None], grid)


def stored_volume(slices: np.ndarray, normal: int, affine: np.ndarray) -> bytes:
    """Slices ``(slices, H, W)`` put back into the canonical volume that `training.formats.nifti` took them from.

    Parameters
    ----------
    normal : int
        The axis along which the volume was sliced.
    affine : (4, 4) float64
        The volume's own, from voxel indices to millimeters, RAS+.
    """
    planes = [np.asarray(each).T[::-1, ::-1] for each in slices]
    return _compressed(np.ascontiguousarray(np.stack(planes, axis=normal)), affine)


def _compressed(voxels: np.ndarray, grid: np.ndarray) -> bytes:
    image: Any = nibabel.Nifti1Image(voxels, grid)
    image.header.set_xyzt_units("mm")
    image.set_sform(grid, code="scanner")
    image.set_qform(grid, code="scanner", strip_shears=True)
    return gzip.compress(image.to_bytes(), mtime=0)
