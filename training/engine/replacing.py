"""Folders that are written beside their place and moved there whole, so that a kill leaves the old one or the new one.
What lies in them is the caller's matter; no torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from training.errors import RunFolderError
from training.files import sentence_for


class Replacement:
    """Gives an empty folder to write into, and puts it in the place of ``folder`` unless something is raised.

    Parameters
    ----------
    folder : Path
        The place.
    keep : bool
        Whether the folder that was there stays beside it (`folder_before`).

    Raises
    ------
    RunFolderError
        If the disk is full or the folder cannot be written.
    """

    def __init__(self, folder: Path, keep: bool = False) -> None:
        self._folder = folder
        self._keep = keep
        self._fresh = folder.with_name(folder.name + ".new")
        self._before = folder_before(folder)

    def __enter__(self) -> Path:
        try:
            shutil.rmtree(self._fresh, ignore_errors=True)
            self._fresh.mkdir(parents=True)
        except OSError as error:
            raise RunFolderError(sentence_for(error, self._folder)) from error
        return self._fresh

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: Any
    ) -> None:
        if kind is not None:
            shutil.rmtree(self._fresh, ignore_errors=True)
            if isinstance(error, (OSError, SafetensorError)):
                raise RunFolderError(
                    f"{self._folder} was not written: {error}; is the disk full?"
                ) from error
            return
        if self._folder.exists():
            shutil.rmtree(self._before, ignore_errors=True)
            self._folder.rename(self._before)
        self._fresh.rename(self._folder)
        if not self._keep:
            shutil.rmtree(self._before, ignore_errors=True)


def folder_before(folder: Path) -> Path:
    """Where the folder lies that a replacement put aside."""
    return folder.with_name(folder.name + ".old")


def settled(folder: Path) -> Path:
    """The folder to read: a process killed between the two renames leaves only the one before."""
    before = folder_before(folder)
    return before if not folder.exists() and before.exists() else folder
