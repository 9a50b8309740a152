"""Pictures and pages for people outside the window: matplotlib figures inside one HTML file that needs no other. Only
this module knows matplotlib, and only while it draws."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from training.errors import SemiMedRefError
from training.files import write_atomically

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1d2430; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .8rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #d8dde6; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
svg { max-width: 100%; height: auto; } p.note { color: #5a6270; }
"""


def draw(
    paint: Callable[[Any], None], width: float = 7.0, height: float = 3.6, columns: int = 1
) -> str:
    """A figure as SVG text.

    Parameters
    ----------
    paint : callable
        Gets the axes (an array of them if ``columns`` > 1) and draws on them.
    width, height : float
        In inches.

    Raises
    ------
    SemiMedRefError
        matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SemiMedRefError(
            "Figures need matplotlib: install napari-semimedref[report], or ask for --json instead."
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots(1, columns, sharey=True)
    paint(axes)
    stream = io.StringIO()
    with rc_context(
        {"svg.fonttype": "none"}
    ):  # letters stay letters: to be searched, copied, read aloud
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of plain texts."""
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{first}</tr>{body}</table>"


def note(text: str) -> str:
    """A paragraph of plain text."""
    return f'<p class="note">{html.escape(text)}</p>'


def section(title: str, *parts: str) -> str:
    """A heading with what belongs under it."""
    return f"<h2>{html.escape(title)}</h2>" + "".join(parts)


def write_page(path: Path, title: str, *parts: str) -> None:
    """Write a page that needs no other file."""
    content = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>{''.join(parts)}</body></html>"
    )
    write_atomically(path, content)
