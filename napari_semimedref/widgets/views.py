"""The views dock: what the student and the teacher see of a case (weak and strong view, mixing, changed words), exactly
as the trainer would make them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QTextBrowser,
)

from napari_semimedref.engine_client import Answer
from napari_semimedref.fixed_layers import MASK_COLOR, PROPOSAL_COLOR
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import Picture, button, sentence

ANY_PARTNER = "any case"
MOST_PARTNERS = 200
PICTURES = (
    ("weak", "Weak view (teacher)"),
    ("strong", "Strong view (student)"),
    ("mixed", "T-PatchMix"),
    ("target", "Its mask and blocks"),
    ("student", "All of it, as trained"),
    ("labeled", "As a labeled film"),
)


class ViewsDock(Dock):
    """Shows one draw of the views; another draw is another epoch."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.partner = QComboBox()
        self.partner.setToolTip("The case whose patches are mixed in")
        self.partner.setMinimumContentsLength(8)
        self.partner.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.partner.activated.connect(lambda _row: self.ask())
        self.epoch = QSpinBox()
        self.epoch.setRange(0, 99_999)
        self.epoch.setToolTip("Each epoch draws other views; the same epoch draws the same again")
        self.epoch.valueChanged.connect(lambda _value: self.ask())
        self.again = button("Another draw", self._draw_again, "Draw the views of the next epoch")
        self.pictures = {name: Picture(caption) for name, caption in PICTURES}
        self.words = _reader()
        self.status = sentence(muted=True)
        self._lay_out()
        self.workspace.views_arrived.connect(self.show_views)
        self.workspace.case_shown.connect(lambda _opened: self.ask())
        self.finish()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Mix with"))
        row.addWidget(self.partner, 1)
        second = QHBoxLayout()
        second.addWidget(QLabel("Epoch"))
        second.addWidget(self.epoch, 1)
        second.addWidget(self.again, 1)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, picture in enumerate(self.pictures.values()):
            grid.addWidget(picture, place // 2, place % 2)
        self.column.addLayout(row)
        self.column.addLayout(second)
        self.column.addWidget(self.status)
        self.column.addLayout(grid, 4)
        self.column.addWidget(self.words, 1)

    def on_project(self) -> None:
        """Offer the project's cases as partners."""
        self.partner.clear()
        self.partner.addItem(ANY_PARTNER, None)
        project = self.workspace.session.project
        for case in project.cases_page("unlabeled", count=MOST_PARTNERS):
            self.partner.addItem(case.id, case.id)
        self.ask()

    def showEvent(self, event: Any) -> None:  # Qt's name
        """Ask when the dock comes to the front; it does not while it is hidden."""
        super().showEvent(event)
        self.ask()

    def ask(self) -> None:
        """Ask for the views of the case on the desk, if anybody is looking."""
        if not self.isVisible() or not self.workspace.is_open:
            return
        if not self.workspace.has_case:
            self.status.setText("Open a case to see its views.")
        elif self.workspace.ask_for_views(self.partner.currentData(), 0, self.epoch.value()):
            self.status.setText("Drawing the views …")

    def show_views(self, answer: Answer) -> None:
        """Show what the service drew."""
        if not answer.ok:
            self.status.setText(answer.error)
            return
        arrays, fields = answer.arrays, answer.fields
        for name in ("weak", "strong", "mixed"):
            self.pictures[name].show_array(_gray(arrays[name]))
        self.pictures["target"].show_array(
            _target(arrays["mixed"], arrays["mixed_mask"], arrays["block_mask"])
        )
        for name, outline in (("student", "side_mask"), ("labeled", None)):
            self._show_trained(name, arrays, outline)
        self.words.setHtml(_words_of(str(answer.request["description"]), fields))
        partner = fields.get("partner")
        case = answer.request["case"]
        self.status.setText(f"{case} with {partner}" if partner else f"{case}, not mixed")

    def _show_trained(self, name: str, arrays: Mapping[str, Any], outline: str | None) -> None:
        """A film with its target, if the service sent it: a case is not always a labeled one."""
        shown = name in arrays
        self.pictures[name].setVisible(shown)
        if shown:
            mask = arrays[f"{name}_mask"]
            edges = arrays[outline] if outline else np.zeros_like(mask)
            self.pictures[name].show_array(_target(arrays[name], mask, edges))

    def _draw_again(self) -> None:
        self.epoch.setValue(self.epoch.value() + 1)


def _reader() -> QTextBrowser:
    reader = QTextBrowser()
    reader.setFrameShape(QFrame.Shape.NoFrame)
    reader.setMinimumHeight(72)
    reader.setMaximumHeight(150)
    reader.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    return reader


def _words_of(original: str, fields: Mapping[str, Any]) -> str:
    texts = fields.get("texts", {})
    posaug, mixed = marked(original, texts.get("posaug", "")), escape(texts.get("mixed", ""))
    draws = escape(" ".join(fields.get("words", ())))
    read = "".join(
        f"<p><b>{title}:</b> {marked(original, texts[name])}</p>"
        for name, title in (("student", "The student reads"), ("labeled", "As a labeled film"))
        if name in texts
    )
    return (
        f"<p><b>PosAug:</b> {posaug}</p><p><b>Mix:</b> {mixed}</p>{read}"
        f"<p style='color:#969ba5'>{draws}</p>"
    )


def marked(before: str, after: str) -> str:
    """The new words as rich text, those that were not in the old ones in color."""
    known = {word.strip(".,;").lower() for word in before.split()}
    words = [
        escape(word)
        if word.strip(".,;").lower() in known
        else f'<span style="color:#ff9e1c">{escape(word)}</span>'
        for word in after.split()
    ]
    return " ".join(words)


def _gray(image: np.ndarray) -> np.ndarray:
    gray = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _target(image: np.ndarray, mask: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    picture = _gray(image).astype(np.float32)
    inside = mask > 0
    color = 255 * np.array(MASK_COLOR[:3], np.float32)
    picture[inside] = 0.55 * picture[inside] + 0.45 * color
    picture[_edges(blocks > 0)] = 255 * np.array(PROPOSAL_COLOR[:3], np.float32)
    return picture.astype(np.uint8)


def _edges(region: np.ndarray) -> np.ndarray:
    inner = region.copy()
    for axis in (0, 1):
        inner &= np.roll(region, 1, axis) & np.roll(region, -1, axis)
    return region & ~inner
