"""Small pieces of reading and computing beside the GUI thread, of which only the newest of each kind counts. What they
do is their caller's matter; never torch, never what lasts (see `background`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject

from napari_semimedref.timers import timer_for
from training.errors import SemiMedRefError

LOOK_MS = 15

log = logging.getLogger("napari-semimedref")


class Beside(QObject):
    """One thread of its own. A newer request of a kind makes the older one stale: its result is dropped.

    Parameters
    ----------
    owner : QObject
        With it the thread ends.
    """

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        # Ends by itself once nobody holds it; Qt's `destroyed` comes when this object is half gone.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._asked: dict[str, tuple[Future[Any], Callable[[Any], object]]] = {}
        self._look = timer_for(self, LOOK_MS, self.take)

    def ask(self, kind: str, act: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Do ``act`` in the thread and hand its value to ``then`` in the GUI thread.

        An error becomes a line in the log: what is asked for here can be asked for again.
        """
        self.forget(kind)
        self._asked[kind] = (self._thread.submit(act), then)
        self._look.start()

    def forget(self, kind: str) -> None:
        """Drop what was asked of this kind."""
        asked = self._asked.pop(kind, None)
        if asked is not None:
            asked[0].cancel()

    def busy(self, kind: str) -> bool:
        """Whether an answer of this kind is awaited."""
        return kind in self._asked

    def take(self) -> None:
        """Hand over what is done."""
        for kind, (future, then) in list(self._asked.items()):
            if not future.done():
                continue
            del self._asked[kind]
            error = future.exception()
            if error is None:
                then(future.result())
            elif isinstance(error, SemiMedRefError):
                log.warning("%s", error)
            else:
                log.error("What was asked for beside the window failed.", exc_info=error)
        if not self._asked:
            self._look.stop()
