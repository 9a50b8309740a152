"""A reader's hands: mouse and keys for a real window, and the time until their effect is drawn. Nothing is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QKeySequence, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

PATIENCE = 20.0  # seconds
BREATH = 0.12  # between two acts
MOVES = 40  # mouse events of a stroke


class TooLate(RuntimeError):
    """Something did not happen in the window."""


class Canvas:
    """The drawn film of one napari viewer."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        scene = viewer.window._qt_viewer.canvas._scene_canvas  # napari names it nowhere else
        self.widget = scene.native
        self.drawn = 0
        scene.events.draw.connect(self._count)

    def _count(self, _event: Any) -> None:
        self.drawn += 1

    def stroke(self, rng: np.random.Generator) -> Iterator[float]:
        """Paint along a slightly bent line; milliseconds of each mouse event, drawing included."""
        middle = QPointF(self.widget.width() / 2, self.widget.height() / 2)
        angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.02, 0.02)
        places = []
        for number in range(MOVES):
            turned, far = angle + bend * number, 2.0 * (number - MOVES / 2)
            places.append(middle + QPointF(far * np.cos(turned), far * np.sin(turned)))
        self._send(QEvent.Type.MouseButtonPress, places[0], Qt.MouseButton.LeftButton)
        settle(0.02)
        for place in places[1:]:
            begun = time.perf_counter()
            self._send(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton)
            QApplication.processEvents()
            yield (time.perf_counter() - begun) * 1000
        self._send(QEvent.Type.MouseButtonRelease, places[-1], Qt.MouseButton.LeftButton)
        settle(BREATH)

    def _send(self, kind: QEvent.Type, place: QPointF, button: Qt.MouseButton) -> None:
        up = kind == QEvent.Type.MouseButtonRelease
        held = Qt.MouseButton.NoButton if up else Qt.MouseButton.LeftButton
        where = self.widget.mapToGlobal(place)
        event = QMouseEvent(kind, place, where, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.widget, event)


def type_chord(window: Any, widget: Any, chord: str) -> None:
    """Press a chord such as "Ctrl+Return" on a widget of a window that is in front."""
    if not window.isActiveWindow():
        window.activateWindow()
        wait_until(window.isActiveWindow, 5)
    widget.setFocus()
    keys = QKeySequence(chord)[0]
    QTest.keyClick(widget, keys.key(), keys.keyboardModifiers())


def press(widget: Any, place: Any) -> None:
    """A click of the left button."""
    QTest.mouseClick(
        widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place.toPoint()
    )


def milliseconds(act: Callable[[], object], done: Callable[[], bool]) -> float:
    """From the start of an act until something is so; TooLate if it never is."""
    begun = time.perf_counter()
    act()
    wait_until(done)
    return (time.perf_counter() - begun) * 1000


def wait_until(done: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Let the window work until something is so."""
    begun = time.perf_counter()
    while not done():
        QApplication.processEvents()
        if time.perf_counter() - begun > patience:
            raise TooLate("The window did not do what it was waited for.")
        time.sleep(0.0005)


def settle(seconds: float = BREATH) -> None:
    """Let the window work for a while, as between two acts of a reader."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.002)
