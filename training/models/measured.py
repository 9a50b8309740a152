"""What a model was measured on, case by case, in a file beside its weights: ``measured.json``.

A figure counts only for the film, mask and words it was taken from: each case carries a key of these, so that a
reference mask that was adjudicated since, or a case that came since, is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from training.errors import RunFolderError
from training.files import write_atomically
from training.metrics import Overlap
from training.pool import Model, Project
from training.rundir import RunFolder, read_json
from training.snapshot import Snapshot, SnapshotCase

FILE = "measured.json"
Half = Literal["gate", "report"]
Role = Literal["student", "teacher"]
HALVES: tuple[Half, Half] = ("gate", "report")
ROLES: tuple[Role, Role] = ("student", "teacher")
Counts = dict[str, dict[str, tuple[str, Overlap]]]  # role -> case id -> key, counts
Measure = Callable[[Project, Model, Snapshot], "Measured"]


@dataclass(frozen=True)
class Measured:
    """Pixel counts of a model's holdout cases.

    Attributes
    ----------
    halves : mapping
        half -> role -> case id -> (key of film, mask and words; counts).
    """

    halves: Mapping[str, Counts] = field(default_factory=dict)

    def on(self, half: Half, cases: Iterable[SnapshotCase]) -> dict[str, Overlap]:
        """The teacher's counts of those of the cases that were measured as they are now."""
        known = self.halves.get(half, {}).get("teacher", {})
        found = {}
        for case in cases:
            key, counts = known.get(case.case_id, ("", None))
            if counts is not None and key == case_key(case):
                found[case.case_id] = counts
        return found

    def all_of(self, half: Half, role: Role = "teacher") -> dict[str, Overlap]:
        """Counts of all cases of a half, as they were when they were measured."""
        known = self.halves.get(half, {}).get(role, {})
        return {case: counts for case, (_, counts) in known.items()}

    def keys(self, half: Half) -> dict[str, str]:
        """The key of each case of a half."""
        known = self.halves.get(half, {}).get("teacher", {})
        return {case: key for case, (key, _) in known.items()}


def case_key(case: SnapshotCase) -> str:
    """What a measurement of a case depends on, as 16 hexadecimal digits."""
    parts = "\0".join((case.image, case.mask or "", case.description))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def measured_in(folder: RunFolder) -> Measured:
    """What a run folder's scores were taken from; nothing for runs of earlier versions.

    Raises
    ------
    RunFolderError
        The folder's files are damaged.
    """
    if not folder.case_counts_file.is_file():
        return Measured()
    counts, snapshot = read_json(folder.case_counts_file), folder.read_snapshot()
    halves: dict[str, Counts] = {}
    for half in HALVES:
        keys = {case.case_id: case_key(case) for case in getattr(snapshot, half)}
        halves[half] = {
            role: {
                case: (keys[case], _overlap(three, folder.case_counts_file))
                for case, three in cases.items()
                if case in keys
            }
            for role, cases in counts.get(half, {}).items()
        }
    return Measured(halves)


def write_measured(folder: Path, measured: Measured) -> None:
    """Keep what a model was measured on in its folder, in place of an earlier measurement."""
    content = {
        half: {
            role: {
                case: [key, each.true_positive, each.false_positive, each.false_negative]
                for case, (key, each) in cases.items()
            }
            for role, cases in roles.items()
        }
        for half, roles in measured.halves.items()
    }
    write_atomically(folder / FILE, json.dumps(content))


def read_measured(folder: Path) -> Measured:
    """What the model in a folder was measured on last; nothing where that is not known or damaged: measure again."""
    try:
        content = read_json(folder / FILE)
        return Measured(
            {
                half: {
                    role: {
                        case: (str(key), _overlap(three, folder / FILE))
                        for case, (key, *three) in cases.items()
                    }
                    for role, cases in roles.items()
                }
                for half, roles in content.items()
            }
        )
    except (RunFolderError, AttributeError, TypeError, ValueError):
        return Measured()


def _overlap(three: Iterable[Any], path: Path) -> Overlap:
    numbers = list(three)
    if len(numbers) != 3 or any(type(n) is not int or n < 0 for n in numbers):
        raise RunFolderError(f"{path} is damaged: a case has no three counts of pixels.")
    return Overlap(*numbers)
