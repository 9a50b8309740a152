"""A round for the tests that writes events without an engine, until it is asked to stop. Run as a process: PROJECT."""

from __future__ import annotations

import os
import sys
import time

from training.events import EventWriter
from training.next_round import next_config
from training.pool import Project
from training.pool.rounds import close_run
from training.round import start_run
from training.round_lock import one_round_at_a_time
from training.rundir import STOPPED, RunFolder

SCORES = {"dice_global": 0.6, "dice_per_image": 0.6, "iou_global": 0.5, "iou_per_image": 0.5}


def main() -> None:
    project = Project.open(sys.argv[1])
    with one_round_at_a_time(project):
        run = start_run(project, next_config(project))
        folder = RunFolder.open(run.folder)
        writer = EventWriter(folder.events_file)
        writer.write("started", pid=os.getpid(), device="cpu", steps_planned=1000)
        writer.write("phase", name="burn-in")
        step = 0
        while not folder.stop_requested() and step < 1000:
            if folder.pause_requested():
                writer.write("paused", step=step)
                while folder.pause_requested() and not folder.stop_requested():
                    time.sleep(0.02)
                writer.write("continued", step=step)
            step += 1
            writer.write("progress", step=step, loss=1 / step)
            if step == 3:
                writer.write("evaluation", step=step, half="gate", role="teacher", **SCORES)
            time.sleep(0.03)
        writer.write("stopped", step=step)
        close_run(project, run, "stopped", f"Stopped at step {step}; it can be resumed.")
    sys.exit(STOPPED)


if __name__ == "__main__":
    main()
