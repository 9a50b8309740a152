"""How long a reader waits for the window, without and with a round training on the same machine, in one sitting.

A real window on a display (a virtual one is started if there is none), mouse and keys, synthetic films of 1024 pixels
(strokes also at 2048), a small network that serves. Prints the 95th percentile in milliseconds of: the next case shown
after a skip; an accepted mask written and the next case shown; a click on a zone until the words say so; changed words
until the new pseudo-mask is drawn, the pause for further typing included; a mouse event of a brush stroke beyond what
it takes in a bare napari viewer. Also how late a 10 ms timer of the window fires, and memory over many cases.

With `--network paper` the teacher that serves, and the round beside, have the published size (ConvNeXt-Tiny and a BERT
of CXR-BERT's size, random weights): the window must not notice, but for the words' way to a new pseudo-mask.

Usage: python benchmarks/gui_latency.py [--repeats 20] [--cases 120] [--size 1024] [--shown 1000] [--network default]
       [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

TARGETS = {
    "next_case": 100.0,
    "stroke": 16.0,
    "zone_click": 30.0,
    "text_to_mask": 300.0,
    "accept": 120.0,
}
LARGE = 2048  # pixels
TICK_MS = 10.0


def main() -> None:
    """Measure and print."""
    options = _options()
    os.environ.setdefault("QT_API", "pyqt6")
    os.environ["NAPARI_CONFIG"] = ""
    from napari_semimedref.display import ensure_display

    ensure_display()
    with tempfile.TemporaryDirectory(prefix="semimedref-") as made:
        usual, large = Path(made) / "usual", Path(made) / "large"
        _project(usual, options.cases, options.size)
        _project(large, 4, LARGE, labels="0")
        _first_round(usual, options.network)
        figures = measure(usual, large, options)
    report(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=20, help="of each act, in each part")
    parser.add_argument("--strokes", type=int, default=5, help="at each size, in each part")
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--size", type=int, default=1024, help="side of the films in pixels")
    parser.add_argument("--shown", type=int, default=1000, help="cases shown for the memory figure")
    parser.add_argument("--network", choices=("default", "paper"), default="default")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _project(folder: Path, cases: int, size: int, labels: str = "0.1") -> None:
    """A project of synthetic films."""
    _call("phantom", str(folder), "--cases", str(cases), "--size", str(size), "--labels", labels)


def _first_round(folder: Path, network: str) -> None:
    """A short round, so that a teacher serves; the next one would last for hours."""
    from training.next_round import next_config, save_next_config
    from training.pool import Project

    project = Project.open(folder)
    config, first = next_config(project), 60
    if network == "paper":
        from steps.material import make_network

        from training.config import preset

        first, config = 2, preset("paper")
        texts = [case.description for case in project.cases()]
        training = config.training.model_copy(update={"batch_labeled": 4, "batch_unlabeled": 4})
        network = make_network(folder, "paper", texts)
        config = config.model_copy(update={"network": network, "training": training})
    for steps in (first, 200_000):
        changes = {"steps": steps, "evaluate_every": min(steps, 500)}
        training = config.training.model_copy(update=changes)
        save_next_config(project, config.model_copy(update={"training": training}))
        if steps == first:
            _call("round", str(folder))
    project.close()


def measure(usual: Path, large: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Figures of both parts, and of memory."""
    import napari
    from window.hands import settle, wait_until
    from window.sitting import Sitting

    from napari_semimedref.app import open_window

    viewer = napari.Viewer(show=False)
    sitting = Sitting(viewer, open_window(viewer))
    sitting.open(usual)
    figures: dict[str, Any] = {"idle": _part(sitting, usual, large, options)}
    monitor, start = sitting.space.monitor, sitting.docks.trainer.start
    start.click()
    wait_until(lambda: len(sitting.space.monitor.view.losses) > 3, 120)
    figures["training"] = _part(sitting, usual, large, options)
    monitor = sitting.space.monitor
    figures["run"] = {"steps": monitor.view.status.step, "cores": os.cpu_count() or 0}
    monitor.stop()
    wait_until(lambda: not monitor.view.alive, 60)
    figures["memory"] = sitting.memory(options.shown, max(1, options.shown // 10))
    settle()
    viewer.close()
    settle()
    return figures


def _part(sitting: Any, usual: Path, large: Path, options: argparse.Namespace) -> dict[str, float]:
    times = sitting.all_acts(options.repeats)
    figures = {f"{name}_p95_ms": _p95(each) for name, each in times.items()}
    figures |= {f"{name}_p50_ms": _p50(each) for name, each in times.items()}
    worst = 0.0
    for folder, size in ((usual, options.size), (large, LARGE)):
        if folder is large:
            sitting.open(large)
        ours, theirs = sitting.strokes(options.strokes)
        beyond = max(0.0, _p95(ours) - _p95(theirs))
        figures |= {
            f"stroke_{size}_p95_ms": _p95(ours),
            f"stroke_{size}_napari_p95_ms": _p95(theirs),
        }
        worst = max(worst, beyond)
    sitting.open(usual)
    figures["stroke_p95_ms"] = round(worst, 2)
    late = _late(5.0)
    return figures | {"timer_late_p95_ms": _p95(late), "timer_late_worst_ms": round(max(late), 2)}


def _late(seconds: float) -> list[float]:
    """How late a 10 ms timer of an idle window fires, in milliseconds."""
    from qtpy.QtCore import QEventLoop, Qt, QTimer

    loop, delays = QEventLoop(), []
    begun = last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        delays.append(max(0.0, (now - last) * 1000 - TICK_MS))
        last = now
        if now - begun > seconds:
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(int(TICK_MS))
    timer.timeout.connect(tick)
    timer.start()
    loop.exec()
    timer.stop()
    return delays


def _p95(values: list[float]) -> float:
    return round(float(np.percentile(values, 95)), 2)


def _p50(values: list[float]) -> float:
    return round(float(np.median(values)), 2)


def report(figures: dict[str, Any]) -> None:
    """Print the figures, what they are to each other and to the targets."""
    idle, training, run = figures["idle"], figures["training"], figures["run"]
    print(f"95th percentiles in ms; {run['steps']} steps of training on {run['cores']} cores")
    print(f"{'':16s}{'idle':>9s}{'training':>10s}{'ratio':>7s}{'target':>8s}")
    for name, target in TARGETS.items():
        a, b = idle[f"{name}_p95_ms"], training[f"{name}_p95_ms"]
        verdict = "met" if max(a, b) <= target else "missed"
        print(f"{name:16s}{a:9.1f}{b:10.1f}{b / max(a, 0.1):7.2f}{target:8.0f}  {verdict}")
    for name in [each for each in idle if each.startswith(("stroke_1", "stroke_2", "timer"))]:
        print(f"{name:32s}{idle[name]:9.1f}{training[name]:10.1f}")
    print(
        "memory: " + ", ".join(f"{name} {value:.0f}" for name, value in figures["memory"].items())
    )


def _call(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "training.cli", *words], check=True, stdout=2)


if __name__ == "__main__":
    main()
