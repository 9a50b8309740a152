"""How a source is to be read: one frozen value for all formats. Nothing here touches a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from training.pool.importing import HOLDOUT_FRACTION

Polarity = Literal["normal", "inverted"]
LUNG_WINDOW = (-600.0, 1500.0)  # center and width in Hounsfield units, where a CT says no window


@dataclass(frozen=True)
class ReadOptions:
    """What a person chose for an import.

    Attributes
    ----------
    texts : Path or None
        A csv, xlsx or json table of descriptions; where None, the format looks for its own.
    text_column : str or None
        The column that becomes the description; where None, the first known name.
    patient_rule : str
        A preset of `training.formats.patients` or a regular expression with one group.
    mask_polarity : {"normal", "inverted"} or None
        None refuses masks that look inverted; a value settles it for all masks of the import.
    labels : float in [0, 1]
        Share of the training cases whose masks come in as accepted; the other masks are withheld.
    holdout : float in [0, 0.9]
        Share of the new patients pinned as holdout, where the source does not fix the split.
    prefix : str
        Put before every case's name.
    window : (center, width) or None
        In the units of the rescaled pixels (Hounsfield units for CT); instead of the file's own.
    every : int, >= 1
        Of a volume's slices, take each so-many-th.
    plane : {"axial", "coronal", "sagittal"}
        How volumes are sliced.
    keep_uids : bool
        Keep DICOM identifiers of study, series and image instead of replacing them.
    secret : bytes
        The project's key for hashed patients, dates and identifiers.
    """

    texts: Path | None = None
    text_column: str | None = None
    patient_rule: str = "auto"
    mask_polarity: Polarity | None = None
    labels: float = 1.0
    holdout: float = HOLDOUT_FRACTION
    prefix: str = ""
    window: tuple[float, float] | None = None
    every: int = 1
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    keep_uids: bool = False
    secret: bytes = field(default=b"", repr=False)
