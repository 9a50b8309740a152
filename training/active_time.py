"""How long a reader really worked on a case. Nothing here knows what a case is."""

from __future__ import annotations

import time
from collections.abc import Callable

IDLE_SECONDS = 30.0


class ActiveTime:
    """Seconds a reader really worked: pauses longer than ``idle_seconds`` count as that long at most."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._clock = clock
        self._idle = idle_seconds
        self._last = clock()
        self.seconds = 0.0

    def touch(self) -> None:
        """Note that the reader did something just now."""
        instant = self._clock()
        self.seconds += min(instant - self._last, self._idle)
        self._last = instant
