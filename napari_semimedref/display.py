"""A display to draw on: where Linux has none, a virtual one is started. Must run before Qt is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys

from training.errors import SemiMedRefError

SCREEN = "1366x768x24"


class DisplayError(SemiMedRefError):
    """There is nothing to draw on."""


def has_display() -> bool:
    """Whether windows can be shown as things are."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if not sys.platform.startswith("linux") or chosen not in ("", "xcb", "wayland"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def ensure_display() -> str | None:
    """Start a virtual display where there is none; it ends with this process.

    Returns
    -------
    str or None
        The display's name if one was started.

    Raises
    ------
    DisplayError
        There is none and none can be started.
    """
    if has_display():
        return None
    program = shutil.which("Xvfb")
    if program is None:
        raise DisplayError(
            "There is no display and no Xvfb to stand in for one: set DISPLAY, or install the package xvfb."
        )
    read, write = os.pipe()
    options = ["-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([program, *options], pass_fds=(write,), stdout=quiet, stderr=quiet)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()  # Xvfb writes it once it is ready
    if not number:
        raise DisplayError("The virtual display Xvfb did not start: set DISPLAY to a real one.")
    atexit.register(_end, server)
    os.environ["DISPLAY"] = f":{number}"
    os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
    return os.environ["DISPLAY"]


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()
