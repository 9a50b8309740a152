"""Commands about what a project's rounds and readers came to, and about the arms of its queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from training.acquisition import STRATEGIES
from training.arms import Arms, arms_of, save_arms
from training.cli.options import JsonFile, ProjectFolder, write_figures
from training.curves import METRICS, TEXTS, measure_curves
from training.curves_page import HEAD, round_name, said, work_row, write_curves
from training.pool import Project


def curves(
    project: ProjectFolder,
    json_file: JsonFile = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Also write a page with plots here.")
    ] = None,
) -> None:
    """Say how Dice grows with labels, and what reviewing costs, by round and by arm of the queue."""
    pool = Project.open(project)
    found = measure_curves(pool)
    console = Console()
    rounds = Table(
        "Round", "labels", "words", *METRICS.values(), title="Teacher on the report half"
    )
    for point in found.points:
        for text, words in TEXTS.items():
            if text in point.texts:
                figures = [said(point.texts[text][metric]) for metric in METRICS]
                rounds.add_row(round_name(point), str(point.labeled), words, *figures)
    console.print(rounds if found.points else "No round has been measured yet.")
    arms = Table(Column(HEAD[0], no_wrap=True), *HEAD[1:], title="Accepted cases")
    for work in found.arms:
        arms.add_row(*work_row(work))
    console.print(arms if found.arms else "Nothing that was shown has been accepted yet.")
    if json_file is not None:
        write_figures(json_file, found.as_dict())
    if html_file is not None:
        write_curves(html_file, found)


def arms(
    project: ProjectFolder,
    control: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share drawn at random.")
    ] = None,
    no_proposal: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share shown without a proposal.")
    ] = None,
    planted: Annotated[
        float | None,
        typer.Option(min=0, max=0.5, help="Share shown with a proposal that is wrong on purpose."),
    ] = None,
) -> None:
    """Say, or set, which shares of the queue are drawn at random or shown otherwise. Readers are not told."""
    pool = Project.open(project)
    asked = {"control": control, "no_proposal": no_proposal, "planted": planted}
    changed = {name: share for name, share in asked.items() if share is not None}
    shares = arms_of(pool)
    if changed:
        shares = Arms.model_validate(shares.model_dump() | changed)
        save_arms(pool, shares)
    for name, share in shares.model_dump().items():
        print(f"  {name.replace('_', '-')}: {share:.0%}")


def strategies() -> None:
    """List the orders of the review queue."""
    for name, strategy in STRATEGIES.items():
        print(f"{name:<14}{strategy.title}. {strategy.sentence}")
