"""The frozen list of cases and masks that one run trains on, and its file. No pool, no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.errors import ConfigError
from training.files import read_text, write_atomically
from training.network_config import first_sentence


class SnapshotCase(BaseModel):
    """One image with its words, as the trainer sees it.

    Attributes
    ----------
    case_id : str
        Identifier within the project; also names the prediction file.
    patient : str
        Cases of one patient never stand on both sides of the holdout.
    image : str
        Path of the image, relative to the snapshot's root.
    description : str
        The case's words at the time of the snapshot.
    mask : str or None
        Path of the reference mask, relative to the root; None where nobody accepted one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str = Field(min_length=1)
    patient: str
    image: str
    description: str
    mask: str | None = None


class Snapshot(BaseModel):
    """Everything a run may read, frozen.

    Attributes
    ----------
    root : str
        The project's folder (absolute); image and mask paths are relative to it.
    laterality : {"image", "patient"}
        What "left" means in the descriptions.
    labeled, unlabeled : tuple of SnapshotCase
        The two training pools.
    gate, report : tuple of SnapshotCase
        The halves of the holdout: never trained on; only ``gate`` decides anything.
    apart : tuple of (str, str)
        Case ids that are never mixed with each other, because a reader called the pair nonsense. Left out of file
        and digest where there are none, as in snapshots of earlier versions.

    Raises
    ------
    ConfigError
        If a holdout case or patient is also in a training pool, a case appears twice, or a
        labeled or holdout case has no mask.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: str
    laterality: Literal["image", "patient"] = "image"
    labeled: tuple[SnapshotCase, ...] = ()
    unlabeled: tuple[SnapshotCase, ...] = ()
    gate: tuple[SnapshotCase, ...] = ()
    report: tuple[SnapshotCase, ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _refuse_leaks(self) -> Snapshot:
        _refuse_repeats(self.labeled + self.unlabeled + self.gate + self.report)
        _refuse_shared_patients(self.labeled + self.unlabeled, self.gate + self.report)
        _refuse_shared_patients(self.gate, self.report)
        for case in self.labeled + self.gate + self.report:
            if case.mask is None:
                raise ConfigError(
                    f"Case {case.case_id} is labeled or held out but has no mask: "
                    "accept a mask for it, or move it to the unlabeled pool."
                )
        return self

    def save(self, path: Path) -> None:
        """Write the snapshot as JSON, all at once."""
        write_atomically(path, self._content(indent=1))

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Read a snapshot.

        Raises
        ------
        ConfigError
            The content of the file is damaged.
        RunFolderError
            The file is missing or cannot be read.
        """
        try:
            return cls.model_validate_json(read_text(path))
        except ValidationError as error:
            raise ConfigError(
                f"The snapshot {path} cannot be read: {first_sentence(error)}"
            ) from error

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the content; equal snapshots have equal digests."""
        return hashlib.sha256(self._content().encode()).hexdigest()

    def _content(self, indent: int | None = None) -> str:
        return self.model_dump_json(indent=indent, exclude=None if self.apart else {"apart"})


def _refuse_repeats(cases: tuple[SnapshotCase, ...]) -> None:
    seen: set[str] = set()
    for case in cases:
        if case.case_id in seen:
            raise ConfigError(
                f"Case {case.case_id} appears twice in the snapshot: "
                "a case belongs to exactly one of labeled, unlabeled, gate and report."
            )
        seen.add(case.case_id)


def _refuse_shared_patients(one: tuple[SnapshotCase, ...], other: tuple[SnapshotCase, ...]) -> None:
    known = {case.patient: case.case_id for case in other}
    for case in one:
        if case.patient in known:
            raise ConfigError(
                f"Patient {case.patient} is on both sides of the holdout "
                f"(cases {case.case_id} and {known[case.patient]}): keep all of a patient's "
                "cases in one place."
            )
