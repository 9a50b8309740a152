"""The bench's table, in words and as a page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training.config import RunConfig
from training.figures import draw, note, section, table, write_page
from training.simulate.bench import Bench
from training.simulate.results import Reference, Result, Spread

HEAD = (
    "Order, method",
    "labels",
    "last Dice, mean over images",
    "all pixels",
    "mean over rounds",
    "labels to target",
    "reader hours to target",
    "as is, last round",
    "s a case, last round",
    "of drawing from nothing",
)


def rows_of(results: Sequence[Result], reference: Reference | None) -> list[list[str]]:
    """The table's rows, the reference first."""
    rows = [] if reference is None else [_reference_row(reference)]
    return rows + [_row(result, reference is not None) for result in results]


def _reference_row(reference: Reference) -> list[str]:
    return [
        "random, supervised (reference)",
        str(reference.labels),
        _said(reference.dice),
        _said(reference.dice_global),
        "–",
        str(reference.labels),
        _hours(reference.seconds, reference.seconds.count),
        "–",
        "–",
        "–",
    ]


def _row(result: Result, targeted: bool) -> list[str]:
    return [
        f"{result.strategy}, {result.method}",
        f"{result.labels[0]}–{result.labels[-1]}" if result.labels else "–",
        _said(_last(result.dice)),
        _said(_last(result.dice_global)),
        _said(result.area),
        _reached(result.labels_to, result.seeds, targeted),
        _hours(result.seconds_to, result.seeds),
        _said(_last(result.as_is), 2),
        _said(_last(result.a_case), 1),
        _said(_last(result.of_nothing), 2),
    ]


def _last(values: Sequence[Spread]) -> Spread | None:
    return values[-1] if values else None


def _said(spread: Spread | None, digits: int = 3, unit: float = 1.0) -> str:
    if spread is None:
        return "–"
    mean = f"{spread.mean / unit:.{digits}f}"
    return mean if spread.sd is None else f"{mean} ± {spread.sd / unit:.{digits}f}"


def _reached(spread: Spread | None, seeds: int, targeted: bool) -> str:
    if spread is None:
        return f"not reached (0/{seeds})" if targeted else "–"
    return f"{_said(spread, 0)} ({spread.count}/{seeds})"


def _hours(spread: Spread | None, seeds: int) -> str:
    if spread is None:
        return "–"
    return f"{_said(spread, 2, 3600)} ({spread.count}/{seeds})"


def write_results(
    folder: Path,
    name: str,
    bench: Bench,
    settings: RunConfig,
    results: Sequence[Result],
    reference: Reference | None,
) -> Path:
    """Write ``index.html`` into a folder and return its path; SemiMedRefError without matplotlib."""
    path = folder / "index.html"
    reader, time = bench.reader, bench.reader.time
    write_page(
        path,
        f"{name}: what to label next",
        section("Dice over labels", draw(lambda axes: _paint_dice(axes, results, reference), 9, 4)),
        section("Table", table(HEAD, rows_of(results, reference)), note(_target(reference))),
        section(
            "The reader's work",
            draw(lambda axes: paint_work(axes, results), 9, 3.4, 2),
            note(
                f"Seconds of a case: {time.look:g} to look, {time.stroke:g} a spot changed, {time.contour:g} for "
                f"contour as long as the film's side, {time.words:g} if the words change. Assumptions, not measured "
                f"on people. The reader accepts as is from Dice {reader.tolerance:g}, and lets contours stand "
                f"that are off by up to {reader.margin:g} of the film's side; drawn ones tremble by "
                f"{reader.jitter:g} of the film, {reader.missed:.0%} of lesions are missed, {reader.wrong_words:.0%} "
                f"of words change sides, {reader.anchoring:.0%} of wrong regions are left as proposed."
            ),
        ),
        note(
            f"{bench.seeds} seeds, {bench.per_round} cases a round; mean ± standard deviation over seeds. Dice of the "
            f"teacher on the holdout's report half. A round takes {settings.training.steps} steps at "
            f"{settings.network.image_size} pixels and starts from {_start(settings)}; network "
            f"{settings.network.name}, version {version('napari-semimedref')}."
        ),
    )
    return path


def _start(settings: RunConfig) -> str:
    return "the serving teacher" if settings.training.warm_start else "random weights"


def _target(reference: Reference | None) -> str:
    if reference is None:
        return "No reference was played: there is no target."
    return (
        f"The target is {reference.dice.mean:.3f}: what supervised training reaches with {reference.labels} labels in "
        "random order. Labels and hours to it are interpolated between rounds, over the seeds that reached it."
    )


def _paint_dice(axes: Any, results: Sequence[Result], reference: Reference | None) -> None:
    for number, result in enumerate(results):
        mean = [spread.mean for spread in result.dice]
        labels = result.labels[: len(mean)]
        (line,) = axes.plot(labels, mean, _line(number), label=_name(result))
        low = [spread.mean - (spread.sd or 0.0) for spread in result.dice]
        high = [spread.mean + (spread.sd or 0.0) for spread in result.dice]
        axes.fill_between(labels, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
    if reference is not None:
        words = f"random, supervised, {reference.labels} labels"
        axes.axhline(reference.dice.mean, color="black", linestyle="--", linewidth=1, label=words)
    axes.set(xlabel="labels", ylabel="Dice, mean over images", ylim=(0, 1))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def paint_work(axes: Any, results: Sequence[Result]) -> None:
    """Draw, over rounds, the share of masks accepted as they were and the time as a share of drawing from nothing.

    Parameters
    ----------
    axes : array of two matplotlib Axes
        Sharing their vertical axis.
    results : sequence of Result
    """
    pairs = (
        ("as_is", "accepted as is"),
        ("of_nothing", "time, as a share of drawing from nothing"),
    )
    for axis, (name, title) in zip(axes, pairs, strict=True):
        for number, result in enumerate(results):
            values = [spread.mean for spread in getattr(result, name)]
            axis.plot(range(1, len(values) + 1), values, _line(number), label=_name(result))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(title=title, xlabel="round")
        axis.grid(alpha=0.3)
    # Correcting can take longer than drawing: then the share is above 1.
    axes[-1].set_ylim(0, max(1.05, 1.05 * axes[-1].dataLim.ymax))
    axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _name(result: Result) -> str:
    return f"{result.strategy}, {result.method}"


def _line(number: int) -> str:
    """Marks and strokes that tell lines apart where they cover each other or have no color."""
    return "osD^vPX"[number % 7] + ("-", "--", ":")[number % 3]
