"""Files dropped on a widget. Says which file it was; what becomes of it is its receiver's matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QMimeData, QObject
from qtpy.QtWidgets import QWidget

from training.errors import FormatError


class Drops(QObject):
    """Let a widget, and what lies on it, take a dropped file or folder.

    Parameters
    ----------
    widget : QWidget
    take : callable
        Gets the files' paths.
    """

    def __init__(self, widget: QWidget, take: Callable[[list[Path]], None]) -> None:
        super().__init__(widget)
        self._take = take
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: Any, event: Any) -> bool:  # Qt's name
        """Accept files that are dragged over the widget, and take them when they are dropped."""
        kind = event.type()
        if kind not in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            return False
        paths = local_files(event.mimeData())
        if not paths:
            return False
        event.acceptProposedAction()
        if kind == QEvent.Type.Drop:
            self._take(paths)
        return True


def local_files(data: QMimeData) -> list[Path]:
    """The files and folders of this machine that are dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def only_one(paths: list[Path]) -> Path:
    """The one that was dropped.

    Raises
    ------
    FormatError
        There were several.
    """
    if len(paths) > 1:
        raise FormatError(
            f"{len(paths)} files were dropped: drop one, or the folder that holds them."
        )
    return paths[0]
