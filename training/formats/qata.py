"""Reader of the QaTa-COV19 layout: ``table.csv`` beside ``train|valid/{images,masks}``.

Columns used: ``split``, ``image``, ``mask``, ``raw_text`` (as typed by the annotators) or ``clean_caption``, and
``smallest_labeled_ratio``, the smallest official labeled subset that holds the case. Nothing is decided here about
pools beyond what the source says; see `training.pool.importing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from training.errors import FormatError
from training.formats.findings import Found, Trouble
from training.formats.names import checked_name
from training.formats.patients import PatientRule
from training.formats.tables import read_table
from training.pool.records import IncomingCase

REQUIRED = ("split", "image", "mask", "raw_text", "clean_caption", "smallest_labeled_ratio")


def read_qata(
    source: Path, *, labels: float = 0.0, text: Literal["raw_text", "clean_caption"] = "raw_text"
) -> Iterator[Found]:
    """Read the folder lazily, a case at a time.

    Parameters
    ----------
    source : Path
        Folder that holds ``table.csv``.
    labels : float in [0, 1]
        Training cases whose ``smallest_labeled_ratio`` is at most this come in labeled; the masks of all others
        are withheld as hidden references.
    text : {"raw_text", "clean_caption"}
        Which column becomes the description.

    Raises
    ------
    FormatError
        The folder, the table or one of its columns is missing.
    """
    table = Path(source) / "table.csv"
    if not table.is_file():
        raise FormatError(
            f"{source} holds no table.csv: give the folder that has it, beside train and valid."
        )
    rows = read_table(table)
    missing = [name for name in REQUIRED if rows and name not in rows[0]]
    if missing or not rows:
        lack = f"no column {missing[0]!r}" if missing else "no rows"
        raise FormatError(f"{table} has {lack}: it needs {', '.join(REQUIRED)}.")
    for row in rows:
        try:
            yield _case(Path(source), row, labels, text)
        except (KeyError, ValueError, FormatError) as error:
            image = row.get("image", "") or "a row without an image"
            reason = error if isinstance(error, FormatError) else f"its row is damaged ({error})"
            yield Trouble(image, f"{table}, {image}: {reason}")


def _case(source: Path, row: dict[str, str], labels: float, text: str) -> IncomingCase:
    image, mask = (checked_name(row[name], source / "table.csv") for name in ("image", "mask"))
    image, mask = image.rsplit("/", 1)[-1], mask.rsplit("/", 1)[-1]
    folder = source / checked_name(row["split"], source / "table.csv").strip("/")
    holdout = row["split"] == "valid"
    ratio = row["smallest_labeled_ratio"].strip()
    labeled = not holdout and bool(ratio) and float(ratio) <= labels + 1e-9
    mask_path = folder / "masks" / mask
    return IncomingCase(
        name=Path(image).stem,
        image=folder / "images" / image,
        description=row[text],
        patient=PatientRule("auto")(image),
        split="holdout" if holdout else "training",
        mask=mask_path if holdout or labeled else None,
        hidden_mask=None if holdout or labeled else mask_path,
    )
