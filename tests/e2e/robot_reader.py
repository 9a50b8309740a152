"""A reader made of mouse and keys at a real window: rounds, corrections, words, undo across cases. Told line by line.

Run as a program by ``test_robot_reader.py``, which kills it once in the middle of a case and starts it again:
``robot_reader.py PROJECT ROUNDS CASES_A_ROUND [PICTURES]``. What it did before is read from the project alone.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_semimedref.display import ensure_display

READER = "Robot"
THEMES = ("dark", "light")
ROUND_PATIENCE = 900.0  # seconds
CRASH_AFTER = 4  # cases accepted before the window is killed with a stroke on its draft


class Robot:
    """One sitting. Nothing is called that a reader could not reach by mouse or key, but reading what is on the desk."""

    def __init__(self, folder: Path, pictures: Path | None) -> None:
        import napari
        from window.hands import Canvas

        from napari_semimedref.app import open_window

        self.viewer = napari.Viewer(show=False)
        self.docks = open_window(self.viewer)
        self.space = self.docks.review.workspace
        self.window = self.viewer.window._qt_window
        self.canvas = Canvas(self.viewer)
        self.rng = np.random.default_rng(0)
        self.pictures = pictures
        assert self.space.open_project(folder, READER)
        self._wait(lambda: self.space.has_case)

    # -- what it sees ------------------------------------------------------------------------------

    @property
    def accepted(self) -> int:
        """Cases this reader accepted, in all sittings."""
        project = self.space.session.project
        labeled = project.cases("labeled")
        return sum(project.revisions(case.id)[-1].reader == READER for case in labeled)

    def tell(self, what: str) -> None:
        """The desk as a line: what happened, case, mask, words."""
        session = self.space.session
        mask = b"" if session.mask is None else np.ascontiguousarray(session.mask).tobytes()
        line = {
            "what": what,
            "case": session.case_id,
            "mask": hashlib.sha256(mask).hexdigest(),
            "words": session.description,
            "accepted": self.accepted,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def picture(self, name: str) -> None:
        """The window as it is, in both themes."""
        from window.hands import settle

        if self.pictures is None or (self.pictures / f"{name}-{THEMES[-1]}.png").exists():
            return
        for theme in (*reversed(THEMES), THEMES[0]):
            self.viewer.theme = theme
            settle(1.0)
            path = self.pictures / f"{name}-{theme}.png"
            self.viewer.window.screenshot(str(path), canvas_only=False, flash=False)

    # -- what it does ------------------------------------------------------------------------------

    def round(self) -> None:
        """Press the trainer's button and wait for the round's end."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self.docks.frames["trainer"].raise_()
        view = self.space.monitor.view
        before = None if view.run is None else view.run.id
        if not (view.alive or view.resumable):
            QTest.mouseClick(self.docks.trainer.start, Qt.MouseButton.LeftButton)
        elif view.resumable:
            QTest.mouseClick(self.docks.trainer.resume, Qt.MouseButton.LeftButton)
        self._wait(lambda: bool(self.space.monitor.view.losses), ROUND_PATIENCE)
        self.tell("round begun")
        self.picture("round-running")
        self._wait(lambda: self._decided(before), ROUND_PATIENCE)
        self.picture("round-decided")
        self.docks.frames["description"].raise_()
        self.tell("round decided")

    def _decided(self, before: int | None) -> bool:
        view = self.space.monitor.view
        new = view.run is not None and view.run.id != before
        return new and not view.alive and view.run.outcome in ("promoted", "refused")

    def review(self, number: int) -> None:
        """One case: as proposed, with a stroke, with another zone, or looked at, left and come back to."""
        way = ("as proposed", "stroke", "words", "and back")[number % 4]
        if way == "stroke":
            self.stroke()
            self.picture("stroke")
        elif way == "words":
            self.name_another_zone()
            self.picture("words")
        elif way == "and back":
            self.undo_across_cases()
        self.tell(way)
        self.accept()

    def stroke(self) -> None:
        """Paint with the mouse until the mask is another one."""
        session, before = self.space.session, np.array(self.space.session.mask)
        for _ in range(6):
            list(self.canvas.stroke(self.rng))
            if not np.array_equal(session.mask, before):
                return
        raise AssertionError("six strokes changed nothing")

    def name_another_zone(self) -> None:
        """Click a zone that the words do not name, and wait for the teacher's answer."""
        from window.hands import press, settle

        dock, words = self.docks.description, self.space.session.description
        named = dock.edit.highlighter.finding.zones
        cell = next(each for zone, each in dock.zones.cells().items() if zone not in named)
        press(dock.zones, cell.center())
        self._wait(lambda: self.space.session.description != words)
        settle(0.5)
        self._wait(lambda: not self.space.engine.awaits("predict"))

    def undo_across_cases(self) -> None:
        """Paint, look at the next case, come back, take the stroke back, and do it again."""
        from napari_semimedref import keys

        session = self.space.session
        case, before = session.case_id, np.array(session.mask)
        self.stroke()
        painted = np.array(session.mask)
        self.press(keys.SKIP)
        self._wait(lambda: session.case_id not in ("", case))
        self.press(keys.PREVIOUS)
        self._wait(lambda: session.case_id == case)
        assert np.array_equal(session.mask, painted)
        self.press(keys.UNDO)
        self._wait(lambda: np.array_equal(session.mask, before))
        self.picture("undone")
        self.press(keys.REDO)
        self._wait(lambda: np.array_equal(session.mask, painted))

    def accept(self) -> None:
        """Accept, and wait for the next case."""
        from napari_semimedref import keys

        case = self.space.session.case_id
        self.press(keys.ACCEPT)
        self._wait(lambda: self.space.session.case_id != case)

    def press(self, chord: str) -> None:
        """A chord on the window, with no text field in the way."""
        from window.hands import settle, type_chord

        type_chord(self.window, self.canvas.widget, chord)
        settle(0.05)

    def _wait(self, done: Any, patience: float = 60.0) -> None:
        from window.hands import wait_until

        wait_until(done, patience)


def main(folder: Path, rounds: int, per_round: int, pictures: Path | None) -> None:
    """All rounds; after a crash, what is left of them."""
    ensure_display()
    robot = Robot(folder, pictures)
    robot.tell("opened")
    robot.picture("opened")
    while robot.accepted < rounds * per_round:
        if len(_decided_runs(robot)) <= robot.accepted // per_round:
            robot.round()
        robot.review(robot.accepted)
        if robot.accepted == CRASH_AFTER and "--restarted" not in sys.argv:
            _wait_to_be_killed(robot)
    robot.picture("done")
    robot.tell("done")
    robot.viewer.close()


def _wait_to_be_killed(robot: Robot) -> None:
    from window.hands import settle

    robot.stroke()
    robot._wait(lambda: not robot.space.session.desk.dirty)
    settle(0.3)
    robot.tell("kill me")
    settle(600)


def _decided_runs(robot: Robot) -> list[Any]:
    from training.pool.rounds import all_runs

    runs = all_runs(robot.space.session.project)
    return [run for run in runs if run.outcome in ("promoted", "refused")]


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    main(Path(words[0]), int(words[1]), int(words[2]), Path(words[3]) if len(words) > 3 else None)
