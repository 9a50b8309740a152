"""The live curves of a round: the loss, and the Dice of student and teacher on the gate half of the holdout."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_semimedref.run_monitor import RoundView

LOSS, STUDENT, TEACHER = (200, 205, 215), (255, 158, 28), (64, 200, 255)
BACKGROUND = (22, 24, 28)
SMOOTHING = 0.8
# The title is the legend: a box would lie over the curves of so small a plot.
DICE_TITLE = (
    f"Holdout Dice of <span style='color:rgb{STUDENT}'>student</span> and "
    f"<span style='color:rgb{TEACHER}'>teacher</span>"
)


class RoundPlots(QWidget):
    """Two small plots above each other with a common axis of steps."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        loss, dice = _plot("Loss"), _plot(DICE_TITLE)
        dice.setYRange(0, 1, padding=0.02)
        dice.setXLink(loss)
        dice.setLabel("bottom", "Step")
        self._raw = loss.plot(pen=pg.mkPen((*LOSS, 70)))
        self._loss = loss.plot(pen=pg.mkPen(LOSS, width=2))
        self._student = _dots(dice, STUDENT)
        self._teacher = _dots(dice, TEACHER)
        for plot in (loss, dice):
            column.addWidget(plot, 1)

    def show_round(self, view: RoundView) -> None:
        """Draw what is known of a round."""
        steps = [step for step, _ in view.losses]
        losses = [loss for _, loss in view.losses]
        self._raw.setData(steps, losses)
        self._loss.setData(steps, smoothed(losses))
        for curve, role in ((self._student, "student"), (self._teacher, "teacher")):
            points = [
                (each.step, each.dice_per_image)
                for each in view.status.evaluations
                if each.role == role and each.half == "gate"
            ]
            curve.setData([step for step, _ in points], [dice for _, dice in points])


def smoothed(losses: list[float]) -> list[float]:
    """Exponential moving average, started without bias."""
    out: list[float] = []
    total = weight = 0.0
    for loss in losses:
        total = SMOOTHING * total + (1 - SMOOTHING) * loss
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        out.append(total / weight)
    return out


def _plot(title: str) -> pg.PlotWidget:
    plot = pg.PlotWidget(background=BACKGROUND)
    plot.setMinimumHeight(96)
    plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
    plot.setTitle(title, size="9pt")
    plot.setMouseEnabled(False, False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.showGrid(y=True, alpha=0.15)
    plot.getAxis("left").setWidth(34)
    return plot


def _dots(plot: pg.PlotWidget, color: tuple[int, int, int]) -> pg.PlotDataItem:
    look = {"symbol": "o", "symbolSize": 5, "symbolBrush": color, "symbolPen": None}
    return plot.plot(pen=pg.mkPen(color, width=2), **look)
