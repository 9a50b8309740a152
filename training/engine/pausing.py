"""Waiting on request: a trainer that pauses keeps what it learned on disk and what it can give back, it gives back. No
training."""

from __future__ import annotations

import time

from training.engine.pace import Pace
from training.engine.room import give_back_memory
from training.engine.setup import Round

POLL_SECONDS = 0.2


def may_go_on(this: Round, pace: Pace) -> bool:
    """False if a stop was asked for; waits first while a pause is asked for, with a checkpoint on disk.

    The time waited counts neither as training nor towards the next checkpoint.

    Raises
    ------
    RunFolderError
        The run folder was deleted.
    """
    this.folder.refuse_if_gone()
    if this.folder.stop_requested():
        return False
    if not this.folder.pause_requested():
        return True
    this.counters.seconds = pace.seconds_spent()
    this.save()
    give_back_memory()
    this.events.write("paused", step=this.counters.step)
    begun = pace.clock()
    while this.folder.pause_requested() and not this.folder.stop_requested():
        time.sleep(POLL_SECONDS)
    waited = pace.clock() - begun
    pace.leave_out(waited)
    if this.folder.stop_requested():
        return False
    this.events.write("continued", step=this.counters.step, seconds=round(waited, 1))
    return True
