"""The page of a project's curves. What is on it comes from `training.curves`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.curves import ARM_TITLES, METRICS, TEXTS, Curves, Interval, LearningPoint, Work
from training.figures import draw, note, section, table, write_page

COLORS = {"with": "#1f77b4", "without": "#ff7f0e", "shuffled": "#7f7f7f"}
HEAD = ("Arm", "cases", "as is", "pixels changed", "seconds a case", "hours", "let stand")


def write_curves(path: Path, curves: Curves) -> None:
    """Write the page; SemiMedRefError without matplotlib."""
    write_page(
        path,
        f"{curves.project}: how it comes along",
        section(
            "Dice over labels",
            draw(lambda axes: _paint(axes, curves.points), 9.0, 3.8, 2) if curves.points else "",
            table(("Round", "labels", *_columns()), map(point_row, curves.points)),
            note(
                "Teachers on the report half of the holdout, which decides nothing. Intervals: 95 % of 1,000 "
                "resamples of its cases. Without and with shuffled words: the same teacher, other words."
            ),
        ),
        section(
            "Work by arm of the queue",
            table(HEAD, map(work_row, curves.arms)),
            note(
                "The random control says what the pool is like; the chosen cases do not, since they were chosen. "
                "Planted proposals are wrong on purpose: those let stand measure automation bias, and teach nothing."
            ),
        ),
        section(
            "Work by round",
            table(
                ("Round", *HEAD),
                [(str(n), *work_row(w)) for n in curves.work for w in curves.work[n]],
            ),
        ),
    )


def _paint(axes: Any, points: Sequence[LearningPoint]) -> None:
    for axis, (metric, title) in zip(axes, METRICS.items(), strict=True):
        for text, words in TEXTS.items():
            known = [p for p in points if text in p.texts]
            labels = [p.labeled for p in known]
            found = [p.texts[text][metric] for p in known]
            low = [i.value if i.low is None else i.low for i in found]
            high = [i.value if i.high is None else i.high for i in found]
            axis.plot(labels, [i.value for i in found], "o-", color=COLORS[text], label=words)
            axis.fill_between(labels, low, high, color=COLORS[text], alpha=0.15, linewidth=0)
        axis.set(title=title, xlabel="labels", ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].legend(loc="lower right", fontsize=8)


def _columns() -> list[str]:
    short = {"dice_global": "all pixels", "dice_per_image": "mean over images"}
    return [f"{words}, {short[metric]}" for words in TEXTS.values() for metric in METRICS]


def point_row(point: LearningPoint) -> list[str]:
    """A round as cells of a table."""
    cells = [
        said(point.texts[text][metric]) if text in point.texts else "–"
        for text in TEXTS
        for metric in METRICS
    ]
    return [round_name(point), str(point.labeled), *cells]


def round_name(point: LearningPoint) -> str:
    """A round's number, and whether the gate refused its teacher."""
    return f"{point.round}{'' if point.promoted else ' (refused)'}"


def said(interval: Interval) -> str:
    """A figure with its interval."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def work_row(work: Work) -> list[str]:
    """An arm as cells of a table."""
    return [
        ARM_TITLES[work.arm],
        str(work.cases),
        "–" if work.as_is is None else f"{work.as_is:.0%}",
        "–" if work.edited is None else f"{work.edited:.2%}",
        "–" if work.seconds is None else f"{work.seconds:.1f}",
        f"{work.total_seconds / 3600:.2f}",
        f"{work.let_stand} of {work.cases}" if work.arm == "planted" else "",
    ]
