"""The trainer as a child process of a round: started, followed, and, when it ends without a word, explained."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from training.errors import RunFolderError
from training.events import Event, EventTail, RunStatus, fold
from training.files import sentence_for
from training.rundir import DELETED, RunFolder

TRAINER = (sys.executable, "-m", "training", "run")
POLL_SECONDS = 0.25
ENDED = ("finished", "stopped", "failed")
LEAST_FREE = 2**20  # Bytes; a disk with less is full.
KILLED = (
    "The trainer was killed, by somebody or by the system for want of memory: resume the round to go on from its last "
    "checkpoint."
)
FULL = "The disk is full: free some space, then resume the round; its last checkpoint is kept."
UNKNOWN = (
    "The trainer ended unexpectedly (exit code {code}): resume the round; {log} has the details."
)


def status_of(folder: RunFolder) -> RunStatus:
    """The run's status, folded from all its events."""
    return _folded(RunStatus(), EventTail(folder.events_file).read_new())


def train(folder: RunFolder, on_status: Callable[[RunStatus], None]) -> RunStatus:
    """Run the trainer process to its end, following its events and telling its status at each look.

    Raises
    ------
    RunFolderError
        The folder cannot be written to.
    """
    tail = EventTail(folder.events_file)
    process = _start(folder)
    status = _folded(RunStatus(), tail.read_new())  # what earlier attempts said is no news
    status = _follow(tail, status, lambda: _ended(process), on_status)
    code = process.returncode
    if status.state not in ENDED or (code != 0 and status.state == "finished"):
        return _failed(status, why_it_ended(folder, code))
    return status


def _start(folder: RunFolder) -> subprocess.Popen[bytes]:
    try:
        with folder.trainer_log.open("ab") as log:
            return subprocess.Popen(
                [*TRAINER, str(folder.path)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
    except OSError as error:
        raise RunFolderError(sentence_for(error, folder.trainer_log)) from error


def await_trainer(folder: RunFolder, on_status: Callable[[RunStatus], None]) -> RunStatus:
    """Follow a trainer that another process started, until it lets go of the folder."""

    def ended() -> bool:
        time.sleep(POLL_SECONDS)
        return not folder.in_use()

    return _follow(EventTail(folder.events_file), RunStatus(), ended, on_status)


def why_it_ended(folder: RunFolder, code: int) -> str:
    """A sentence for a trainer that ended without saying why."""
    if not folder.config_file.is_file():
        return DELETED.format(folder=folder.path)
    if shutil.disk_usage(folder.path).free < LEAST_FREE:
        return FULL
    if code == -getattr(signal, "SIGKILL", 9):
        return KILLED
    return UNKNOWN.format(code=code, log=folder.trainer_log.name)


def _follow(
    tail: EventTail,
    status: RunStatus,
    ended: Callable[[], bool],
    on_status: Callable[[RunStatus], None],
) -> RunStatus:
    while True:
        over = ended()
        news = tail.read_new()  # read after that, or the last events could be missed
        status = _folded(status, news)
        on_status(status)  # also without news: who listens may have something to ask of the trainer
        if over:
            return status


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _failed(status: RunStatus, sentence: str) -> RunStatus:
    return fold(status, {"kind": "failed", "time": status.last_event_time, "sentence": sentence})


def _folded(status: RunStatus, events: list[Event]) -> RunStatus:
    for event in events:
        status = fold(status, event)
    return status
