"""One sitting at the window: every act a reader repeats all day, done some dozen times, in milliseconds."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_semimedref import keys
from napari_semimedref.fixed_layers import MASK
from training.report import ZONES
from window.hands import Canvas, milliseconds, press, settle, type_chord, wait_until

BARE = Path(__file__).with_name("bare.py")
Times = dict[str, list[float]]
SENTENCES = (
    "Unilateral pulmonary infection, one infected area, lower left lung.",
    "Unilateral pulmonary infection, one infected area, upper right lung.",
)


class Sitting:
    """A window with docks."""

    def __init__(self, viewer: Any, docks: Any) -> None:
        self.docks, self.space = docks, docks.review.workspace
        self.window = viewer.window._qt_window
        self.canvas = Canvas(viewer)
        self._rng = np.random.default_rng(0)

    def all_acts(self, repeats: int) -> Times:
        """Milliseconds of each repetition of each act but strokes."""
        acts = {
            "next_case": self._next_case,
            "zone_click": self._zone_click,
            "text_to_mask": self._text_to_mask,
            "accept": self._accept,
        }
        times: Times = {name: [] for name in acts}
        # In turn, so that a slow spell of the machine meets all of them.
        for _ in range(repeats):
            for name, act in acts.items():
                times[name].append(act())
                settle()
        return times

    def strokes(self, count: int) -> tuple[list[float], list[float]]:
        """Milliseconds of mouse events while painting: here, and in a bare viewer with a film and a brush as large."""
        layers = self.canvas.viewer.layers
        layers.selection.active = layers[MASK]
        layers[MASK].mode = "paint"
        settle(0.3)
        ours = [each for _ in range(count) for each in self.canvas.stroke(self._rng)]
        side, brush = layers[MASK].data.shape[0], round(layers[MASK].brush_size)
        command = [sys.executable, str(BARE), str(side), str(brush), str(count)]
        paths = {**os.environ, "PYTHONPATH": str(BARE.parents[1])}
        told = subprocess.run(command, env=paths, check=True, capture_output=True, text=True)
        return ours, json.loads(told.stdout.splitlines()[-1])

    def open(self, folder: Path) -> None:
        """Open a project and wait for its first film."""
        assert self.space.open_project(folder, "benchmark")
        wait_until(lambda: self.space.has_case)
        settle(1.0)

    def memory(self, cases: int, tenth: int) -> dict[str, float]:
        """Largest memory of the process after a tenth of so many cases shown, and after all of them, in MiB."""
        session = self.space.session
        around = itertools.cycle([case.id for case in session.project.cases("unlabeled")][:60])
        told = {}
        for number in range(1, cases + 1):
            session.open(next(around))
            settle(0.01)
            if number in (tenth, cases):
                told[f"after_{number}_cases_mib"] = _peak_mib()
        return told

    def _next_case(self) -> float:
        before = self.space.session.case_id
        return self._until_drawn(lambda: self._key(keys.SKIP), lambda: self._another(before))

    def _accept(self) -> float:
        before = self.space.session.case_id
        return self._until_drawn(lambda: self._key(keys.ACCEPT), lambda: self._another(before))

    def _zone_click(self) -> float:
        dock = self.docks.description
        before = dock.edit.toPlainText()
        zone = ZONES[int(self._rng.integers(6))]
        place = dock.zones.cells()[zone].center()
        return milliseconds(
            lambda: press(dock.zones, place), lambda: dock.edit.toPlainText() != before
        )

    def _text_to_mask(self) -> float:
        came: list[Any] = []
        session, dock = self.space.session, self.docks.description
        settle(0.8)  # The answer to the click before.
        session.proposal_changed.connect(came.append)
        try:
            other = next(each for each in SENTENCES if each != dock.edit.toPlainText())
            return self._until_drawn(lambda: dock.edit.setPlainText(other), lambda: bool(came))
        finally:
            session.proposal_changed.disconnect(came.append)

    def _until_drawn(self, act: Any, done: Any) -> float:
        count = self.canvas.drawn

        def seen() -> bool:
            nonlocal count
            if not done():
                count = self.canvas.drawn
                return False
            return self.canvas.drawn > count

        return milliseconds(act, seen)

    def _another(self, before: str) -> bool:
        return self.space.session.case_id not in ("", before)

    def _key(self, chord: str) -> None:
        type_chord(self.window, self.canvas.widget, chord)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
