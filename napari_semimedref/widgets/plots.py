"""The live curves of a round: the Dice of student and teacher on the gate half of the holdout, and above it what the
reader chooses of the rest. Nothing is read here: a `RoundView` comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyqtgraph as pg
from qtpy.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from napari_semimedref.round_view import RoundView

SMOOTHING = 0.8
Color = tuple[int, int, int]
Points = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Palette:
    """Colors that can be read on one ground."""

    ground: Color
    words: Color
    lines: tuple[Color, ...]

    def line(self, number: int) -> Color:
        """The color of a curve."""
        return self.lines[number % len(self.lines)]


DARK = Palette(
    (22, 24, 28),
    (200, 205, 215),
    ((200, 205, 215), (255, 158, 28), (64, 200, 255), (150, 220, 120)),
)
LIGHT = Palette(
    (250, 250, 251), (50, 55, 65), ((60, 65, 75), (190, 95, 0), (0, 110, 170), (40, 120, 30))
)
# What may be chosen: names of numbers that a run tells, with the words for them.
CHOICES: dict[str, dict[str, str]] = {
    "Loss": {"loss": "loss"},
    "Parts of the loss": {
        "loss_labeled": "labeled",
        "loss_unlabeled": "unlabeled",
        "loss_itcl": "ITCL",
        "loss_lv": "LV",
    },
    "Accepted mixes, confident pixels": {
        "mix_accepted": "accepted mixes",
        "confident_fraction": "confident pixels",
        "empty_fraction": "empty",
    },
    "λ_u and α (EMA decay)": {"lambda_u": "λ_u", "ema_decay": "α"},
}
NOISY = ("loss", "loss_labeled", "loss_unlabeled", "loss_itcl", "loss_lv", "mix_accepted")
SHARES = ("mix_accepted", "confident_fraction", "empty_fraction", "lambda_u", "ema_decay")


class LivePlots(QWidget):
    """A choice of curves above their picture."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = QComboBox()
        self.choice.addItems(list(CHOICES))
        self.choice.setToolTip("What the upper curves show")
        self.picture = RoundPlots()
        self._view = RoundView()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.choice)
        column.addWidget(self.picture, 1)
        self.choice.currentTextChanged.connect(self._choose)

    def show_round(self, view: RoundView) -> None:
        """Draw what is known of a round."""
        self._view = view
        self.picture.show_round(view)

    def show_theme(self, light: bool) -> None:
        """Draw for a light or a dark ground."""
        self.picture.show_palette(LIGHT if light else DARK)
        self.picture.show_round(self._view)

    def _choose(self, name: str) -> None:
        self.picture.chosen = name
        self.picture.show_round(self._view)


class RoundPlots(pg.GraphicsLayoutWidget):
    """Two small plots above each other with a common axis of steps, painted as one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = next(iter(CHOICES))
        self.setMinimumHeight(170)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.ci.layout.setContentsMargins(2, 2, 8, 2)
        self.ci.layout.setSpacing(2)
        self._upper, self._dice_plot = self._plot(0), self._plot(1)
        self._dice_plot.setYRange(0, 1, padding=0.02)
        self._dice_plot.setLabel("bottom", "Step")
        self._upper.getAxis("bottom").setStyle(showValues=False)  # they stand below
        most = max(len(names) for names in CHOICES.values())
        self._raw = [self._upper.plot() for _ in range(most)]
        self._curves = [self._upper.plot() for _ in range(most)]
        self._dice = {role: self._dice_plot.plot() for role in ("student", "teacher")}
        self.show_palette(DARK)

    def show_palette(self, palette: Palette) -> None:
        """Draw in other colors."""
        self._palette = palette
        self.setBackground(palette.ground)
        for plot in (self._upper, self._dice_plot):
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(palette.words)
                plot.getAxis(side).setTextPen(palette.words)
        for number, (raw, curve) in enumerate(zip(self._raw, self._curves, strict=True)):
            raw.setPen(pg.mkPen((*palette.line(number), 70)))
            curve.setPen(pg.mkPen(palette.line(number), width=2))
        for number, curve in enumerate(self._dice.values(), 1):
            curve.setPen(pg.mkPen(palette.line(number), width=2))
            curve.setSymbol("o")
            curve.setSymbolSize(5)
            curve.setSymbolPen(None)
            curve.setSymbolBrush(palette.line(number))
        self._write_titles(CHOICES[self.chosen])

    def show_round(self, view: RoundView) -> None:
        """Draw what is known of a round."""
        names = CHOICES[self.chosen]
        last = [points[-1][0] for points in view.curves.values() if points]
        steps = max([view.status.steps_planned, *last, 1])
        told = {name: words for name, words in names.items() if view.curves.get(name)}
        self._write_titles(told or names)
        self._show_chosen(view.curves, list(told))
        for plot in (self._upper, self._dice_plot):
            plot.setXRange(0, steps, padding=0.02)
        for role, curve in self._dice.items():
            points = [
                (each.step, each.dice_per_image)
                for each in view.status.evaluations
                if each.role == role and each.half == "gate"
            ]
            curve.setData([step for step, _ in points], [dice for _, dice in points])

    def _show_chosen(self, curves: Mapping[str, Points], names: list[str]) -> None:
        drawn: list[float] = []
        for number, (raw, curve) in enumerate(zip(self._raw, self._curves, strict=True)):
            name = names[number] if number < len(names) else ""
            points = curves.get(name, ())
            steps, values = [step for step, _ in points], [value for _, value in points]
            noisy = name in NOISY
            raw.setData(steps if noisy else [], values if noisy else [])
            curve.setData(steps, smoothed(values) if noisy else values)
            drawn += values
        shares = bool(names) and all(name in SHARES for name in names)
        low, high = min(0.0, *drawn, 0.0), max(drawn, default=1.0)
        self._upper.setYRange(low, max(1.0, high) if shares else high or 1.0, padding=0.05)

    def _write_titles(self, names: Mapping[str, str]) -> None:
        # The title is the legend: a box would lie over the curves of so small a plot.
        words = [
            _colored(text, self._palette.line(place)) for place, text in enumerate(names.values())
        ]
        roles = [
            _colored(role, self._palette.line(place)) for place, role in enumerate(self._dice, 1)
        ]
        ink = {"size": "9pt", "color": self._palette.words}
        self._upper.setTitle(", ".join(words), **ink)
        self._dice_plot.setTitle("Holdout Dice of " + " and ".join(roles), **ink)

    def _plot(self, row: int) -> pg.PlotItem:
        plot = self.addPlot(row=row, col=0)
        plot.setMouseEnabled(False, False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.15)
        plot.getAxis("left").setWidth(34)
        # Ranges are set by hand: finding them while painting would paint everything twice.
        plot.disableAutoRange()
        return plot


def smoothed(values: list[float]) -> list[float]:
    """Exponential moving average, started without bias."""
    out: list[float] = []
    total = weight = 0.0
    for value in values:
        total = SMOOTHING * total + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        out.append(total / weight)
    return out


def _colored(words: str, color: Color) -> str:
    return f"<span style='color:rgb{color}'>{words}</span>"
