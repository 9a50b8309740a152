"""Commands about the case pool: new projects, stories, audits, second readings, agreement, adjudication."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from training.cli.options import ConventionName, JsonFile, ProjectFolder, write_figures
from training.errors import PoolError
from training.next_round import next_config, save_next_config
from training.pool import Project
from training.pool.adjudication import adjudicate, contested_cases
from training.pool.agreement import Agreement, measure_agreement, raise_disagreements
from training.pool.audit import audit
from training.pool.second_reading import ask_second_reading, draw_for_second_reading
from training.pool.standing import rebuild
from training.pool.story import story

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]


def create(
    project: ProjectFolder,
    database: Annotated[
        str | None,
        typer.Option(
            help="postgresql+psycopg://USER@HOST/NAME: share the project between readers."
        ),
    ] = None,
    laterality: Annotated[
        ConventionName, typer.Option(help="Whose left the descriptions mean.")
    ] = ConventionName.image,
) -> None:
    """Make an empty project, its database in its folder or on a PostgreSQL server."""
    pool = Project.create(project, laterality=laterality.value, database_url=database)
    save_next_config(pool, next_config(pool))
    print(f"{pool.folder} is ready: bring cases in with `semimedref import`.")


def log(project: ProjectFolder, case: CaseId) -> None:
    """Tell a case's story: every revision, who made it, when, from which proposal, with how much work."""
    pool = Project.open(project)
    found = pool.case(case)
    state = f"{found.pool}, {found.revisions} revisions{', contested' if found.contested else ''}"
    print(f"{found.id}: {state}")
    for event in story(pool, case):
        time = datetime.fromisoformat(event.time).astimezone()
        print(f"  {time:%Y-%m-%d %H:%M:%S}  {event.who or '-':<12}  {event.sentence}")


def audit_command(
    project: ProjectFolder,
    rebuild_standing: Annotated[
        bool,
        typer.Option("--rebuild", help="First work out anew how each case stands from its rows."),
    ] = False,
) -> None:
    """Check every file and every row of a project; exit status 1 if anything is wrong."""
    pool = Project.open(project)
    if rebuild_standing:
        with pool.writing() as connection:
            rebuild(connection)
    with Console(stderr=True).status("Auditing") as status:
        looked = 0

        def progress(what: str) -> None:
            nonlocal looked
            looked += 1
            if looked % 1000 == 0:
                status.update(f"Auditing: {looked} things looked at, now each {what}")

        found = audit(pool, progress=progress)
    counts = ", ".join(f"{found.counts[name]} {name}" for name in ("cases", "revisions", "files"))
    for sentence in found.problems:
        print(f"  wrong: {sentence}")
    for sentence in found.notes:
        print(f"  note: {sentence}")
    print(f"{counts}: {'all in order' if found.clean else f'{len(found.problems)} problems'}.")
    if not found.clean:
        raise typer.Exit(1)


def second(
    project: ProjectFolder,
    count: Annotated[int, typer.Option(min=1, help="How many cases to draw.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
) -> None:
    """Ask for blind second readings of cases drawn at random among those that one reader has read."""
    pool = Project.open(project)
    drawn = draw_for_second_reading(pool, count, np.random.default_rng(seed))
    print(f"{ask_second_reading(pool, drawn)} cases wait for a second reading by another reader.")


def agreement(
    project: ProjectFolder,
    below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Send cases whose Dice is below this to adjudication."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Say how well first and blind second readings agree."""
    pool = Project.open(project)
    found = measure_agreement(pool)
    if not found.pairs:
        raise PoolError(
            f"{pool.folder} has no blind second reading yet: ask for some with `semimedref second`."
        )
    _say_agreement(found)
    if below is not None:
        raised = raise_disagreements(pool, found, below=below)
        print(f"  {len(raised)} more cases wait for adjudication: {', '.join(raised) or 'none'}")
    if json_file is not None:
        write_figures(json_file, _figures(found))


def _say_agreement(found: Agreement) -> None:
    print(
        f"{len(found.pairs)} cases read twice: Dice {found.mean_dice:.3f} mean, "
        f"{found.median_dice:.3f} median"
    )
    for name, overall, zones in (
        ("zones that the masks touch", found.zone_kappa_overall, found.zone_kappa),
        ("zones that the words name", found.word_kappa_overall, found.word_kappa),
    ):
        each = ", ".join(f"{zone} {_kappa(value)}" for zone, value in zones.items())
        print(f"  kappa of the {name}: {_kappa(overall)} ({each})")
    print(f"  kappa of the counted areas: {_kappa(found.count_kappa)}")


def _kappa(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _figures(found: Agreement) -> dict[str, Any]:
    def plain(value: float) -> float | None:
        return None if math.isnan(value) else value

    return {
        "mean_dice": plain(found.mean_dice),
        "median_dice": plain(found.median_dice),
        "zone_kappa": {zone: plain(value) for zone, value in found.zone_kappa.items()},
        "zone_kappa_overall": plain(found.zone_kappa_overall),
        "word_kappa": {zone: plain(value) for zone, value in found.word_kappa.items()},
        "word_kappa_overall": plain(found.word_kappa_overall),
        "count_kappa": plain(found.count_kappa),
        "cases": {pair.case_id: pair.dice for pair in found.pairs},
    }


def adjudicate_command(
    project: ProjectFolder,
    case: Annotated[
        str | None, typer.Argument(metavar="[CASE]", help="The case; none lists those that wait.")
    ] = None,
    take: Annotated[
        int | None, typer.Option(help="Number of the revision to let stand.", min=1)
    ] = None,
    reader: Annotated[str, typer.Option(help="Who decides.")] = "",
) -> None:
    """List the cases about which readers disagree, or decide one of them."""
    pool = Project.open(project)
    if case is None:
        _list_contested(pool)
        return
    revisions = {revision.number: revision for revision in pool.revisions(pool.case(case).id)}
    if take is None:
        for revision in revisions.values():
            print(f"  {revision.number}: {revision.reader}, {revision.reading}, {revision.outcome}")
        raise PoolError(
            f"It is not said which revision of {case} stands: give --take NUMBER and --reader NAME."
        )
    if take not in revisions:
        raise PoolError(f"{case} has no revision {take}: choose 1 to {len(revisions)}.")
    if not reader.strip():
        raise PoolError("Say who decides: --reader NAME.")
    settled = adjudicate(pool, case, reader, revisions[take].id)
    print(f"{case}: revision {take} stands, by {settled.reader}'s decision.")


def _list_contested(pool: Project) -> None:
    after, number = None, 0
    while page := contested_cases(pool, after=after):
        for found in page:
            last = story(pool, found.id)
            reasons = [event.sentence for event in last if event.sentence.startswith("contested")]
            print(f"  {found.id}: {reasons[-1] if reasons else 'contested'}")
        number += len(page)
        after = page[-1].id
    print(f"{number} cases wait for adjudication.")


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.command()(create)
    app.command()(log)
    app.command("audit")(audit_command)
    app.command()(second)
    app.command()(agreement)
    app.command("adjudicate")(adjudicate_command)
