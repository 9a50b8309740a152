"""Reading and writing small files safely, with sentences for what goes wrong. No formats."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import RunFolderError, SemiMedRefError

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends around


def write_atomically(
    path: Path,
    content: str | bytes,
    *,
    durable: bool = True,
    mode: int = 0o666,
    error_type: type[SemiMedRefError] = RunFolderError,
) -> None:
    """Write a file so that a reader, or a crash, sees the old or the new content, never a part.

    Parameters
    ----------
    content : str or bytes
        Text is written as UTF-8.
    durable : bool
        Whether the file is surely on disk when this returns; not needed for what can be made again.
    mode : int
        Permissions before the process's umask is applied; readers of a shared folder are different users.
    error_type : type
        Subclass of SemiMedRefError to raise: the boundary the file belongs to.

    Raises
    ------
    SemiMedRefError
        If the disk is full or the folder cannot be written. What was there before is still there.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(temporary, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            _remove(temporary)
        raise error_type(sentence_for(error, path)) from error


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # the first error is the one to tell
        path.unlink(missing_ok=True)


def read_text(path: Path, *, error_type: type[SemiMedRefError] = RunFolderError) -> str:
    """Read a UTF-8 file.

    Parameters
    ----------
    error_type : type
        Subclass of SemiMedRefError to raise: the boundary the file belongs to.

    Raises
    ------
    SemiMedRefError
        It is missing, may not be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise error_type(sentence_for(error, path)) from error


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


def sync_folder(folder: Path) -> None:
    """Bring a folder's own entries to disk."""
    if os.name != "posix":  # Windows cannot open folders; its renames are journaled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_held(lock_file: Path, *, error_type: type[SemiMedRefError] = RunFolderError) -> bool:
    """Whether a living process holds a lock file (a killed one does not). Not for tight loops: it tries the lock.

    Parameters
    ----------
    error_type : type
        Subclass of SemiMedRefError to raise: the boundary the file belongs to.

    Raises
    ------
    SemiMedRefError
        The lock cannot be tried.
    """
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        raise error_type(sentence_for(error, lock_file)) from error
    lock.release()
    return False
