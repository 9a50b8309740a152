"""Starts, stops and follows rounds. A round is a process of its own that outlives the window. No Qt, no napari."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import PoolError
from training.events import Event, EventTail, RunStatus, fold
from training.pool import Project, Run
from training.pool.rounds import all_runs
from training.rundir import RunFolder

LOCK = "round.lock"  # held by the process that does the round
LOOK_SECONDS = 1.0
DECIDED = ("promoted", "refused")


@dataclass(frozen=True)
class RoundView:
    """What is known of the project's latest round.

    Attributes
    ----------
    alive : bool
        Whether a process works on it now.
    losses : tuple of (step, loss)
        One point for each ``progress`` event.
    trouble : str
        A sentence when the round's process ended without leaving a run; else empty.
    """

    run: Run | None = None
    status: RunStatus = field(default_factory=RunStatus)
    alive: bool = False
    losses: tuple[tuple[int, float], ...] = ()
    trouble: str = ""

    @property
    def resumable(self) -> bool:
        """Whether the round was left before the gate decided."""
        return self.run is not None and not self.alive and self.run.outcome not in DECIDED

    @property
    def sentence(self) -> str:
        """The state in words."""
        if self.trouble and not self.alive:
            return self.trouble
        if self.run is None:
            return "Preparing the round." if self.alive else "No round has run yet."
        if self.alive:
            waiting = self.status.state == "finished"
            return "Deciding at the gate." if waiting else self.status.sentence
        if self.run.outcome in DECIDED:
            return self.run.reason or self.run.outcome.capitalize()
        if self.status.state in ("running", "waiting"):
            return "The round was interrupted: resume it to go on."
        return self.status.sentence


class RunMonitor:
    """Follow the latest run of a project, whoever started it.

    Parameters
    ----------
    project : Project
    command : sequence of str
        Prefix of the command line that does a round; the project's folder follows.
    clock : callable
        Seconds of a steady clock.
    """

    def __init__(
        self,
        project: Project,
        command: tuple[str, ...] = (sys.executable, "-m", "training.cli", "round"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._project = project
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen | None = None
        self._log_start = 0
        self._tail: EventTail | None = None
        self._losses: list[tuple[int, float]] = []
        self._looked = -LOOK_SECONDS
        self._stop_wanted = False
        self._past_run: int | None = None  # shown no more once a newer round was asked for
        self.view = RoundView()
        self.poll()

    @property
    def log(self) -> Path:
        """What the round's process writes."""
        return self._project.folder / "round.log"

    def start(self) -> None:
        """Start a new round in its own process.

        Raises
        ------
        PoolError
            A round is under way, or the process cannot be started.
        """
        past = self.view.run
        self._launch()
        self._past_run = None if past is None else past.id
        self._losses, self._tail = [], None
        self.view = RoundView(alive=True)

    def resume(self) -> None:
        """Go on with the round that was left; raises like `start`."""
        self._launch("--resume")

    def stop(self) -> None:
        """Ask the trainer to stop after its current step, keeping what it learned."""
        self._stop_wanted = True
        self._pass_on_stop()

    def poll(self) -> bool:
        """Read what is new; True if the view changed. Quick: meant for a timer."""
        before = self.view
        alive = self._is_alive()
        if self._due(before.alive != alive):
            self._find_run(alive)
        status = self._read_events(self.view.status)
        trouble = self._trouble(alive, before)
        losses = self.view.losses
        if len(losses) != len(self._losses):
            losses = tuple(self._losses)
        self.view = RoundView(self.view.run, status, alive, losses, trouble)
        if self._stop_wanted:
            self._pass_on_stop()
        return self.view != before

    # -- inside ------------------------------------------------------------------------------------

    def _launch(self, *options: str) -> None:
        if self._is_alive(now=True):
            raise PoolError("A round is already under way: wait for it, or stop it.")
        self._stop_wanted = False
        try:
            with self.log.open("ab") as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    [*self._command, str(self._project.folder), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise PoolError(f"The round cannot be started: {error.strerror}.") from error
        self.view = RoundView(self.view.run, self.view.status, True, self.view.losses)

    def _is_alive(self, now: bool = False) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        # Trying the lock takes it for an instant: seldom, so as not to get in a starting round's way.
        if not now and self._clock() - self._looked < LOOK_SECONDS:
            return self.view.alive and self._process is None
        return self._lock_is_held()

    def _lock_is_held(self) -> bool:
        path = self._project.folder / LOCK
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def _due(self, changed: bool) -> bool:
        if not changed and self._clock() - self._looked < LOOK_SECONDS:
            return False
        self._looked = self._clock()
        return True

    def _find_run(self, alive: bool) -> None:
        runs = all_runs(self._project)
        if not runs or (alive and runs[-1].id == self._past_run):
            return
        known, latest = self.view.run, runs[-1]
        if known is None or known.id != latest.id:
            self._tail = EventTail(RunFolder(latest.folder).events_file)
            self._losses = []
            self.view = RoundView(latest, RunStatus(), alive)
        else:
            self.view = RoundView(latest, self.view.status, alive, self.view.losses)

    def _read_events(self, status: RunStatus) -> RunStatus:
        for event in self._tail.read_new() if self._tail is not None else ():
            status = fold(status, event)
            self._note_loss(event)
        return status

    def _note_loss(self, event: Event) -> None:
        try:
            if event["kind"] == "progress" and "loss" in event:
                self._losses.append((int(event["step"]), float(event["loss"])))
        except (KeyError, TypeError, ValueError):
            return  # An event of another version.

    def _trouble(self, alive: bool, before: RoundView) -> str:
        process = self._process
        if alive or process is None or process.poll() is None:
            return "" if alive else before.trouble
        self._process = None
        if process.returncode == 0 or self._stop_wanted:
            return ""
        return self._last_words() or f"The round ended unexpectedly: {self.log} has the details."

    def _last_words(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        words = [line.strip() for line in lines if line.strip()]
        return words[-1] if words else ""

    def _pass_on_stop(self) -> None:
        # A round that is only starting withdraws old requests, so ask until it is heard.
        if self.view.run is None or not self.view.alive:
            return
        folder = RunFolder(self.view.run.folder)
        if not folder.stop_requested():
            folder.request_stop()
