"""Starts, stops and follows rounds. A round is a process of its own that outlives the window. No Qt, no napari."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from napari_semimedref.round_view import RoundView
from training.errors import PoolError
from training.events import Event, EventTail, RunStatus, fold
from training.heartbeat import SILENT_SECONDS, Pulse
from training.pool import Project
from training.pool.rounds import all_runs
from training.round_lock import round_is_under_way
from training.rundir import STOPPED, RunFolder

LOOK_SECONDS = 1.0
TOO_FEW = "No round was started"  # how a start by itself is refused that came too late
QUICKER = "Another window was quicker: this one follows its round."


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
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._tail: EventTail | None = None
        self._pulse: Pulse | None = None
        self._points: dict[str, list[tuple[int, float]]] = {}
        self._looked = -LOOK_SECONDS
        self._wanted = ""  # "pause" or "stop", until it is heard
        self._stopped = False
        self._asked_for = 0  # new labels
        self._past_run: int | None = None  # shown no more once a newer round was asked for
        self.view = RoundView()
        self.poll()

    @property
    def log(self) -> Path:
        """What the round's process writes."""
        return self._project.folder / "round.log"

    def start(self, needs: int = 0) -> None:
        """Start a new round in its own process.

        Parameters
        ----------
        needs : int
            New labels without which the process starts nothing.

        Raises
        ------
        PoolError
            A round is under way, or the process cannot be started.
        """
        past = self.view.run
        self._asked_for = needs
        self._launch(*(("--needs", str(needs)) if needs else ()))
        self._past_run = None if past is None else past.id
        self._points, self._tail, self._pulse = {}, None, None
        self.view = RoundView(alive=True, own=True)

    def resume(self) -> None:
        """Go on with the round that was left; raises like `start`."""
        self._launch("--resume")

    def pause(self) -> None:
        """Ask the trainer to wait after its current step."""
        self._wanted = "pause"
        self._pass_on()

    def go_on(self) -> None:
        """Let a waiting trainer go on."""
        self._wanted = ""
        if self.view.run is not None:
            RunFolder(self.view.run.folder).withdraw_pause()

    def stop(self) -> None:
        """Ask the trainer to stop after its current step, keeping what it learned."""
        self._wanted, self._stopped = "stop", True
        self._pass_on()

    def kill(self) -> None:
        """End the round's processes at once, from a process of its own since that may take seconds.

        Raises
        ------
        PoolError
            That process cannot be started.
        """
        self._wanted = ""
        command = [sys.executable, "-m", "training.cli", "kill", str(self._project.folder), "--yes"]
        self._spawn(command, "The round cannot be killed")

    def poll(self) -> bool:
        """Read what is new; True if the view changed. Quick: meant for a timer."""
        before = self.view
        alive = self._was_beaten() or self._is_alive()
        if alive and not before.alive:
            self._pulse = None  # the silence before it came to life says nothing
        if self._due(before.alive != alive):
            self._find_run(alive)
        status = self._read_events(self.view.status)
        trouble = self._trouble(alive, before)
        if self._wanted == "pause" and status.state == "paused":
            # Somebody else may let it go on; a stop holds for as long as the process.
            self._wanted = ""
        self.view = replace(
            self.view,
            status=status,
            alive=alive,
            own=alive and self._process is not None,
            curves=self._curves(),
            trouble=trouble,
            note=self.view.note if alive else "",
            silent=self._silent(alive, status),
        )
        self._pass_on()
        return self.view != before

    # -- inside ------------------------------------------------------------------------------------

    def _launch(self, *options: str) -> None:
        if self._is_alive(now=True):
            raise PoolError("A round is already under way: wait for it, or stop it.")
        self._wanted, self._stopped = "", False
        command = [*self._command, str(self._project.folder), *options]
        self._process = self._spawn(command, "The round cannot be started")
        self.view = replace(self.view, alive=True, own=True, trouble="", note="", orphan=False)

    def _spawn(self, command: list[str], refusal: str) -> subprocess.Popen[bytes]:
        try:
            with self.log.open("ab") as log:
                self._log_start = log.tell()
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise PoolError(f"{refusal}: {error.strerror}; is the disk full?") from error

    def _is_alive(self, now: bool = False) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        # Trying the lock takes it for an instant: seldom, so as not to get in a starting round's way.
        if not now and self._clock() - self._looked < LOOK_SECONDS:
            return self.view.alive and self._process is None
        return round_is_under_way(self._project.folder)

    def _was_beaten(self) -> bool:
        """Whether this window's start was refused since another one's round began in the same moment."""
        process = self._process
        if process is None or process.poll() in (None, 0, STOPPED):
            return False
        if self._stopped or not round_is_under_way(self._project.folder):
            return False
        self._process = None
        self.view = replace(self.view, note=QUICKER)
        return True

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
        folder = RunFolder(latest.folder)
        orphan = not alive and folder.in_use()
        if known is None or known.id != latest.id:
            self._tail = EventTail(folder.events_file)
            self._points, self._pulse = {}, None
            self.view = RoundView(latest, RunStatus(), alive, orphan, note=self.view.note)
        else:
            self.view = replace(self.view, run=latest, alive=alive, orphan=orphan)
        self._pulse = self._pulse or Pulse(folder, self._clock)

    def _read_events(self, status: RunStatus) -> RunStatus:
        for event in self._tail.read_new() if self._tail is not None else ():
            status = fold(status, event)
            if event.get("kind") == "progress":
                self._note_numbers(event)
            elif event.get("kind") == "started":
                self._forget_after(status.resumed_at)
        return status

    def _note_numbers(self, event: Event) -> None:
        step = event.get("step")
        if not isinstance(step, int):
            return  # An event of another version.
        for name, value in event.items():
            if isinstance(value, (int, float)) and name not in ("step", "time"):
                self._points.setdefault(name, []).append((step, float(value)))

    def _forget_after(self, step: int) -> None:
        # What an earlier part of the run told beyond its last checkpoint comes again.
        for name, points in self._points.items():
            self._points[name] = [point for point in points if point[0] <= step]

    def _curves(self) -> Mapping[str, tuple[tuple[int, float], ...]]:
        known = self.view.curves
        same = known.keys() == self._points.keys() and all(
            len(known[name]) == len(points) and known[name][-1:] == tuple(points[-1:])
            for name, points in self._points.items()
        )
        return known if same else {name: tuple(each) for name, each in self._points.items()}

    def _silent(self, alive: bool, status: RunStatus) -> int:
        if self._pulse is None:
            return 0
        seconds = int(self._pulse.silent_seconds())  # always, so that it is not behind
        waits_for_it = alive and status.state in ("running", "paused")
        return seconds if waits_for_it and seconds >= SILENT_SECONDS else 0

    def _trouble(self, alive: bool, before: RoundView) -> str:
        process = self._process
        if process is None or process.poll() is None:
            return "" if alive else before.trouble
        self._process = None
        if process.returncode in (0, STOPPED) or self._stopped:
            return ""
        words = self._last_words()
        if self._asked_for and TOO_FEW in words:
            return ""
        return words or f"The round ended unexpectedly: {self.log} has the details."

    def _last_words(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        words = [line.strip() for line in lines if line.strip()]
        return words[-1] if words else ""

    def _pass_on(self) -> None:
        # A round that is only starting withdraws old requests, so ask until it is heard.
        if not self._wanted or self.view.run is None or not self.view.alive:
            return
        folder = RunFolder(self.view.run.folder)
        if not folder.path.is_dir():
            return
        if self._wanted == "stop" and not folder.stop_requested():
            folder.request_stop()
        elif self._wanted == "pause" and not folder.pause_requested():
            folder.request_pause()
