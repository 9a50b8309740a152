"""Lets napari ask before it closes a window in which something goes on. Nothing is stopped here: a round is a process
of its own and outlives the window, and an import keeps the cases it has committed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from napari.utils.task_status import Status

from napari_semimedref.round_view import RoundView

WHO = "napari-semimedref"
ROUND = "round"
GOES_ON = "{name} is under way. It goes on when the window closes, and the project finds it again."


class AskBeforeClosing:
    """Tells napari's list of tasks what goes on; napari asks while there is any.

    Parameters
    ----------
    window : napari.window.Window
        It keeps the list, and tells of it nowhere else.
    """

    def __init__(self, window: Any) -> None:
        self._window = window
        self._tasks: dict[str, UUID] = {}

    def follow_round(self, view: RoundView) -> None:
        """A round began, went on or ended."""
        name = "A round" if view.run is None else f"Round {view.run.id}"
        self.note(ROUND, GOES_ON.format(name=name) if view.alive else "")

    def note(self, what: str, sentence: str) -> None:
        """Something goes on, and ``sentence`` says it; an empty one says that it ended."""
        known = self._tasks.get(what)
        if sentence and known is None:
            self._tasks[what] = self._window._register_task_status(WHO, Status.BUSY, sentence)
        elif sentence:
            self._window._update_task_status(known, Status.BUSY, sentence)
        elif known is not None:
            self._window._update_task_status(self._tasks.pop(what), Status.COMPLETED)
