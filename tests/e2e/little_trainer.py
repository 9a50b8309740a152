"""A trainer without an engine for tests of what goes on around it. Run as a process: RUN_FOLDER.

It keeps the trainer's manners: lock, heartbeat, events, requests to pause and to stop, one sentence on stderr.
"""

from __future__ import annotations

import os
import sys
import time

from training.errors import SemiMedRefError
from training.events import EventWriter
from training.heartbeat import Heart
from training.rundir import RunFolder

STEPS = 2000


def main() -> int:
    folder = RunFolder.open(sys.argv[1])
    with folder.lock(), Heart(folder.alive_file, 0.2):
        writer = EventWriter(folder.events_file)
        writer.write("started", pid=os.getpid(), device="cpu", steps_planned=STEPS)
        writer.write("phase", name="burn-in")
        for step in range(1, STEPS + 1):
            folder.refuse_if_gone()
            if folder.pause_requested() and not folder.stop_requested():
                writer.write("paused", step=step)
                while folder.pause_requested() and not folder.stop_requested():
                    time.sleep(0.05)
                writer.write("continued", step=step)
            if folder.stop_requested():
                writer.write("stopped", step=step)
                return 3
            writer.write("progress", step=step, loss=1 / step, seconds_left=60.0)
            time.sleep(0.05)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SemiMedRefError as error:
        sys.exit(str(error))
