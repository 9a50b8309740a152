"""Signs of life of a run: a file that its trainer touches, and how long ago somebody who listens last saw it change.

The listener counts by a steady clock of its own and only asks whether the file changed, so that a wall clock that is
set back or forward, here or on another machine, makes nobody look dead.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from training.rundir import RunFolder

BEAT_SECONDS = 2.0
SILENT_SECONDS = 15  # Silence that is worth a word; beats are a few seconds apart.


class Heart:
    """Touches a file every few seconds, from a thread, while the ``with`` block lasts.

    A thread, since one step, one evaluation or the libraries' import may take longer than a beat. It stops with its
    process, however that ends; a full disk or a deleted folder stops nothing.
    """

    def __init__(self, path: Path, seconds: float = BEAT_SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heart")

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                self._path.touch()
            if self._ended.wait(self._seconds):
                return


class Pulse:
    """Listens to one run.

    Parameters
    ----------
    clock : callable
        Seconds of a steady clock.
    """

    def __init__(self, folder: RunFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._seen = self._signs()
        self._changed = clock()

    def silent_seconds(self) -> float:
        """How long there was no sign of life, as far as this listener was there to see."""
        signs, now = self._signs(), self._clock()
        if signs != self._seen:
            self._seen, self._changed = signs, now
        return now - self._changed

    def _signs(self) -> tuple[int, int]:
        return (
            _stat(self._folder.alive_file, "st_mtime_ns"),
            _stat(self._folder.events_file, "st_size"),
        )


def _stat(path: Path, name: str) -> int:
    try:
        return int(getattr(path.stat(), name))
    except OSError:
        return -1
