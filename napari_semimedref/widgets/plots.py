"""The live curves of a round: the loss, and the Dice of student and teacher on the gate half of the holdout."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtWidgets import QSizePolicy

from napari_semimedref.run_monitor import RoundView

LOSS, STUDENT, TEACHER = (200, 205, 215), (255, 158, 28), (64, 200, 255)
BACKGROUND = (22, 24, 28)
SMOOTHING = 0.8
# The title is the legend: a box would lie over the curves of so small a plot.
DICE_TITLE = (
    f"Holdout Dice of <span style='color:rgb{STUDENT}'>student</span> and "
    f"<span style='color:rgb{TEACHER}'>teacher</span>"
)


class RoundPlots(pg.GraphicsLayoutWidget):
    """Two small plots above each other with a common axis of steps, painted as one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.setBackground(BACKGROUND)
        self.setMinimumHeight(200)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.ci.layout.setContentsMargins(2, 2, 8, 2)
        self.ci.layout.setSpacing(2)
        self._loss_plot, self._dice_plot = self._plot("Loss", 0), self._plot(DICE_TITLE, 1)
        self._dice_plot.setYRange(0, 1, padding=0.02)
        self._dice_plot.setLabel("bottom", "Step")
        self._raw = self._loss_plot.plot(pen=pg.mkPen((*LOSS, 70)))
        self._loss = self._loss_plot.plot(pen=pg.mkPen(LOSS, width=2))
        self._student = _dots(self._dice_plot, STUDENT)
        self._teacher = _dots(self._dice_plot, TEACHER)

    def show_round(self, view: RoundView) -> None:
        """Draw what is known of a round."""
        steps = [step for step, _ in view.losses]
        losses = [loss for _, loss in view.losses]
        self._show_ranges(max([view.status.steps_planned, *steps[-1:], 1]), losses)
        self._raw.setData(steps, losses)
        self._loss.setData(steps, smoothed(losses))
        for curve, role in ((self._student, "student"), (self._teacher, "teacher")):
            points = [
                (each.step, each.dice_per_image)
                for each in view.status.evaluations
                if each.role == role and each.half == "gate"
            ]
            curve.setData([step for step, _ in points], [dice for _, dice in points])

    def _plot(self, title: str, row: int) -> pg.PlotItem:
        plot = self.addPlot(row=row, col=0)
        plot.setTitle(title, size="9pt")
        plot.setMouseEnabled(False, False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.15)
        plot.getAxis("left").setWidth(34)
        # Ranges are set by hand: finding them while painting would paint everything twice.
        plot.disableAutoRange()
        return plot

    def _show_ranges(self, steps: int, losses: list[float]) -> None:
        for plot in (self._loss_plot, self._dice_plot):
            plot.setXRange(0, steps, padding=0.02)
        if losses:
            self._loss_plot.setYRange(min(0.0, *losses), max(losses), padding=0.05)


def smoothed(losses: list[float]) -> list[float]:
    """Exponential moving average, started without bias."""
    out: list[float] = []
    total = weight = 0.0
    for loss in losses:
        total = SMOOTHING * total + (1 - SMOOTHING) * loss
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        out.append(total / weight)
    return out


def _dots(plot: pg.PlotItem, color: tuple[int, int, int]) -> pg.PlotDataItem:
    look = {"symbol": "o", "symbolSize": 5, "symbolBrush": color, "symbolPen": None}
    return plot.plot(pen=pg.mkPen(color, width=2), **look)
