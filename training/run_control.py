"""What the command line and the window can do to a project's round: look at it, let it pause, go on, stop, or kill it.

Pausing and stopping are requests that the trainer honors after its current step; killing is the last resort. Nothing
is started here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from training.auto_start import DECIDED
from training.errors import PoolError
from training.events import RunStatus
from training.pool import Project, Run
from training.pool.rounds import all_runs, close_run
from training.round_lock import LOCK, round_is_under_way, round_process
from training.rundir import RunFolder
from training.trainer_process import KILLED, status_of

PATIENCE = 5.0  # Seconds a round gets to write down that its trainer was killed.
NO_ROUND = "No round is under way in {folder}: there is nothing to {act}."
ORPHAN = "The round ended, and its trainer goes on alone: resume the round so that the gate decides when it is done."


@dataclass(frozen=True)
class Living:
    """The project's latest round as it is now.

    Attributes
    ----------
    alive : bool
        Whether a process works on the round.
    orphan : bool
        Whether a trainer works on, though the round's own process is gone.
    """

    run: Run | None = None
    status: RunStatus = field(default_factory=RunStatus)
    alive: bool = False
    orphan: bool = False

    @property
    def resumable(self) -> bool:
        """Whether the round was left before the gate decided."""
        return self.run is not None and not self.alive and self.run.outcome not in DECIDED

    @property
    def sentence(self) -> str:
        """The state in words."""
        if self.run is None:
            return "Preparing the round." if self.alive else "No round has run yet."
        if self.alive:
            waiting = self.status.state == "finished"
            return "Deciding at the gate." if waiting else self.status.sentence
        if self.run.outcome in DECIDED:
            return self.run.reason or self.run.outcome.capitalize()
        if self.orphan:
            return ORPHAN
        if self.status.state in ("running", "paused", "waiting"):
            if self.run.outcome is not None:
                return self.run.reason or self.run.outcome.capitalize()
            return "The round was interrupted: resume it to go on."
        return self.status.sentence


def look(project: Project) -> Living:
    """The project's latest round, folded from all that was said."""
    alive = round_is_under_way(project.folder)
    runs = all_runs(project)
    if not runs:
        return Living(alive=alive)
    folder = RunFolder(runs[-1].folder)
    return Living(runs[-1], status_of(folder), alive, not alive and folder.in_use())


def pause_round(project: Project) -> None:
    """Ask the trainer to wait after its current step; PoolError if there is none."""
    _folder(project, "pause").request_pause()


def continue_round(project: Project) -> None:
    """Let a waiting trainer go on; PoolError if no round is under way."""
    _folder(project, "continue").withdraw_pause()


def stop_round(project: Project) -> None:
    """Ask the trainer to stop after its current step, waiting or not; PoolError if there is none."""
    _folder(project, "stop").request_stop()


def kill_round(project: Project) -> str:
    """End trainer and round at once; the last checkpoint is kept, and the round can be resumed.

    Only processes that hold the round's own locks are ended, never one that merely has a number that was written down.

    Returns
    -------
    str
        What came of it, in one sentence.

    Raises
    ------
    PoolError
        No round is under way, or its processes are another user's or another machine's.
    """
    found = look(project)
    if not found.alive and not found.orphan:
        raise PoolError(NO_ROUND.format(folder=project.folder, act="kill"))
    killed = False
    if found.run is not None:
        folder = RunFolder(found.run.folder)
        holder = folder.holder() if folder.in_use() else ""
        killed = holder.isdigit() and _kill(int(holder), folder.lock_file)
    # A round whose trainer was killed writes that down and ends by itself; a stuck one is ended too.
    if not killed or not _comes(lambda: not round_is_under_way(project.folder), PATIENCE):
        killed |= _kill(round_process(project.folder), project.folder / LOCK)
    if not killed:
        raise PoolError(
            f"The round in {project.folder} belongs to another user or another machine: end it there, or stop it."
        )
    _note_killed(project)
    return "The round was killed: resume it to go on from its last checkpoint."


def _note_killed(project: Project) -> None:
    runs = all_runs(project)
    if runs and runs[-1].outcome is None:
        close_run(project, runs[-1], "failed", KILLED)


def _folder(project: Project, act: str) -> RunFolder:
    found = look(project)
    if found.run is None or not (found.alive or found.orphan):
        raise PoolError(NO_ROUND.format(folder=project.folder, act=act))
    return RunFolder(found.run.folder)


def _kill(pid: int | None, lock: Path) -> bool:
    """Kill a process and its children, if it has the lock file open; False if there is none such."""
    if pid is None or pid == os.getpid():
        return False
    try:
        process = psutil.Process(pid)
        held = [os.path.realpath(each.path) for each in process.open_files()]
        if os.path.realpath(lock) not in held:
            return False
        family = [*process.children(recursive=True), process]
        for each in family:
            each.kill()
        psutil.wait_procs(family, timeout=PATIENCE)
        return True
    except psutil.Error:
        return False


def _comes(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
