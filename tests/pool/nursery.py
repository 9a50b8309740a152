"""Child processes that start at once, because the modules they need are loaded before they are forked."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing import forkserver

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["workers"])


def child(target, *arguments: object):
    """A process that will run ``target(*arguments)`` when started."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)  # Python < 3.12
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return CONTEXT.Process(target=target, args=arguments)
