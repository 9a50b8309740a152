"""Manners of a process that works beside a person's window: threads, priority. Nothing of training."""

from __future__ import annotations

import contextlib
import os

import torch

NICENESS = 10


def leave_a_core(threads: int) -> None:
    """Use ``threads`` CPU threads, or one less than there are cores (0), and yield to others."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(threads or max(1, (available or 2) - 1))
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
