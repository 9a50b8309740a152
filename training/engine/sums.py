"""Check sums beside a model's files, so that damage on disk is noticed before anything is trained or served from it.
What becomes of damage is the matter of `checkpoint`."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from training.errors import RunFolderError
from training.files import write_atomically
from training.rundir import read_json

SUMS = "sums.json"
BLOCK = 2**20


def write_sums(folder: Path) -> None:
    """Write down the CRC-32 of every file in the folder."""
    sums = {path.name: _sum(path) for path in sorted(folder.iterdir()) if path.name != SUMS}
    write_atomically(folder / SUMS, json.dumps(sums, indent=1))


def files_match(folder: Path) -> bool:
    """Whether the files are those that were written; folders without sums, of earlier versions, are believed."""
    if not (folder / SUMS).exists():
        return folder.is_dir()
    try:
        return all(_sum(folder / name) == known for name, known in read_json(folder / SUMS).items())
    except (OSError, RunFolderError):
        return False


def _sum(path: Path) -> int:
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            value = zlib.crc32(block, value)
    return value
