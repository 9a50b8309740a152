"""What is doubtful about a description, each with its repair a click away; and what of it the network leaves unread."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_semimedref.engine_client import Answer
from napari_semimedref.widgets.parts import Sentence, button, sentence
from napari_semimedref.widgets.words import mend_spelling
from napari_semimedref.workspace import Workspace
from training.report import Finding, Problem, apply_fix

MOST = 3  # shown at first
ROW = "problem"
SURELY_READ = 12  # words: no usual network cuts so short a text
CUT = (
    "Only the first {read} words are read by the network, the rest is cut: say what matters first, or raise "
    "“Text tokens” in the settings of the next round."
)


class ProblemList(QWidget):
    """One line a problem, the gravest first."""

    written = Signal(str)  # the whole text as it shall be

    def __init__(self) -> None:
        super().__init__()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._finding: Finding | None = None
        self._all = False

    def show_finding(self, finding: Finding) -> None:
        """List the problems of a text."""
        if self._finding is not None and self._finding.problems == finding.problems == ():
            return
        self._finding = finding
        for row in self.findChildren(QWidget, ROW):
            row.setParent(None)
            row.deleteLater()
        ordered = sorted(finding.problems, key=lambda problem: (-problem.weight, problem.start))
        for problem in ordered if self._all else ordered[:MOST]:
            self._rows.addWidget(self._row(problem))
        self._offer_more(finding, len(ordered))
        self.setVisible(bool(ordered))

    def forget(self) -> None:
        """Fold the list again; another case comes."""
        self._all = False

    def _row(self, problem: Problem) -> QWidget:
        row, line = _line()
        line.addWidget(sentence(f"⚠ {problem.sentence}"), 1)
        if problem.fix is not None and self._finding is not None:
            fixed = apply_fix(self._finding.text, problem)
            line.addWidget(button("Fix", lambda: self.written.emit(fixed), f"Write: {fixed}"))
        return row

    def _offer_more(self, finding: Finding, count: int) -> None:
        misspelt = [p for p in finding.problems if p.code == "spelling"]
        hidden = 0 if self._all else max(0, count - MOST)
        if len(misspelt) < 2 and not hidden:
            return
        row, line = _line()
        if hidden:
            line.addWidget(button(f"{hidden} more", self._show_all, "Show every problem"))
        if len(misspelt) > 1:
            mended = mend_spelling(finding.text, finding.problems)
            words = f"Fix spelling ({len(misspelt)})"
            line.addWidget(button(words, lambda: self.written.emit(mended), f"Write: {mended}"))
        line.addStretch()
        self._rows.addWidget(row)

    def _show_all(self) -> None:
        self._all = True
        if self._finding is not None:
            self.show_finding(self._finding)


class ReadLimit(Sentence):
    """Says when the serving network cuts the end of a description."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._asked = ""
        workspace.words_counted.connect(self._show)
        self.hide()

    def forget(self) -> None:
        """Say nothing until asked again; another case comes."""
        self._asked = ""
        self.hide()

    def ask(self) -> None:
        """Have the service look at the present words, if they may be too many and it has not yet."""
        space = self._workspace
        if not space.has_case or not space.session.has_teacher:
            self.forget()
            return
        text = space.session.description
        may_be_cut = len(text.split()) > SURELY_READ or space.engine.process_id is not None
        if may_be_cut and text != self._asked:
            self._asked = text
            space.ask_about_case("words")

    def _show(self, answer: Answer) -> None:
        if answer.request["description"] != self._asked:
            return
        read = answer.fields.get("read") if answer.ok else None
        self.setText("" if read is None else f"⚠ {CUT.format(read=read)}")
        self.setVisible(read is not None)


def _line() -> tuple[QWidget, QHBoxLayout]:
    row = QWidget()
    row.setObjectName(ROW)
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    return row, line
