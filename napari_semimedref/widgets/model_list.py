"""The list of models: one line each. What may be done with them is the dock's matter."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from training.models.listing import ModelRow

COLUMNS = ("", "Model", "Labels", "Dice all px", "mean", "State")
WHAT_COLUMNS_MEAN = (
    "● serves proposals",
    "The round that made it, or where it came from",
    "Labeled cases it was trained on",
    "Dice of the teacher over all pixels, on the report half of this project's holdout",
    "Dice of the teacher, mean over images, on the same cases",
    "What became of it",
)


class ModelList(QTreeWidget):
    """Shows models in the order given; one or more can be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHeaderLabels(COLUMNS)
        self.setToolTip("Choose a model, or two to compare them (Return: the model's card)")
        titles: Any = self.headerItem()
        for column, words in enumerate(WHAT_COLUMNS_MEAN):
            titles.setToolTip(column, words)
        header: Any = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)

    def show_rows(self, rows: list[ModelRow]) -> None:
        """Show these models; what was chosen stays chosen."""
        chosen = {row.model.id for row in self.chosen()}
        with QSignalBlocker(self):  # nobody chose anything
            self.clear()
            for row in rows:
                item = QTreeWidgetItem(_texts(row))
                item.setData(0, Qt.ItemDataRole.UserRole, row)
                about = f"{row.model.id}, {row.model.created_at[:16]}"
                item.setToolTip(
                    1, f"{about}\nfrom {row.model.origin}" if row.model.origin else about
                )
                for column in (2, 3, 4):
                    side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    item.setTextAlignment(column, side)
                if row.state == "serving":
                    item.setFont(1, _bold(self.font()))
                self.addTopLevelItem(item)
                item.setSelected(row.model.id in chosen)

    def chosen(self) -> list[ModelRow]:
        """The chosen models."""
        return [item.data(0, Qt.ItemDataRole.UserRole) for item in self.selectedItems()]


def name_of(row: ModelRow) -> str:
    """Its round, or the beginning of its id."""
    return row.model.id[:8] if row.model.run_id is None else f"Round {row.model.run_id}"


def _texts(row: ModelRow) -> list[str]:
    dice = ("–", "–")
    if row.scores is not None:
        dice = (f"{row.scores.dice_global:.3f}", f"{row.scores.dice_per_image:.3f}")
    labels = "–" if row.labeled is None else str(row.labeled)
    return ["●" if row.state == "serving" else "", name_of(row), labels, *dice, row.state]


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold
