"""Immutable files named by the hash of their content. Nothing here is ever overwritten or deleted."""

from __future__ import annotations

import hashlib
from pathlib import Path

from training.errors import PoolError
from training.files import write_atomically


class FileStore:
    """Content-addressed files in one folder of a project.

    Parameters
    ----------
    root : Path
        The project's folder.
    name : str
        The store's folder inside it; paths handed out are relative to ``root``.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name

    def put(self, content: bytes, suffix: str, *, durable: bool = True) -> str:
        """Store ``content`` and return its path relative to the project; storing it again changes nothing.

        Raises
        ------
        PoolError
            The disk is full, read-only or refuses; nothing was changed.
        """
        digest = hashlib.sha256(content).hexdigest()
        relative = f"{self.name}/{digest[:2]}/{digest}{suffix}"
        path = self.root / relative
        if not path.exists():
            write_atomically(path, content, durable=durable, error_type=PoolError)
        return relative
