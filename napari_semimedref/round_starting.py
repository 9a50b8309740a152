"""When this window may start a round, why not, and rounds that start by themselves. No Qt, no napari."""

from __future__ import annotations

import time
from collections.abc import Callable

from napari_semimedref.round_view import RoundView
from napari_semimedref.run_monitor import RunMonitor
from training.auto_start import (
    AutoStart,
    Standing,
    auto_start_of,
    engine_installed,
    save_auto_start,
    starts_by_itself,
    why_not,
)
from training.estimate import Estimate, next_estimate
from training.next_round import next_config
from training.pool import Project


class RoundStarting:
    """Watches the labels of one project and starts a round when the project's rule says so.

    Parameters
    ----------
    project : Project
    clock : callable
        Seconds of a steady clock.

    Attributes
    ----------
    wanted : AutoStart
        What the project wants.
    """

    def __init__(self, project: Project, clock: Callable[[], float] = time.monotonic) -> None:
        self.wanted: AutoStart = auto_start_of(project)
        self._project = project
        self._clock = clock
        self._engine = engine_installed()
        self._labeled: int | None = None
        self._changed = clock()
        self._tried: int | None = None  # labels at the last start by itself: it is not tried twice

    def want(self, wanted: AutoStart) -> None:
        """Keep what the reader wants, for all windows of the project."""
        save_auto_start(self._project, wanted)
        self.wanted, self._tried = wanted, None

    def why_not(self, view: RoundView, labeled: int) -> str:
        """Why no round can be started, in one sentence; empty if one can."""
        return why_not(self._standing(view, labeled), self.wanted)

    def estimate(self) -> Estimate:
        """What the next round would take."""
        return next_estimate(self._project, next_config(self._project))

    def look(self, monitor: RunMonitor, labeled: int, busy: bool) -> bool:
        """Start a round if the rule says so; True if one was started. To be called every second or so."""
        now = self._clock()
        if labeled != self._labeled:
            self._labeled, self._changed = labeled, now
        standing = self._standing(monitor.view, labeled)
        quiet = now - self._changed
        if labeled == self._tried or not starts_by_itself(standing, self.wanted, quiet, busy):
            return False
        self._tried = labeled
        monitor.start(needs=self.wanted.labels)
        return True

    def _standing(self, view: RoundView, labeled: int) -> Standing:
        return Standing(labeled, view.run, view.alive or view.orphan, view.own, self._engine)
