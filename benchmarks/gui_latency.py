"""How late the window's event loop runs while a round trains on the CPU, against the same window without a round.

A real window on a display (a virtual one is started if there is none), a real round on a phantom project. A 10 ms
timer runs in the GUI thread; its delay is the time beyond 10 ms since its last tick. Prints milliseconds for an idle
window and for a reader who paints and accepts, each without and with a round beside it, and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

TICK_MS = 10.0
STROKE_SECONDS = 0.4
ACCEPT_EVERY = 10  # strokes
P95_LIMIT_MS, WORST_LIMIT_MS = 30.0, 100.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each part")
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("QT_API", "pyqt6")
    os.environ["NAPARI_CONFIG"] = ""
    from napari_semimedref.display import ensure_display

    ensure_display()
    with tempfile.TemporaryDirectory(prefix="semimedref-") as folder:
        figures = measure(phantom_project(Path(folder) / "project", options.cases), options.seconds)
    report(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def phantom_project(folder: Path, cases: int) -> Path:
    """A project of synthetic films whose round lasts long enough to be measured."""
    command = [sys.executable, "-m", "training.cli", "phantom", str(folder)]
    subprocess.run([*command, "--cases", str(cases), "--preset", "demo"], check=True, stdout=2)
    from training.pool import Project
    from training.round import next_config, save_next_config

    project = Project.open(folder)
    config = next_config(project)
    longer = config.training.model_copy(update={"steps": 100_000, "evaluate_every": 60})
    save_next_config(project, config.model_copy(update={"training": longer}))
    project.close()
    return folder


def measure(folder: Path, seconds: float) -> dict[str, dict[str, float]]:
    """Delays in milliseconds of each part of one sitting."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_semimedref.app import open_window

    viewer = napari.Viewer(show=False)
    docks = open_window(viewer, "trainer")
    space = docks.review.workspace
    space.open_project(folder, "benchmark")
    listen(2.0)
    figures = {"idle": summary(listen(seconds))}
    figures["reviewing"] = summary(listen(seconds, act=Reader(space).act))
    docks.trainer.start.click()
    figures["starting"] = summary(listen(120.0, until=lambda: len(space.monitor.view.losses) > 3))
    figures["idle, training"] = summary(listen(seconds))
    figures["reviewing, training"] = summary(listen(seconds, act=Reader(space).act))
    steps = space.monitor.view.status.step
    space.monitor.stop()
    listen(60.0, until=lambda: not space.monitor.view.alive)
    viewer.close()
    QApplication.processEvents()
    figures["run"] = {"steps": steps, "cores": os.cpu_count() or 0}
    return figures


class Reader:
    """Paints a stroke every now and then, and accepts."""

    def __init__(self, space) -> None:
        self._space = space
        self._rng = np.random.default_rng(0)
        self._strokes = 0
        self._last = time.perf_counter()

    def act(self) -> None:
        """Do what is due."""
        if time.perf_counter() - self._last < STROKE_SECONDS or self._space.session.current is None:
            return
        self._last = time.perf_counter()
        self._strokes += 1
        layer = self._space.viewer.layers["mask"]
        layer.paint(tuple(self._rng.uniform(20, 200, 2)), 1)
        if self._strokes % ACCEPT_EVERY == 0:
            self._space.accept()


def listen(
    seconds: float,
    until: Callable[[], bool] = lambda: False,
    act: Callable[[], None] = lambda: None,
) -> list[float]:
    """Run the event loop and return the delays of a 10 ms timer in milliseconds."""
    from qtpy.QtCore import QEventLoop, Qt, QTimer

    loop, delays = QEventLoop(), []
    begun = last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        delays.append(max(0.0, (now - last) * 1000 - TICK_MS))
        last = now
        act()
        if now - begun > seconds or until():
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(int(TICK_MS))
    timer.timeout.connect(tick)
    timer.start()
    loop.exec()
    timer.stop()
    return delays


def summary(delays: list[float]) -> dict[str, float]:
    """Percentiles of delays in milliseconds."""
    p50, p95, p99 = np.percentile(delays, [50, 95, 99])
    named = {"p50": p50, "p95": p95, "p99": p99, "worst": max(delays), "ticks": len(delays)}
    return {name: round(float(value), 2) for name, value in named.items()}


def report(figures: dict[str, dict[str, float]]) -> None:
    """Print the figures and what they are to the idle window's."""
    run, parts = figures["run"], {k: v for k, v in figures.items() if k != "run"}
    print(f"{run['steps']:.0f} training steps beside the window on {run['cores']:.0f} cores")
    print(f"{'delay of a 10 ms timer (ms)':28s}{'p50':>8s}{'p95':>8s}{'p99':>8s}{'worst':>8s}")
    for name, part in parts.items():
        numbers = "".join(f"{part[key]:8.1f}" for key in ("p50", "p95", "p99", "worst"))
        print(f"{name:28s}{numbers}")
    for name in ("idle", "reviewing"):
        with_round, without = parts[f"{name}, training"], parts[name]
        ratios = {key: with_round[key] / max(without[key], 0.1) for key in ("p95", "worst")}
        print(
            f"{name}, with a round to without: p95 {ratios['p95']:.1f}, worst {ratios['worst']:.1f}"
        )
    part = parts["idle, training"]
    kept = part["p95"] < P95_LIMIT_MS and part["worst"] < WORST_LIMIT_MS
    limits = f"p95 under {P95_LIMIT_MS:.0f} ms and worst under {WORST_LIMIT_MS:.0f} ms"
    print(f"{limits} while a round trains: {'kept' if kept else 'missed'}")


if __name__ == "__main__":
    main()
