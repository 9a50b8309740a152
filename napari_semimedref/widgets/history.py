"""The texts that a case has had, as a menu; a click brings one back. What becomes of it is the dock's matter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QWidget

from training.pool.texts import PastText

LONGEST = 60  # characters of a text in the menu; its tooltip has all of it
NOTHING = "No earlier words"


class HistoryMenu(QMenu):
    """Asks for the texts when it is opened.

    Parameters
    ----------
    texts : callable
        The texts of the case on the desk, the latest first.
    """

    chosen = Signal(str)

    def __init__(self, texts: Callable[[], list[PastText]], parent: QWidget) -> None:
        super().__init__(parent)  # whose colors it takes
        self._texts = texts
        self.present = ""  # the words in the editor: no need to bring those back
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Write the menu anew."""
        self.clear()
        texts = self._texts()
        if not texts:
            self._add(NOTHING).setEnabled(False)
        for past in texts:
            action = self._add(title_of(past))
            action.setToolTip(past.text or "(no words)")
            action.setEnabled(past.text != self.present)
            action.triggered.connect(lambda _on=False, text=past.text: self.chosen.emit(text))

    def _add(self, words: str) -> Any:
        return self.addAction(words)


def title_of(past: PastText) -> str:
    """Who wrote a text when, and its beginning."""
    who = past.reader or "imported"
    words = " ".join(past.text.split()) or "(no words)"
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    return f"{_day(past.time)} · {who}: {short}".replace("&", "&&")


def _day(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone():%d %b %Y %H:%M}"
    except ValueError:
        return time
