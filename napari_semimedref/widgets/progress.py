"""The progress dock: Dice of the teachers over labels, and what reviewing costs by round and by arm of the queue. The
figures are `training.curves`."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QSizePolicy

from napari_semimedref.beside import Beside
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, heading, sentence
from training.curves import ARM_TITLES, METRICS, TEXTS, Curves, LearningPoint, Work, measure_curves
from training.curves_page import write_curves

BACKGROUND = (22, 24, 28)
COLORS = {"with": (64, 200, 255), "without": (255, 158, 28), "shuffled": (150, 155, 165)}
LEGEND = " · ".join(
    f"<span style='color:rgb{COLORS[text]}'>{words}</span>" for text, words in TEXTS.items()
)
NO_ROUND = "No round has been measured yet: the first one draws the first point."
NO_WORK = "What is accepted from now on is counted here."
COLUMNS = ("", "cases", "as is", "changed", "s a case")
TOOLTIP = (
    "as is: share of proposals accepted unchanged. changed: share of pixels that were edited. s a case: median seconds "
    "of active work. The random control is what the pool is like; the chosen cases are not, since they were chosen."
)
LATEST_ROUNDS = 4
PLOT_HEIGHT = 190


class ProgressDock(Dock):
    """Shows how the project comes along."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.measure = QComboBox()
        for name, title in METRICS.items():
            self.measure.addItem(title[0].upper() + title[1:], name)
        self.measure.setCurrentIndex(1)
        self.measure.setToolTip("Which convention of Dice is drawn")
        self.measure.setAccessibleName("Convention of Dice")
        self.measure.activated.connect(lambda _row: self._draw())
        self.plot = LearningPlot()
        self.summary = sentence(NO_ROUND, muted=True, lines=2)
        self.work = QLabel()
        self.work.setTextFormat(Qt.TextFormat.RichText)
        self.work.setToolTip(TOOLTIP)
        self.work.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.curves: Curves | None = None
        self._beside = Beside(self)
        self._seen: tuple[object, ...] = ()
        self._lay_out()
        self.workspace.round_changed.connect(self._on_round)
        self.finish()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.measure, 1)
        row.addWidget(
            button("Refresh", self.refresh, "Read the rounds and the readers' work again")
        )
        self.save = button("Page…", self._save, "Save a page with all curves, to be read anywhere")
        row.addWidget(self.save)
        self.column.addLayout(row)
        self.column.addWidget(self.plot)
        self.column.addWidget(self.summary)
        self.column.addWidget(heading("Work"))
        self.column.addWidget(self.work)
        self.column.addStretch()

    def on_project(self) -> None:
        """Read the project that was opened, and again whenever readers accept."""
        self.curves = None
        self._draw()
        self.workspace.session.accepted.connect(lambda _revision: self._soon())
        self.refresh()

    def refresh(self) -> None:
        """Read everything again, beside the window."""
        if self.workspace.is_open:
            project = self.workspace.session.project
            self._beside.ask("curves", lambda: measure_curves(project), self.show_curves)

    def show_curves(self, curves: Curves) -> None:
        """Show what was read."""
        self.curves = curves
        self._draw()

    def showEvent(self, event: Any) -> None:  # Qt's name
        """What changed while the dock was hidden is read when it is looked at."""
        super().showEvent(event)
        self.refresh()

    def _soon(self) -> None:
        if self.isVisible():
            self.refresh()

    def _on_round(self, view: Any) -> None:
        state = () if view.run is None else (view.run.id, view.run.outcome)
        if state != self._seen:
            self._seen = state
            self._soon()

    def _draw(self) -> None:
        curves, metric = self.curves, self.measure.currentData()
        points = () if curves is None else curves.points
        self.plot.show_points(points, metric)
        self.summary.setText(_in_words(points, metric) if points else NO_ROUND)
        self.work.setText(_table(curves))
        self.save.setEnabled(curves is not None)

    def _save(self) -> None:
        if self.curves is None:
            return
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the curves", "curves.html", "HTML (*.html)"
        )
        if path:
            with self.workspace.attempt():
                write_curves(Path(path), self.curves)


