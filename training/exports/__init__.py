"""What goes out: accepted masks with their words and provenance, in layouts that others read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from training.errors import FormatError
from training.exports.folder import ExportFolder
from training.exports.selection import STATES, Selection, choose
from training.pool import Project

ExportName = Literal["masks", "lvit", "coco", "nifti", "dicom-seg", "hf"]
EXPORTS: tuple[ExportName, ...] = get_args(ExportName)

__all__ = ["EXPORTS", "STATES", "ExportName", "Exported", "Selection", "export"]


@dataclass(frozen=True)
class Exported:
    """How many cases were written, and ``(case id, sentence)`` of those left out."""

    folder: Path
    cases: int
    left_out: tuple[tuple[str, str], ...]

    def sentence(self) -> str:
        """The outcome in one line."""
        text = f"{self.cases} cases written to {self.folder}."
        return f"{text} {len(self.left_out)} left out." if self.left_out else text


def export(
    name: str,
    project: Project,
    folder: Path,
    selection: Selection | None = None,
    *,
    images: bool | None = None,
    originals: Path | None = None,
) -> Exported:
    """Export what was chosen to a new folder.

    Parameters
    ----------
    name : str
        One of `EXPORTS`.
    images : bool or None
        Whether images go along where the layout leaves it open; None: all but ``masks``.
    originals : Path or None
        For ``dicom-seg``: the imported files, so that segmentations refer to them.

    Raises
    ------
    FormatError
        The folder is not empty, nothing is chosen, or a library for this format is missing.
    """
    if name not in EXPORTS:
        raise FormatError(f"There is no export {name!r}: choose one of {', '.join(EXPORTS)}.")
    selection = selection or Selection()
    chosen = choose(project, selection)
    target = ExportFolder(folder)
    left_out: list[tuple[str, str]] = []
    with_images = name != "masks" if images is None else images
    if name == "masks":
        from training.exports.masks import write_masks

        write_masks(project, chosen, target, images=with_images)
    elif name == "lvit":
        from training.exports.lvit import write_lvit

        write_lvit(project, chosen, target)
    elif name == "coco":
        from training.exports.coco import write_coco

        write_coco(project, chosen, target, images=with_images)
    elif name == "nifti":
        from training.exports.nifti import write_nifti

        write_nifti(project, chosen, target, images=with_images)
    elif name == "dicom-seg":
        from training.exports.dicom_seg import write_dicom_seg

        left_out = write_dicom_seg(project, chosen, target, originals)
    else:
        from training.exports.hugging_face import write_hugging_face

        write_hugging_face(project, chosen, target)
    written = len(chosen) - len(left_out)
    target.put_notes(name, project, selection, written)
    return Exported(folder, written, tuple(left_out))
