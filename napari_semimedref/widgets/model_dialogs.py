"""Two models side by side, and a model's card, each in a window of its own. They show; nothing is decided here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from training.errors import PoolError, SemiMedRefError
from training.files import write_atomically
from training.models.comparing import HalfComparison

METRICS = {
    "dice_global": "Dice, all pixels",
    "dice_per_image": "Dice, mean over images",
    "iou_global": "IoU, all pixels",
    "iou_per_image": "IoU, mean over images",
}
HALF = {
    "report": "Report half: it decided nothing",
    "gate": "Gate half: it decides, so it flatters",
}
MINUS = "\u2212"


class CompareDialog(QDialog):
    """Both halves as tabs: scores side by side, their difference with its interval, and every case."""

    def __init__(
        self, names: tuple[str, str], halves: list[HalfComparison], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{names[0]} and {names[1]}")
        self.resize(520, 560)
        self.tabs = QTabWidget()
        for half in sorted(halves, key=lambda each: each.half != "report"):
            self.tabs.addTab(_page(names, half), half.half.capitalize())
        column = QVBoxLayout(self)
        column.addWidget(self.tabs)
        column.addWidget(_close_box(self))


def _page(names: tuple[str, str], half: HalfComparison) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    about = QLabel(f"{HALF[half.half]}. {_verdict(names, half)}")
    about.setWordWrap(True)
    column.addWidget(about)
    if half.cases:
        scores = _table(("", *names, "difference"))
        for name, words in METRICS.items():
            _add(scores, words, half.first[name], half.second[name])
        scores.setFixedHeight(104)
        column.addWidget(scores)
        cases = _table((f"Case ({len(half.cases)})", *names, "difference"))
        for pair in half.cases:
            _add(cases, pair.case_id, pair.first, pair.second)
        cases.setToolTip("Dice of each case; the largest losses first")
        column.addWidget(cases, 1)
    else:
        column.addStretch()
    return page


def _verdict(names: tuple[str, str], half: HalfComparison) -> str:
    if not half.cases:
        return "No case was measured with both."
    missing = f" {half.missing} cases could not be measured." if half.missing else ""
    return (
        f"{names[1]} against {names[0]}: {signed(half.difference)} mean Dice over {len(half.cases)} cases, "
        f"95 % interval {signed(half.low)} to {signed(half.high)} (bootstrap over cases); better in "
        f"{half.better:.0%} of resamples.{missing}"
    )


def signed(value: float) -> str:
    """A difference with its sign, three digits."""
    return f"{value:+.3f}".replace("-", MINUS)


def _table(titles: tuple[str, ...]) -> QTreeWidget:
    table = QTreeWidget()
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHeaderLabels(titles)
    header: Any = table.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(1, len(titles)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return table


def _add(table: QTreeWidget, name: str, first: float, second: float) -> None:
    row = QTreeWidgetItem([name, f"{first:.3f}", f"{second:.3f}", signed(second - first)])
    for column in range(1, 4):
        row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    table.addTopLevelItem(row)


class CardDialog(QDialog):
    """A model's card, to be read and saved as a document."""

    def __init__(self, name: str, text: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._name, self._text = name, text
        self.setWindowTitle(f"Card of model {name}")
        self.resize(620, 640)
        self.page = QTextBrowser()
        self.page.setMarkdown(text)
        self.said = QLabel()
        self.said.setWordWrap(True)
        box = _close_box(self)
        save: Any = box.addButton("Save…", QDialogButtonBox.ButtonRole.ActionRole)
        save.setToolTip("Write the card to a Markdown file, to be filed")
        save.clicked.connect(lambda: self._ask())
        column = QVBoxLayout(self)
        column.addWidget(self.page, 1)
        column.addWidget(self.said)
        column.addWidget(box)

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the card", f"model-{self._name}.md", "Markdown (*.md)"
        )
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Write the card to a Markdown file."""
        try:
            write_atomically(path, self._text, error_type=PoolError)
        except SemiMedRefError as error:
            self.said.setText(str(error))
            return
        self.said.setText(f"{path} is written.")


def _close_box(dialog: QDialog) -> QDialogButtonBox:
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    box.rejected.connect(dialog.reject)
    return box
