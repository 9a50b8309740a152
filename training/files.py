"""Reading and writing small text files safely, with sentences for what goes wrong. No formats."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from training.errors import RunFolderError


def write_atomically(path: Path, text: str) -> None:
    """Write a UTF-8 file so that a reader sees the old or the new content, never a part.

    Raises
    ------
    RunFolderError
        If the disk is full or the folder cannot be written.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise RunFolderError(sentence_for(error, path)) from error


def read_text(path: Path) -> str:
    """Read a UTF-8 file; RunFolderError if it is missing or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(sentence_for(error, path)) from error


def sentence_for(error: Exception, path: Path) -> str:
    """One sentence for a file error, naming the file and the way out."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOSPC:
        return f"The disk is full: {path} was not written; free some space and try again."
    if code == errno.ENOENT:
        return f"There is no {path}: check the folder's name."
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} may not be written or read: check the permissions of its folder."
    return f"{path} cannot be used: {error}."
