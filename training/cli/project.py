"""Projects that commands make: of synthetic films, or for what is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from training.cli.living import show_status
from training.cli.options import ProjectFolder
from training.config import preset
from training.next_round import next_config, save_next_config
from training.pool import IncomingCase, Project
from training.pool.database import is_project
from training.pool.importing import import_cases
from training.report.zones import Convention


def phantom(
    project: ProjectFolder,
    cases: Annotated[int, typer.Option(min=1, help="How many films to make.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same bytes.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Side of the films in pixels.")] = 256,
    labels: Annotated[float, typer.Option(min=0, max=1, help="Share that comes in labeled.")] = 0.2,
    distractors: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of lesions that the words do not name.")
    ] = 0.6,
    negatives: Annotated[float, typer.Option(min=0, max=1, help="Share without any lesion.")] = 0.0,
    wrong_words: Annotated[
        float, typer.Option(min=0, max=1, help="Share with a mistake in the description.")
    ] = 0.0,
    settings: Annotated[str, typer.Option("--preset", help="Settings of its rounds.")] = "demo",
) -> None:
    """Make a project of synthetic chest films, with a teacher's work still to do."""
    from training.formats.phantom import read_phantom
    from training.phantom import PhantomConfig

    rounds = preset(settings)
    config = PhantomConfig(
        size=size, distractor_probability=distractors, negatives=negatives, wrong_words=wrong_words
    )
    pool = Project.create(project)
    save_next_config(pool, rounds)
    films = read_phantom(config, cases, seed, labels)
    report = import_cases(pool, _shown(films, cases))
    print(report.sentence())
    show_status(pool)


def _shown(films: Iterable[IncomingCase], total: int) -> Iterator[IncomingCase]:
    """The films, with a progress line while they are made."""
    yield from track(films, description="Making films", total=total, transient=True)


def open_or_create(folder: Path, laterality: Convention) -> Project:
    """The project in a folder; a new one, with usual settings, where there is none."""
    if is_project(folder):
        return Project.open(folder)
    pool = Project.create(folder, laterality=laterality)
    save_next_config(pool, next_config(pool))
    return pool
