"""The adjudication dock: two readers' masks and words beside each other, how far they agree, and the decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QWidget
from skimage.segmentation import find_boundaries

from napari_semimedref.adjudicating import NAMES
from napari_semimedref.chips import ZONE_WORDS
from napari_semimedref.reading_layers import READING_COLORS
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import Picture, button, heading, painted_once, sentence
from training.pool.readings import Likeness, Reading

PICTURE_HEIGHT = 124
NOTHING = (
    "Readers do not disagree about this case. “Next contested case” opens one that waits; the queue lists them under "
    "“Readers disagree”."
)
HOW = {"open": "read openly", "blind": "read blindly", "adjudication": "adjudicated"}


class AdjudicationDock(Dock):
    """Shows the two readings; A is the reference, B disputes it."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        judge = self.workspace.adjudicating
        self.title, self.reason = heading(""), sentence(muted=True)
        self.pictures = [Picture(f"Reading {name}") for name in NAMES]
        self.boxes = [self._box(which) for which in (0, 1)]
        self.abouts, self.words = [sentence(), sentence()], [sentence(), sentence()]
        self.others = QComboBox()
        self.others.setToolTip("More than two readings disagree: which one stands beside A")
        self.others.activated.connect(lambda row: judge.choose_second(row + 1))
        self.likeness = sentence()
        self.keep = [
            button(
                f"Keep {name}",
                partial(judge.let_stand, which),
                f"Reading {name} becomes the reference; the other is kept in the case's story",
            )
            for which, name in enumerate(NAMES)
        ]
        self.edit = [
            button(
                f"Edit from {name}",
                partial(judge.edit_from, which),
                f"Reading {name} becomes your draft; accepting it decides",
            )
            for which, name in enumerate(NAMES)
        ]
        self.next = button(
            "Next contested case", judge.next, "Open the next case that waits for a decision"
        )
        self.news = sentence(muted=True)
        self._lay_out()
        judge.changed.connect(self.show_contest)
        judge.said.connect(lambda words: self.news.setText(words))
        self.finish()

    def on_project(self) -> None:
        """Show what there is to decide about the case on the desk."""
        self.news.setText("")
        self.show_contest()

    def show_contest(self) -> None:
        """Show the readings of the case on the desk."""
        judge = self.workspace.adjudicating
        pair, likeness = judge.pair, judge.likeness
        with painted_once(self):
            for each in (*self._pair_widgets(), self.likeness):
                each.setVisible(pair is not None)
            self.others.setVisible(judge.contest is not None and len(judge.contest.readings) > 2)
            self.title.setText(
                "Nothing to decide" if pair is None else f"{pair[0].revision.case_id}"
            )
            self.reason.setText(NOTHING if judge.contest is None else judge.contest.reason)
            if pair is None or likeness is None:
                return
            self.likeness.setText(_agreement(likeness))
            for which, reading in enumerate(pair):
                self._show_reading(which, reading)
            self._offer_others()

    # -- inside ------------------------------------------------------------------------------------

    def _box(self, which: int) -> QCheckBox:
        box = QCheckBox(f"{NAMES[which]} on the film")
        box.setChecked(True)
        red, green, blue = (round(255 * part) for part in READING_COLORS[which][:3])
        box.setStyleSheet(
            f"QCheckBox {{border-left: 4px solid rgb({red}, {green}, {blue}); padding-left: 4px;}}"
        )
        box.setToolTip(f"Show the contour of reading {NAMES[which]}")
        box.toggled.connect(lambda on: self._set_visible(which, on))
        return box

    def _set_visible(self, which: int, on: bool) -> None:
        if self.workspace.is_open:
            self.workspace.bridge.readings.set_visible(which, on)

    def _pair_widgets(self) -> list[Any]:
        return [
            *self.pictures,
            *self.boxes,
            *self.abouts,
            *self.words,
            *self.keep,
            *self.edit,
        ]

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(6)
        rows: tuple[Sequence[QWidget], ...] = (
            self.pictures,
            self.boxes,
            self.keep,
            self.edit,
            self.abouts,
            self.words,
        )
        for row, widgets in enumerate(rows):
            for column, widget in enumerate(widgets):
                grid.addWidget(widget, row, column)
        for column, picture in enumerate(self.pictures):
            picture.setFixedHeight(PICTURE_HEIGHT)
            grid.setColumnStretch(column, 1)
        for label in (*self.abouts, *self.words):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        for widget in (self.title, self.reason, self.likeness, self.others):
            self.column.addWidget(widget)
        self.column.addLayout(grid)
        foot = QHBoxLayout()
        foot.addWidget(self.next)
        foot.addStretch()
        self.column.addLayout(foot)
        self.column.addWidget(self.news)
        self.column.addStretch()

    def _show_reading(self, which: int, reading: Reading) -> None:
        revision, mask = reading.revision, reading.mask
        how = HOW[revision.reading]
        zones = ", ".join(ZONE_WORDS[zone] for zone in sorted(reading.zones)) or "no zone"
        self.abouts[which].setText(
            f"<b>{NAMES[which]}</b>: {revision.reader}, {how}, {revision.outcome}. "
            f"{np.count_nonzero(mask) / mask.size:.1%} of the film; touches {zones}."
        )
        self.words[which].setText(f"“{revision.description}”")
        opened = self.workspace.session.current
        if opened is not None:
            picture = _with_contour(opened.image, mask, READING_COLORS[which])
            self.pictures[which].show_array(picture)
        self._set_visible(which, self.boxes[which].isChecked())

    def _offer_others(self) -> None:
        contest = self.workspace.adjudicating.contest
        readers = [] if contest is None else [each.revision.reader for each in contest.readings[1:]]
        if readers != [self.others.itemText(row) for row in range(self.others.count())]:
            self.others.clear()
            self.others.addItems(readers)


def _agreement(found: Likeness) -> str:
    if not found.pixels:
        masks = "The masks are the same"
    else:
        masks = f"Dice {found.dice:.2f}; the masks differ in {found.pixels} pixels"
    return f"{masks} and {_zones(found.mask_zones)}. The words {_zones(found.word_zones, 'name')}."


def _zones(only_one: frozenset[str], verb: str = "touch") -> str:
    if not only_one:
        return f"{verb} the same zones"
    return f"{verb} different zones: {', '.join(ZONE_WORDS[zone] for zone in sorted(only_one))}"


def _with_contour(
    image: np.ndarray, mask: np.ndarray, color: tuple[float, float, float, float]
) -> np.ndarray:
    """The film ``(H, W)`` with a mask's edge, ``(H, W, 3) uint8``."""
    picture = np.repeat((np.clip(image, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    picture[find_boundaries(mask > 0, mode="thick")] = [round(255 * part) for part in color[:3]]
    return picture
