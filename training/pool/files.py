"""Immutable files named by the hash of their content. Nothing here is ever overwritten or deleted."""

from __future__ import annotations

import hashlib
from pathlib import Path

from training.errors import PoolError
from training.files import sentence_for, sync_folder, write_atomically


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
            if durable and not path.parent.exists():
                self._make_folder(path.parent)
            write_atomically(path, content, durable=durable, error_type=PoolError)
        return relative

    def _make_folder(self, folder: Path) -> None:
        """Make a folder whose own entry is on disk before anything in it is relied on."""
        try:
            for made, parent in ((folder.parent, self.root), (folder, folder.parent)):
                if not made.exists():
                    made.mkdir(parents=True, exist_ok=True)
                    sync_folder(parent)
        except OSError as error:
            raise PoolError(sentence_for(error, folder)) from error
