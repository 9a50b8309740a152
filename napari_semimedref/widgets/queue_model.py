"""The cases of a list as rows of a Qt model: ids at once, what a row shows and its picture when it is looked at.
Reading and painting are the matter of `queue_list`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt
from qtpy.QtGui import QImage, QPixmap

from napari_semimedref.chips import Chip, chips_of
from training.pool.listing import ListedCase

MOST_ROWS, MOST_PICTURES = 3000, 600  # kept in memory; others are read again
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
CHIPS_ROLE = Qt.ItemDataRole.UserRole + 2
PICTURE_ROLE = Qt.ItemDataRole.UserRole + 3
DESK_ROLE = Qt.ItemDataRole.UserRole + 4
V = TypeVar("V")


class QueueModel(QAbstractListModel):
    """A hundred thousand cases are a list of ids; `rows` and `pictures` fill up with what the view shows."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.on_desk = ""
        self._reasons: Mapping[str, str] = {}
        self._rows: dict[str, ListedCase] = {}
        self._pictures: dict[str, QPixmap | None] = {}

    def replace(self, ids: list[str], reasons: Mapping[str, str]) -> None:
        """Show other cases; ``reasons`` say why the queue put them there."""
        self._reasons = reasons
        if ids is self.ids or (len(ids) == len(self.ids) and ids == self.ids):
            self._changed(0, len(ids) - 1)
            return
        self.beginResetModel()
        self.ids = ids
        self.endResetModel()

    def case_id(self, index: QModelIndex) -> str:
        """The case of a row."""
        return self.ids[index.row()]

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        """How many cases there are."""
        return 0 if parent is not None and parent.isValid() else len(self.ids)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The case's id, and what is known of it so far."""
        if not index.isValid() or index.row() >= len(self.ids):
            return None
        case_id = self.ids[index.row()]
        row = self._rows.get(case_id)
        if role == Qt.ItemDataRole.DisplayRole:
            return case_id
        if role == ROW_ROLE:
            return row
        if role == CHIPS_ROLE:
            return self.chips(case_id)
        if role == PICTURE_ROLE:
            return None if row is None else self._pictures.get(row.image)
        if role == DESK_ROLE:
            return case_id == self.on_desk
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._in_words(case_id, row)
        return None

    def chips(self, case_id: str) -> list[Chip]:
        """Why the case is there."""
        return chips_of(self._reasons.get(case_id, ""), self._rows.get(case_id))

    # -- what is looked at -------------------------------------------------------------------------

    def without_row(self, first: int, last: int) -> list[str]:
        """The cases of these places whose rows were not read yet."""
        return [case_id for case_id in self.ids[first : last + 1] if case_id not in self._rows]

    def without_picture(self, first: int, last: int) -> list[str]:
        """The films of these places, as far as their rows are known, whose pictures were not made yet."""
        rows = (self._rows.get(case_id) for case_id in self.ids[first : last + 1])
        images = (row.image for row in rows if row is not None and row.image)
        return [image for image in dict.fromkeys(images) if image not in self._pictures]

    def take_rows(self, asked: Sequence[str], rows: Mapping[str, ListedCase]) -> None:
        """Keep rows that were read; a case that is gone is kept as a row without words."""
        gone = {i: ListedCase(i, "unlabeled", "", "", frozenset()) for i in asked if i not in rows}
        _keep(self._rows, {**rows, **gone}, MOST_ROWS)
        self._changed_cases(asked)

    def take_pictures(self, pictures: Mapping[str, np.ndarray | None]) -> None:
        """Keep pictures ``(h, w) uint8`` of films; None where there is none."""
        made = {image: _pixmap(pixels) for image, pixels in pictures.items()}
        _keep(self._pictures, made, MOST_PICTURES)
        self._changed_cases([i for i, row in self._rows.items() if row.image in pictures])

    def forget(self, case_id: str) -> None:
        """What was known of a case is no longer so."""
        if self._rows.pop(case_id, None) is not None:
            self._changed_cases([case_id])

    def forget_all(self) -> None:
        """Nothing that was known is so any more; pictures stay, since films do not change."""
        self._rows.clear()
        self._changed(0, len(self.ids) - 1)

    # -- inside ------------------------------------------------------------------------------------

    def _changed(self, first: int, last: int) -> None:
        if last >= first >= 0:
            self.dataChanged.emit(self.index(first), self.index(last))

    def _changed_cases(self, case_ids: Iterable[str]) -> None:
        # Where they are in a long list does not matter: only what is on the screen is painted.
        if self.ids and any(True for _ in case_ids):
            self._changed(0, len(self.ids) - 1)

    def _in_words(self, case_id: str, row: ListedCase | None) -> str:
        lines = [case_id]
        if row is not None and row.description:
            lines.append(f"“{row.description}”")
        lines += [chip.sentence for chip in self.chips(case_id)]
        return "\n".join(lines)


def _keep(kept: dict[str, V], new: Mapping[str, V], most: int) -> None:
    """Add to a dictionary of bounded size; the oldest go."""
    for key, value in new.items():
        kept.pop(key, None)
        kept[key] = value
    for key in list(kept)[: max(0, len(kept) - most)]:
        del kept[key]


def _pixmap(pixels: np.ndarray | None) -> QPixmap | None:
    if pixels is None:
        return None
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    image = QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
