"""The command that prints the papers' ablation tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.progress import Progress

from training.ablation import Planned, plan, run_all
from training.ablation_rows import LVIT_PARTS, PARTS, TABLES, Row, with_lvit
from training.ablation_scores import (
    FIGURES,
    Cell,
    Comparison,
    Role,
    cells,
    comparisons,
    spread,
)
from training.cli.options import Ahead, JsonFile, ProjectFolder, going_on, warn, write_figures
from training.cli.rounds import ConfigFile, PresetName, Steps, chosen_config
from training.config import RunConfig
from training.errors import ConfigError
from training.next_round import next_config
from training.pool import Project
from training.round import freeze
from training.rundir import RunFolder


def ablate(
    project: ProjectFolder,
    table: Annotated[
        str,
        typer.Option(
            help="2 or 3: Semi-MedRef's; lvit: LViT's; gain: what each part adds over supervised training."
        ),
    ] = "2",
    labels: Annotated[
        str, typer.Option(help="Shares, or numbers, of the training cases that keep their labels.")
    ] = "0.01,0.02",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each row.")] = 3,
    rows: Annotated[
        str | None,
        typer.Option(
            help="Only these rows, with commas; a wrong one is answered with the right ones."
        ),
    ] = None,
    config: ConfigFile = None,
    preset_name: PresetName = None,
    steps: Steps = None,
    role: Annotated[str, typer.Option(help="Whose score: student (as released) or teacher.")] = (
        "student"
    ),
    processes: Annotated[int, typer.Option(min=1, help="Trainers at a time.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the runs; PROJECT/ablations if not given.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Train the rows of a table and print it; finished runs are reused, interrupted ones go on."""
    if role not in ("student", "teacher"):
        raise ConfigError(f"There is no role {role!r}: choose student or teacher.")
    pool, shares = Project.open(project), _shares(labels)
    settings = _settings(table, pool, config, preset_name, steps)
    folder = out or pool.folder / "ablations"
    keys = [key.strip() for key in rows.split(",")] if rows else []
    runs = plan(table, freeze(pool), settings, shares, seeds, folder, processes, keys)
    _train(table, runs, processes, folder)
    found = cells(table, runs, cast(Role, role))
    compared = comparisons(table, runs, cast(Role, role))
    for line in lines(table, found, shares, seeds, role) + _gain_lines(table, compared):
        print(line)
    if json_file is not None:
        number = int(table) if table.isdigit() else table
        content: dict[str, Any] = {
            "table": number,
            "role": role,
            "seeds": seeds,
            "cells": _told(found),
        }
        content["comparisons"] = [asdict(each) for each in compared]
        write_figures(json_file, content)


def _train(table: str, runs: Sequence[Planned], processes: int, folder: Path) -> None:
    """Train what is not there yet, telling after each run how long the others will take."""
    left = [run for run in runs if not RunFolder(run.folder).scores_file.exists()]
    warn(f"{len(runs)} runs in {folder}, {len(runs) - len(left)} of them finished before.")
    console, ahead = Console(stderr=True), Ahead(len(left))
    with going_on(), Progress(transient=True, console=console) as progress:
        bar = progress.add_task(f"Table {table}", total=len(runs))

        def on_done(run: Planned) -> None:
            progress.advance(bar)
            if run in left:
                told = (
                    f"{run.row.title}, {run.share:g} labels, seed {run.seed}: {ahead.after_one()}"
                )
                console.print(told, highlight=False, soft_wrap=True)

        run_all(runs, processes, on_done)


def _told(found: dict[tuple[str, float], Cell]) -> list[dict[str, Any]]:
    return [
        {"row": key, "share": share, **asdict(cell), "mean": cell.mean, "spread": cell.spread}
        | {"figures": cell.figures}
        for (key, share), cell in found.items()
    ]


def _settings(
    table: str, pool: Project, config: Path | None, name: str | None, steps: int | None
) -> RunConfig:
    """What a table's rows change: LViT's is about an LViT, a small one unless another is given."""
    if table != "lvit":
        return chosen_config(pool, config, name, steps)
    if config is None and name is None and not next_config(pool).network.name.startswith("lvit"):
        name = "lvit-small"
    return with_lvit(chosen_config(pool, config, name, steps))


def lines(
    table: str,
    found: dict[tuple[str, float], Cell],
    shares: Sequence[float],
    seeds: int,
    role: str,
) -> list[str]:
    """The table in the paper's layout: a line for each row, a column for each share of labels."""
    if table == "lvit":
        return _lvit_lines(found, shares, seeds, role)
    heads = [*PARTS] if table == "2" else ["Method"]
    counts = {share: cell.labeled for (_, share), cell in found.items()}
    body = [[*heads, *(_labels(share, counts[share]) for share in shares)]]
    figure = _gain if table == "gain" else _figure
    for row in _rows(table, found):
        marks = _marks(row) if table == "2" else [row.title]
        body.append([*marks, *(figure(found[row.key, share]) for share in shares)])
    compared = any(cell.p is not None for cell in found.values())
    return [*_aligned(body), _note(table, seeds, role, compared)]


