"""Commands about a project's round while it lives, and how the project stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from training import run_control
from training.auto_start import Standing, auto_start_of, engine_installed, why_not
from training.cli.options import JsonOrScreen, ProjectFolder, write_figures
from training.estimate import duration
from training.pool import Project
from training.pool.leases import leases_of_others
from training.pool.rounds import all_runs, serving_model
from training.run_control import Living, look


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(pause)
    app.command("continue")(go_on)
    app.command()(stop)
    app.command()(kill)


def status(project: ProjectFolder, json_file: JsonOrScreen = None) -> None:
    """Say how a project stands: pools, rounds, the round under way, and the teacher that serves."""
    pool = Project.open(project)
    if json_file is None:
        show_status(pool)
        return
    if str(json_file) == "-":
        print(json.dumps(_figures(pool), indent=1))
    else:
        write_figures(json_file, _figures(pool))


def pause(project: ProjectFolder) -> None:
    """Let the round wait after its current step, with a checkpoint on disk; `continue` lets it go on."""
    run_control.pause_round(Project.open(project))
    print("The round pauses after its current step.")


def go_on(project: ProjectFolder) -> None:
    """Let a paused round go on."""
    run_control.continue_round(Project.open(project))
    print("The round goes on.")


def stop(project: ProjectFolder) -> None:
    """Stop the round after its current step, with a checkpoint; `round --resume` takes it up again."""
    run_control.stop_round(Project.open(project))
    print("The round stops after its current step; `semimedref round --resume` takes it up again.")


def kill(
    project: ProjectFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End the round's processes at once: the last resort where `stop` is not heard."""
    pool = Project.open(project)
    if not yes:
        typer.confirm("What was learned since the last checkpoint is lost. Kill?", abort=True)
    print(run_control.kill_round(pool))


def show_status(pool: Project) -> None:
    """Print how a project stands."""
    counts = pool.counts()
    print(f"{pool.folder}: {counts.total()} cases, 'left' is the {pool.laterality}'s left")
    names = ("labeled", "unlabeled", "gate", "report")
    print("  " + ", ".join(f"{counts[name]} {name}" for name in names))
    for run in all_runs(pool):
        print(
            f"  round {run.id}: {run.labeled} labeled, {run.outcome or 'not finished'}. {run.reason or ''}"
        )
    living = look(pool)
    if living.alive or living.orphan:
        print(f"  now: {_now(living)}")
    for lease in leases_of_others(pool).values():
        until = datetime.fromtimestamp(lease.expires_at, UTC).astimezone()
        print(f"  on {lease.reader}'s desk: {lease.case_id}, until {until:%H:%M}")
    model = serving_model(pool)
    print(f"  serving teacher: {model.id if model else 'none yet: start a round'}")


def _now(living: Living) -> str:
    left = living.status.seconds_left
    return f"{living.sentence} About {duration(left)} left." if left else living.sentence


def _figures(pool: Project) -> dict[str, Any]:
    living, model = look(pool), serving_model(pool)
    counts = pool.counts()
    standing = Standing(counts["labeled"], living.run, living.alive, engine=engine_installed())
    return {
        "folder": str(pool.folder),
        "laterality": pool.laterality,
        "counts": {name: counts[name] for name in ("labeled", "unlabeled", "gate", "report")},
        "new_labels": standing.new_labels,
        "start_refused": why_not(standing, auto_start_of(pool)),
        "serving": None if model is None else model.id,
        "rounds": [
            {"round": run.id, "labeled": run.labeled, "outcome": run.outcome, "reason": run.reason}
            for run in all_runs(pool)
        ],
        "desks": {lease.case_id: lease.reader for lease in leases_of_others(pool).values()},
        "now": _round_figures(living),
    }


def _round_figures(living: Living) -> dict[str, Any]:
    status = living.status
    return {
        "alive": living.alive,
        "orphan": living.orphan,
        "resumable": living.resumable,
        "state": status.state,
        "phase": status.phase,
        "step": status.step,
        "steps_planned": status.steps_planned,
        "seconds_left": status.seconds_left,
        "device": status.device,
        "progress": dict(status.progress),
        "warnings": list(status.warnings),
        "sentence": living.sentence,
    }