class LearningPlot(pg.GraphicsLayoutWidget):
    """Dice over labels, one line for each kind of words, with intervals."""

    def __init__(self) -> None:
        super().__init__()
        self.setBackground(BACKGROUND)
        self.setFixedHeight(PLOT_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.ci.layout.setContentsMargins(2, 2, 8, 2)
        self.area = self.addPlot()
        self.area.setTitle(LEGEND, size="8pt")
        self.area.setMouseEnabled(False, False)
        self.area.setMenuEnabled(False)
        self.area.hideButtons()
        self.area.showGrid(y=True, alpha=0.15)
        self.area.getAxis("left").setWidth(34)
        self.area.setLabel("bottom", "Labels")
        self.area.disableAutoRange()
        self.area.setYRange(0, 1, padding=0.02)
        self.lines, self.bars = {}, {}
        for text, color in reversed(COLORS.items()):  # with words on top
            self.bars[text] = pg.ErrorBarItem(pen=pg.mkPen((*color, 140)), beam=0)
            self.area.addItem(self.bars[text])
            look = {"symbol": "o", "symbolSize": 6, "symbolBrush": color, "symbolPen": None}
            self.lines[text] = self.area.plot(pen=pg.mkPen(color, width=2), **look)

    def show_points(self, points: Sequence[LearningPoint], metric: str) -> None:
        """Draw the rounds."""
        largest = max((point.labeled for point in points), default=1)
        self.area.setXRange(0, 1.05 * largest, padding=0.02)
        for text, line in self.lines.items():
            known = [(p.labeled, p.texts[text][metric]) for p in points if text in p.texts]
            x = np.array([labels for labels, _ in known], float)
            y = np.array([found.value for _, found in known], float)
            line.setData(x, y)
            low = np.array([i.value if i.low is None else i.low for _, i in known], float)
            high = np.array([i.value if i.high is None else i.high for _, i in known], float)
            self.bars[text].setData(x=x, y=y, top=high - y, bottom=y - low)


def _in_words(points: Sequence[LearningPoint], metric: str) -> str:
    """The latest round in a sentence."""
    point = points[-1]
    here = point.texts["with"][metric]
    text = f"Round {point.round}, {point.labeled} labels: {here.value:.3f}"
    if here.low is not None and here.high is not None:
        text += f" ({here.low:.3f} to {here.high:.3f}, {point.cases} cases)"
    others = [
        f"{TEXTS[name]} {point.texts[name][metric].value:.3f}"
        for name in ("without", "shuffled")
        if name in point.texts
    ]
    return f"{text}; {', '.join(others)}." if others else f"{text}."


def _table(curves: Curves | None) -> str:
    if curves is None or not curves.arms:
        return NO_WORK
    # Who reads here also reviews: that proposals are planted is told by the page and the command alone.
    told = [work for work in curves.arms if work.arm != "planted"]
    rows = [_row(html.escape(ARM_TITLES[work.arm]), work) for work in told]
    for number in list(curves.work)[-LATEST_ROUNDS:]:
        for work in curves.work[number]:
            if work.arm in ("strategy", "control"):
                words = "before round 1" if number == 0 else f"after round {number}"
                rows.append(_row(f"{words}, {ARM_TITLES[work.arm]}", work))
    head = "".join(f"<td align='right'><i>{column}</i></td>" for column in COLUMNS)
    return f"<table width='100%' cellpadding='2'><tr>{head}</tr>{''.join(rows)}</table>"


def _row(title: str, work: Work) -> str:
    cells = (
        str(work.cases),
        "–" if work.as_is is None else f"{work.as_is:.0%}",
        "–" if work.edited is None else f"{work.edited:.1%}",
        "–" if work.seconds is None else f"{work.seconds:.0f}",
    )
    return f"<tr><td>{title}</td>{''.join(f'<td align=right>{cell}</td>' for cell in cells)}</tr>"
