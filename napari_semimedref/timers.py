"""Timers that end with their owner. What they call is their owner's matter."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer


def timer_for(owner: QObject, interval_ms: int, act: Any, *, once: bool = False) -> QTimer:
    """A stopped timer that lives and ends with its owner."""
    timer = QTimer(owner)
    timer.setInterval(interval_ms)
    timer.setSingleShot(once)
    timer.timeout.connect(act)
    return timer
