"""Work beside the window that shows in napari's own progress bars, with a notice at its end. For what no dock shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils import progress
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject

from napari_semimedref.background import Tell, Work
from napari_semimedref.timers import timer_for

LOOK_MS = 100


class Waiting(QObject):
    """Do ``act`` in a thread and hand its value to ``then`` in the window's; a failure becomes a notice.

    Parameters
    ----------
    title : str
        Stands beside the progress bar.
    act : callable
        As in `napari_semimedref.background.Work`.
    then : callable
        Gets what ``act`` returned.
    owner : QObject
        It all ends with.
    """

    def __init__(
        self, title: str, act: Callable[[Tell], Any], then: Callable[[Any], object], owner: QObject
    ) -> None:
        super().__init__(owner)
        self._title, self._then = title, then
        self.work: Work[Any] = Work(act)
        self._bar = progress(total=0, desc=title)
        self._timer = timer_for(self, LOOK_MS, self._look)
        self._timer.start()

    def _look(self) -> None:
        work = self.work
        if work.running:
            if work.done:
                self._bar.set_description(f"{self._title}: {work.done}")
            return
        self._timer.stop()
        self._bar.close()
        self.deleteLater()
        if work.error:
            show_warning(work.error)
        else:
            self._then(work.value)
