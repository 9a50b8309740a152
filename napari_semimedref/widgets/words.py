"""The editor of a description: phrases that say where are colored, doubtful words underlined, and mended by a menu.
Words are read elsewhere."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QAction, QColor, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from qtpy.QtWidgets import QMenu, QPlainTextEdit, QToolTip

from training.report import Finding, Problem, apply_fix

DARK = {"finding": QColor(96, 196, 236), "other": QColor(150, 155, 165)}
LIGHT = {"finding": QColor(0, 98, 152), "other": QColor(105, 110, 120)}
UNDERLINE = {0: QColor(128, 136, 150), 1: QColor(240, 150, 30), 2: QColor(232, 80, 70)}
GRAVEST = 2
TIP = "What the film shows, and where; a pause in typing asks the teacher (Escape: the keys are the film's again)"


class WordHighlighter(QSyntaxHighlighter):
    """Colors the phrases that say where, and underlines what is doubtful."""

    finding: Finding | None = None
    light = False

    def highlightBlock(self, text: Any) -> None:  # Qt's name
        """Format one paragraph."""
        finding = self.finding
        document: Any = self.document()
        if finding is None or finding.text != document.toPlainText():
            return  # these spans belong to other words; the right ones are on their way
        start, colors = self.currentBlock().position(), LIGHT if self.light else DARK
        for phrase in finding.phrases:
            style = QTextCharFormat()
            style.setForeground(colors["finding" if phrase.role == "finding" else "other"])
            self._mark(start, len(text), phrase.start, phrase.end, style)
        for problem in sorted(finding.problems, key=lambda problem: problem.weight):
            style = QTextCharFormat()
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(UNDERLINE[min(problem.weight, GRAVEST)])
            self._mark(start, len(text), problem.start, problem.end, style)

    def _mark(self, start: int, length: int, begin: int, end: int, style: QTextCharFormat) -> None:
        first, last = max(begin - start, 0), min(end - start, length)
        for position in range(first, last):
            merged = QTextCharFormat(self.format(position))
            merged.merge(style)
            self.setFormat(position, 1, merged)


class WordEdit(QPlainTextEdit):
    """A plain editor that knows what is doubtful about its words, and gives the keyboard back on Escape."""

    fix_wanted = Signal(object)  # Problem

    def __init__(self) -> None:
        super().__init__()
        self.highlighter = WordHighlighter(self.document())
        self.setPlaceholderText("Describe what the film shows, and where.")
        self.setAccessibleName("Description of the case")
        self.setToolTip(TIP)
        self.setTabChangesFocus(True)

    def show_finding(self, finding: Finding) -> None:
        """Color what was read; it must have been read from the present words."""
        self.highlighter.finding = finding
        self._rehighlight()

    def show_theme(self, light: bool) -> None:
        """Choose colors that can be read on a light or a dark ground."""
        self.highlighter.light = light
        self._rehighlight()

    def replace_words(self, text: str) -> None:
        """Write other words through a cursor, so that Ctrl+Z takes them back."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def problems_at(self, position: int) -> list[Problem]:
        """The problems about the character behind a position, the gravest first."""
        finding = self.highlighter.finding
        if finding is None or finding.text != self.toPlainText():
            return []
        found = [p for p in finding.problems if p.start <= position <= p.end]
        return sorted(found, key=lambda problem: -problem.weight)

    def menu_at(self, position: int) -> QMenu:
        """The context menu: first how the words there can be mended, then Qt's own."""
        menu: Any = self.createStandardContextMenu()
        before = menu.actions()[0] if menu.actions() else None
        for problem in self.problems_at(position):
            action = QAction(_offer(problem), menu)
            action.setEnabled(problem.fix is not None)
            action.setToolTip(problem.sentence)
            action.triggered.connect(lambda _on=False, p=problem: self.fix_wanted.emit(p))
            menu.insertAction(before, action)
        if before is not None and menu.actions()[0] is not before:
            menu.insertSeparator(before)
        menu.setToolTipsVisible(True)
        offered: QMenu = menu
        return offered

    # -- Qt ----------------------------------------------------------------------------------------

    def contextMenuEvent(self, event: Any) -> None:  # Qt's name
        """Offer to mend what is under the pointer."""
        menu = self.menu_at(self.cursorForPosition(event.pos()).position())
        menu.exec(event.globalPos())
        menu.deleteLater()

    def viewportEvent(self, event: Any) -> bool:  # Qt's name
        """Say what is doubtful about the words under the pointer, else what the editor is for."""
        if event.type() == QEvent.Type.ToolTip:
            found = self.problems_at(self.cursorForPosition(event.pos()).position())
            words = "\n".join(problem.sentence for problem in found)
            QToolTip.showText(event.globalPos(), words or TIP, self)
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: Any) -> None:  # Qt's name
        """Leave on Escape; anything else is typing."""
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
        else:
            super().keyPressEvent(event)

    def _rehighlight(self) -> None:
        self.blockSignals(True)
        self.highlighter.rehighlight()
        self.blockSignals(False)


def _offer(problem: Problem) -> str:
    if problem.fix is None:
        return problem.sentence
    return f"Write “{problem.fix}”" if problem.fix else "Take it out"


def mend_spelling(text: str, problems: tuple[Problem, ...]) -> str:
    """All words written as they were read; what says one thing and its opposite is left to the reader."""
    behind = len(text)
    for problem in sorted(problems, key=lambda problem: -problem.start):
        if problem.code == "spelling" and problem.end <= behind:
            text, behind = apply_fix(text, problem), problem.start
    return text
