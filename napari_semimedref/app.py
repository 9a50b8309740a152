"""The command `napari-semimedref`: the review window as a program of its own. What the window shows is the matter of
`layout`."""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from napari_semimedref.display import ensure_display
from training.errors import PoolError, SemiMedRefError
from training.pool import Project
from training.pool.database import is_project

SCREENSHOT_SECONDS = 30.0
DEMO_SCREENSHOT_SECONDS = 240.0
DEMO_CASES = 120
TOUR_MS = 600
TABS = ("description", "trainer", "models", "views", "explain", "progress")

log = logging.getLogger("napari-semimedref")


def main(arguments: list[str] | None = None) -> int:
    """Open the window; returns the exit status."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for chatty in ("napari", "OpenGL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    chosen = _parser().parse_args(arguments)
    try:
        return _run(chosen)
    except SemiMedRefError as error:
        log.error("%s", error)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-semimedref", description="Review pseudo-masks against their descriptions."
    )
    parser.add_argument("project", nargs="?", type=Path, help="the project's folder")
    parser.add_argument("--demo", action="store_true", help="a project of synthetic films")
    parser.add_argument("--reader", default="", help="the name revisions are kept under")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="save a picture and exit")
    parser.add_argument("--tab", choices=TABS, default=TABS[0], help="the tab in front")
    return parser


def _run(chosen: argparse.Namespace) -> int:
    started = ensure_display()
    if started:
        log.info("There is no display: drawing on the virtual display %s.", started)
        if chosen.screenshot is None:
            log.info(
                "Nobody sees that window: give --screenshot FILE, or set DISPLAY and try again."
            )
    folder = demo_project(chosen.project) if chosen.demo else chosen.project
    if folder is not None:
        Project.open(folder).close()  # what is wrong with it is said before a window opens
    # napari only now: it needs a display, and the demo's films can be drawn without one.
    import napari

    viewer = napari.Viewer(title="napari-semimedref", show=False)
    docks = open_window(viewer, chosen.tab)
    space = docks.review.workspace
    if chosen.demo and folder is not None:
        begin_demo(viewer, space, folder, chosen.reader, with_tour=chosen.screenshot is None)
    elif folder is not None:
        _open(space, folder, chosen.reader)
    if chosen.screenshot is not None:
        patience = DEMO_SCREENSHOT_SECONDS if chosen.demo else SCREENSHOT_SECONDS
        _take_screenshot_when_ready(viewer, space, chosen.screenshot, patience)
    napari.run()
    return 0


def open_window(viewer: Any, tab: str = TABS[0]) -> Any:
    """Lay the docks out and show the window at a size that fits small screens."""
    from napari_semimedref.layout import lay_out, resize_docks

    docks = lay_out(viewer)
    viewer.window.show()
    resize_docks(viewer, docks.frames)
    docks.frames[tab].raise_()
    return docks


def demo_project(folder: Path | None = None) -> Path:
    """The demo's project; made of synthetic films if it is missing.

    Raises
    ------
    PoolError
        It cannot be made, or not put into its folder.
    """
    folder = folder or user_data_path("napari-semimedref") / "demo"
    if is_project(folder):
        return folder
    # A kill must not leave half a demo behind.
    half_made = folder.with_name(f".{folder.name}-being-made")
    shutil.rmtree(half_made, ignore_errors=True)
    log.info("Drawing %d synthetic chest films in %s …", DEMO_CASES, folder)
    command = [sys.executable, "-m", "training.cli", "phantom", str(half_made)]
    options = ["--cases", str(DEMO_CASES), "--seed", "0", "--preset", "demo"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        words = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        raise PoolError(f"The demo project was not made: {words[-1]}")
    try:
        half_made.rename(folder)
    except OSError as error:
        raise PoolError(
            f"The demo project cannot be put into {folder}: choose an empty folder."
        ) from error
    return folder


def begin_demo(
    viewer: Any, space: Any, folder: Path, reader: str = "", *, with_tour: bool = True
) -> None:
    """Open the demo, start its first round, and the first time lead through the window."""
    from napari_semimedref import tour
    from napari_semimedref.preferences import preferences
    from napari_semimedref.timers import timer_for

    _open(space, folder, reader)
    begin_demo_round(space)
    if with_tour and not preferences().tour_shown:
        # The docks have their sizes only after the window was painted.
        timer_for(space, TOUR_MS, lambda: tour.start(viewer), once=True).start()


def _open(space: Any, folder: Path, reader: str) -> None:
    if not space.open_project(folder, reader):
        raise PoolError(
            f"{folder} was not opened: the warning before this says why; mend that, or give another folder."
        )


def begin_demo_round(space: Any) -> None:
    """Start the demo's first round, unless a teacher serves or a round is under way."""
    if space.session.has_teacher or space.monitor.view.alive:
        return
    with space.attempt():
        if space.monitor.view.resumable:
            space.monitor.resume()
        else:
            space.monitor.start()


def _take_screenshot_when_ready(viewer: Any, space: Any, path: Path, patience: float) -> None:
    from qtpy.QtCore import QTimer

    from napari_semimedref.timers import timer_for

    window = viewer.window._qt_window
    deadline = time.monotonic() + patience

    def look() -> None:
        late = time.monotonic() > deadline
        if not (late or _is_ready(space)):
            return
        timer.stop()
        QTimer.singleShot(1500, lambda: _save_and_close(viewer, path))

    timer = timer_for(window, 300, look)
    timer.start()


def _is_ready(space: Any) -> bool:
    if not space.is_open:
        return True
    opened = space.session.current
    if space.monitor.view.alive or space.engine.busy:
        return False
    return opened is not None and (opened.proposal is not None or not space.session.has_teacher)


def _save_and_close(viewer: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    viewer.window.screenshot(str(path), canvas_only=False, flash=False)
    log.info("Saved %s.", path)
    viewer.close()


if __name__ == "__main__":
    raise SystemExit(main())
