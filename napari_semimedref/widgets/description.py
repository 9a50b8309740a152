"""The description dock: the words of the case, what they are read to mean, and what is doubtful about them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from qtpy.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, heading, sentence
from napari_semimedref.widgets.zone_map import ZoneMap
from training.report import (
    Disagreement,
    Finding,
    Problem,
    apply_fix,
    check_mask,
    parse,
    rewrite_zones,
    zones_of,
)
from training.review import OpenCase

WHOSE_LEFT = {
    "image": "“left” means the picture's left, which is the patient's right (R).",
    "patient": "“left” means the patient's left (L), at the picture's right.",
}
ROLES = {
    "finding": QColor(90, 190, 230),
    "negated": QColor(150, 155, 165),
    "elsewhere": QColor(150, 155, 165),
}
MOST_PROBLEMS = 3
PROBLEM = "problem"
SOON_MS = 350


class WordHighlighter(QSyntaxHighlighter):
    """Colors the phrases that say where, and underlines what is doubtful."""

    finding: Finding | None = None

    def highlightBlock(self, text: Any) -> None:  # Qt's name
        """Format one paragraph."""
        if self.finding is None:
            return
        start = self.currentBlock().position()
        for phrase in self.finding.phrases:
            style = QTextCharFormat()
            style.setForeground(ROLES[phrase.role])
            self._mark(start, len(text), phrase.start, phrase.end, style)
        for problem in self.finding.problems:
            style = QTextCharFormat()
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(QColor(255, 158, 28))
            self._mark(start, len(text), problem.start, problem.end, style)

    def _mark(self, start: int, length: int, begin: int, end: int, style: QTextCharFormat) -> None:
        first, last = max(begin - start, 0), min(end - start, length)
        for position in range(first, last):
            merged = QTextCharFormat(self.format(position))
            merged.merge(style)
            self.setFormat(position, 1, merged)


class WordEdit(QPlainTextEdit):
    """A plain editor that gives the keyboard back to the film on Escape."""

    def keyPressEvent(self, event: Any) -> None:  # Qt's name
        """Leave on Escape; anything else is typing."""
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class DescriptionDock(Dock):
    """Edit the words; a pause in typing asks the teacher for a new pseudo-mask."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.title = heading("")
        self.edit = WordEdit()
        self.edit.setPlaceholderText("Describe what the film shows, and where.")
        self.edit.setTabChangesFocus(True)
        self.edit.setFixedHeight(66)
        self.edit.textChanged.connect(self._on_typing)
        self.highlighter = WordHighlighter(self.edit.document())
        self.reading = sentence()
        self.zones = ZoneMap()
        self.zones.toggled.connect(self.toggle_zone)
        self.convention = sentence(muted=True)
        self.problems = QWidget()
        self._problem_rows = QVBoxLayout(self.problems)
        self._problem_rows.setContentsMargins(0, 0, 0, 0)
        self.disagreement = sentence()
        self._fitting = ""
        self.from_mask = button(
            "Fit words to mask",
            self._describe_mask,
            "Change the words so that they fit the mask",
        )
        self.service = sentence(muted=True)
        self._soon = timer_for(self, SOON_MS, self._show_zones, once=True)
        self._lay_out()
        self.workspace.case_shown.connect(self.show_case)
        self.workspace.service_said.connect(lambda words: self.service.setText(words))
        self.finish()

    def _lay_out(self) -> None:
        for widget in (self.title, self.edit, self.reading, self.problems, self.zones):
            self.column.addWidget(widget)
        self.column.addWidget(self.disagreement)
        self.column.addWidget(self.from_mask, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.convention)
        self.column.addStretch()
        self.column.addWidget(self.service)

    def on_project(self) -> None:
        """Follow the session's words and mask."""
        session = self.workspace.session
        self.convention.setText(WHOSE_LEFT[session.project.laterality])
        session.mask_edited.connect(lambda: self._soon.start())
        session.proposal_changed.connect(lambda _opened: self._soon.start())
        self.show_case(session.current)

    def show_case(self, opened: OpenCase | None) -> None:
        """Show the words of another case."""
        self.edit.setEnabled(opened is not None)
        self.title.setText("No case" if opened is None else opened.case.id)
        self.title.setToolTip(self.title.text())
        self.edit.blockSignals(True)
        self.edit.setPlainText(self.workspace.session.description if opened else "")
        self.edit.blockSignals(False)
        self.service.setText(self._standing(opened))
        self._read()

    def toggle_zone(self, zone: str) -> None:
        """Put a zone into the words, or take it out."""
        if not self.workspace.has_case:
            return
        zones = parse(self.edit.toPlainText()).zones ^ {zone}
        self._write(rewrite_zones(self.edit.toPlainText(), zones).text)

    # -- inside ------------------------------------------------------------------------------------

    def _standing(self, opened: OpenCase | None) -> str:
        if opened is None:
            return "The queue is empty."
        if opened.case.is_holdout:
            return "Held out: drawn without a proposal, since it judges the teachers."
        if not self.workspace.session.has_teacher:
            return "No teacher yet: draw the mask yourself; a round makes the first teacher."
        if opened.proposal is None:
            return "The teacher has not seen this case: change the words to ask it."
        return "The proposal is the serving teacher's; change the words to ask it again."

    def _on_typing(self) -> None:
        with self.workspace.attempt():
            self.workspace.session.edit_description(self.edit.toPlainText())
        self._read()

    def _write(self, text: str) -> None:
        # Through a cursor rather than setPlainText, so that Ctrl+Z takes it back.
        cursor = QTextCursor(self.edit.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def _read(self) -> None:
        finding = parse(self.edit.toPlainText())
        self.highlighter.finding = finding
        self.edit.blockSignals(True)
        self.highlighter.rehighlight()
        self.edit.blockSignals(False)
        self.reading.setText(_reading_of(finding))
        self._show_problems(finding)
        self._show_zones()

    def _show_problems(self, finding: Finding) -> None:
        for row in self.problems.findChildren(QWidget, PROBLEM):
            row.setParent(None)
            row.deleteLater()
        ordered = sorted(finding.problems, key=lambda problem: -problem.weight)
        for problem in ordered[:MOST_PROBLEMS]:
            self._problem_rows.addWidget(self._problem_row(problem))
        self.problems.setVisible(bool(ordered))

    def _problem_row(self, problem: Problem) -> QWidget:
        row = QWidget()
        row.setObjectName(PROBLEM)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(sentence(f"⚠ {problem.sentence}"), 1)
        if problem.fix is not None:
            fixed = apply_fix(self.edit.toPlainText(), problem)
            line.addWidget(button("Fix", lambda: self._write(fixed), f"Write: {fixed}"))
        return row

    def _show_zones(self) -> None:
        if not self.workspace.is_open:
            return
        session = self.workspace.session
        convention, mask, text = session.project.laterality, session.mask, self.edit.toPlainText()
        painted: frozenset[str] = frozenset()
        doubts: tuple[Disagreement, ...] = ()
        if mask is not None and mask.any():
            painted = zones_of(mask, session.bands, convention)
            doubts = check_mask(text, mask, session.bands, convention)
        self.zones.show_zones(convention, parse(text).zones, painted)
        self.disagreement.setText(doubts[0].problem.sentence if doubts else "")
        self._fitting = doubts[0].problem.fix or "" if doubts else ""
        for widget in (self.disagreement, self.from_mask):
            widget.setVisible(bool(doubts))

    def _describe_mask(self) -> None:
        if self._fitting:
            self._write(self._fitting)


def _reading_of(finding: Finding) -> str:
    if finding.reading == "none":
        return "Names no position."
    if finding.reading == "ambiguous":
        return "The words can be read in more than one way."
    if finding.is_negative:
        return "Read as: no finding."
    count = "" if finding.count is None else f", {finding.count} area{'s' * (finding.count != 1)}"
    places = len(finding.zones)
    return f"Read as: {finding.laterality}{count}, {places} zone{'s' * (places != 1)}."