def _lvit_lines(
    found: dict[tuple[str, float], Cell], shares: Sequence[float], seeds: int, role: str
) -> list[str]:
    """LViT's table: a line for each share of labels and row, a column for each figure."""
    figures = ("Dice", "Dice, mean over images", "IoU", "IoU, mean over images")
    body = [["Labels", "Method", *LVIT_PARTS, *figures, "p"]]
    for share in shares:
        for row in _rows("lvit", found):
            cell = found[row.key, share]
            values = (cell.figures[name] for name in FIGURES)
            told = [f"{100 * (each['mean'] or 0):.2f}{_spread(each['sd'])}" for each in values]
            p = "" if cell.p is None else _p_value(cell.p)
            body.append(
                [_labels(share, cell.labeled), row.title, *_marks(row, LVIT_PARTS), *told, p]
            )
    return [*_aligned(body), _note("lvit", seeds, role, True)]


def _rows(table: str, found: dict[tuple[str, float], Cell]) -> list[Row]:
    keys = {key for key, _ in found}
    return [row for row in TABLES[table] if row.key in keys]


def _aligned(body: list[list[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in body) for column in range(len(body[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in body]  # fmt: skip


def _labels(share: float, labeled: int) -> str:
    return f"{100 * share:g} % ({labeled})" if share <= 1 else f"{share:g} labels"


def _note(table: str, seeds: int, role: str, compared: bool) -> str:
    over = "one seed" if seeds == 1 else f"mean ± standard deviation of {seeds} seeds"
    if table == "gain":
        return (
            f"Dice (%) of the {role} on the report half, over all pixels / mean over images, {over}; in brackets the "
            "gain in Dice over all pixels against plain supervised training, of 'ours' against supervised training "
            "with the same views and mixing (the row '+ patches of labeled films'), of 'ours' without a part against "
            "'ours'."
        )
    if table == "lvit":
        return (
            f"Figures (%) of the {role} on the report half, over all pixels and as means over images, {over}; p of an "
            "image's Dice against the last row: Wilcoxon's paired test over cases. Without EPI and LV: the labeled "
            "pool alone; LV without EPI: present predictions as pseudo-masks."
        )
    against = "the row above" if table == "2" else "the last row"
    test = f"; p against {against}: Wilcoxon's paired test over cases" if compared else ""
    return f"Dice (%) over all pixels of the {role} on the report half, {over}{test}."


def _gain(cell: Cell) -> str:
    whole, single = (f"{100 * sum(each) / len(each):.1f}" for each in (cell.dice, cell.per_image))
    text = f"{whole}{_spread(cell.spread, 1)} / {single}"
    if not cell.gains:
        return text
    gain = 100 * sum(cell.gains) / len(cell.gains)
    return f"{text} [{gain:+.1f}{_spread(spread(cell.gains), 1)}]"


def _gain_lines(table: str, compared: Sequence[Comparison]) -> list[str]:
    """For the table of gains: what each seed gained over every row that a row is compared with."""
    if table != "gain" or not compared:
        return []
    titles = {row.key: row.title for row in TABLES[table]}
    body = [["", "over", "labels", "all pixels, each seed", "mean over images", "p"]]
    for each in compared:
        gains = (_signed(each.gains), _signed(each.per_image))
        names = titles[each.row], titles[each.other]
        body.append([*names, f"{each.share:g}", *gains, _p_value(each.p)])
    return ["", "Gain in points of Dice:", *_aligned(body)]


def _signed(values: Sequence[float]) -> str:
    return ", ".join(f"{100 * value:+.1f}" for value in values)


def _spread(value: float | None, digits: int = 2) -> str:
    """In percent, to be put behind a mean; nothing of a single seed."""
    return "" if value is None else f" ± {100 * value:.{digits}f}"


def _marks(row: Row, parts: Sequence[str] = PARTS) -> list[str]:
    return ["x" if part in row.parts else "-" for part in parts]


def _figure(cell: Cell) -> str:
    text = f"{100 * cell.mean:.2f}{_spread(cell.spread)}"
    return text if cell.p is None else f"{text} (p {_p_value(cell.p)})"


def _p_value(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _shares(labels: str) -> list[float]:
    try:
        return list(dict.fromkeys(float(each) for each in labels.split(",")))
    except ValueError as error:
        raise ConfigError(f"--labels is {labels!r}: give shares such as 0.01,0.02.") from error
