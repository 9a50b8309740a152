"""The architecture's pictures as SVG: the import layers, drawn from the contracts in setup.cfg, and the processes.

`python docs/hooks/pictures.py` writes them into docs/images; a test compares what lies there with what this draws.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PANELS = {
    "window-layers": ("napari_semimedref: the window", "#e3f0fb", "#2f6ea5"),
    "headless-layers": ("training: the headless half", "#eaf5e4", "#4c8a2f"),
    "engine-layers": ("training.engine: torch lives here alone", "#fdeede", "#b5651d"),
}
WIDTH, ROW, TEXT, LETTER = (
    400,
    19,
    11,
    6.1,
)  # of a panel, in pixels; LETTER: mean advance at that size


@dataclass(frozen=True)
class Box:
    """A process or what lies on disk: where it stands, its title and what it does."""

    x: int
    y: int
    title: str
    lines: tuple[str, ...]
    color: str
    edge: str


def main() -> None:
    """Write both pictures."""
    for name, content in drawn().items():
        (IMAGES / name).write_text(content, encoding="utf-8")


def drawn() -> dict[str, str]:
    """Every picture's text by its file name."""
    return {"imports.svg": imports(), "processes.svg": processes()}


def imports() -> str:
    """Three panels of layers; what stands higher may import what stands lower, in its own panel."""
    parts, tallest = [], 0
    for place, (contract, (title, fill, edge)) in enumerate(PANELS.items()):
        rows = list(_wrapped(_layers(contract)))
        x, height = 10 + place * (WIDTH + 12), 34 + ROW * len(rows)
        tallest = max(tallest, height)
        parts.append(_rectangle(x, 10, WIDTH, height, fill, edge))
        parts.append(_words(x + 10, 28, title, bold=True))
        for number, (first, row) in enumerate(rows):
            y = 46 + ROW * number
            if first and number:
                parts.append(_line(x + 8, y - 13, x + WIDTH - 8, y - 13, edge))
            parts.append(_words(x + 12, y, row))
    caption = "Each row may import the rows below it, never those above; modules of one row know nothing of each other."
    parts.append(_words(12, tallest + 28, caption))
    return _svg(3 * WIDTH + 44, tallest + 40, parts)


def _layers(contract: str) -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = parser[f"importlinter:contract:{contract}"]["layers"].strip().splitlines()
    return [line.replace(" | ", "   ") for line in listed]


def _wrapped(layers: list[str]) -> Iterator[tuple[bool, str]]:
    """Lines that fit a panel, each with whether it begins a layer."""
    most = int((WIDTH - 24) / LETTER)
    for layer in layers:
        line, first = "", True
        for name in layer.split("   "):
            if line and len(line) + 3 + len(name) > most:
                yield first, line
                line, first = "", False
            line = f"{line}   {name}" if line else name
        yield first, line


def processes() -> str:
    """The window, the service, the trainer and the commands, and the files in which they meet."""
    blue, green, orange, grey = (
        ("#e3f0fb", "#2f6ea5"), ("#eaf5e4", "#4c8a2f"), ("#fdeede", "#b5651d"), ("#f1f1f1", "#777777"),
    )  # fmt: skip
    window = ("queue, words, mask, views", "drafts, accept, undo", "no torch")
    commands = ("import, export, audit, simulate", "round: supervises a trainer", "no torch")
    service = (
        "new words: new pseudo-mask",
        "views, mixes, explanations",
        "torch; goes with the window",
    )
    trainer = (
        "burn-in, then student and teacher",
        "checkpoints, scores, pseudo-masks",
        "torch; gone when done",
    )
    folder = (
        "project.sqlite: cases, revisions",
        "films and masks by their hash",
        "runs/: snapshot, events, stop, pause",
    )
    boxes = (
        Box(10, 10, "Window (napari)", window, *blue),
        Box(10, 220, "Commands (semimedref)", commands, *green),
        Box(640, 10, "Service (one a window)", service, *orange),
        Box(640, 220, "Trainer (one a round)", trainer, *orange),
        Box(325, 115, "Project folder", folder, *grey),
    )
    arrows = (  # from, to, where its words stand (middle), the words
        (230, 36, 640, 36, 435, 30, "questions and answers: JSON lines, arrays in files"),
        (60, 88, 60, 220, 160, 158, "starts a round, follows its events"),
        (
            230,
            272,
            640,
            272,
            435,
            266,
            "starts, and says why it ended; a file asks it to stop or to wait",
        ),
        (200, 88, 325, 132, 305, 104, "reads, accepts"),
        (200, 220, 325, 180, 325, 214, "reads, imports, decides"),
        (670, 220, 545, 180, 555, 214, "snapshot in, events out"),
        (670, 88, 545, 132, 575, 104, "films, teacher"),
    )
    parts = [part for arrow in arrows for part in _arrow(*arrow)]
    parts += [part for box in boxes for part in _box(box)]
    parts.append(
        _words(
            12,
            326,
            "Each of them can be killed at any instant; what was accepted lies in the project.",
        )
    )
    return _svg(870, 340, parts)


def _box(box: Box) -> Iterator[str]:
    yield _rectangle(box.x, box.y, 220, 78, box.color, box.edge)
    yield _words(box.x + 10, box.y + 19, box.title, bold=True)
    for number, line in enumerate(box.lines):
        yield _words(box.x + 10, box.y + 37 + 15 * number, line)


def _arrow(x0: int, y0: int, x1: int, y1: int, x: int, y: int, told: str) -> Iterator[str]:
    yield _line(x0, y0, x1, y1, "#555555", ' marker-end="url(#tip)" marker-start="url(#tip)"')
    yield _words(x, y, told, middle=True)


def _rectangle(x: int, y: int, width: int, height: int, fill: str, edge: str) -> str:
    size = f'x="{x}" y="{y}" width="{width}" height="{height}" rx="6"'
    return f'<rect {size} fill="{fill}" stroke="{edge}"/>'


def _line(x0: int, y0: int, x1: int, y1: int, color: str, more: str = "") -> str:
    return f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{color}"{more}/>'


def _words(x: int, y: int, text: str, middle: bool = False, bold: bool = False) -> str:
    style = (' font-weight="bold"' if bold else "") + (' text-anchor="middle"' if middle else "")
    return f'<text x="{x}" y="{y}"{style} xml:space="preserve">{escape(text)}</text>'


def _svg(width: int, height: int, parts: list[str]) -> str:
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#555555"/></marker></defs>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="{TEXT}" fill="#222222">'
    )
    back = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, tip, back, *parts, "</svg>", ""])


if __name__ == "__main__":
    main()
