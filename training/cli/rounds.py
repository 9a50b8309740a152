"""Commands that train."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from training.adopting import RoundOutcome
from training.cli.options import ProjectFolder
from training.config import RunConfig, preset
from training.errors import ConfigError, SemiMedRefError
from training.estimate import next_estimate
from training.events import RunStatus
from training.next_round import next_config
from training.pool import Project
from training.round import resume_round, run_round, unfinished_run
from training.run_control import stop_round
from training.rundir import STOPPED
from training.trainer_process import ENDED

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML or JSON file of settings, instead of the project's."),
]
PresetName = Annotated[
    str | None, typer.Option("--preset", help="Named settings, instead of the project's.")
]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Optimizer steps of a round, instead of the settings'.")
]


def chosen_config(
    project: Project,
    config: Path | None,
    name: str | None,
    steps: int | None,
    seed: int | None = None,
) -> RunConfig:
    """The settings that a command's options ask for; the project's own where they ask for nothing.

    Raises
    ------
    ConfigError
        Both a file and a preset are named, one of them cannot be used, or a setting is impossible.
    """
    if config is not None and name is not None:
        raise ConfigError("A file and a preset cannot both hold: give --config or --preset.")
    chosen = RunConfig.load(config) if config else preset(name) if name else next_config(project)
    values = chosen.model_dump()
    if steps is not None:
        values["training"]["steps"] = steps
    if seed is not None:
        values["seed"] = seed
    return RunConfig.parse(values)


class RoundBar:
    """One line of a progress display that follows a run's status."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task(title, total=None)

    def __call__(self, status: RunStatus) -> None:
        self._progress.update(
            self._task,
            total=status.steps_planned or None,
            completed=status.step,
            description=status.sentence,
        )

    def close(self) -> None:
        """Take the line away."""
        self._progress.remove_task(self._task)


class Ending:
    """Hands a round's status on, and has the round stop once this process was asked to end.

    A signal may come in the middle of anything, so it only leaves a mark. A trainer that is starting forgets what it
    was asked before, so it is asked until it has ended.
    """

    def __init__(self, pool: Project, on_status: Callable[[RunStatus], None]) -> None:
        self._pool, self._on_status, self._asked = pool, on_status, False
        self._before: Any = None

    def __enter__(self) -> Ending:
        """Heed SIGTERM from now on."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._mark)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave SIGTERM to whoever had it before."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _mark(self, *_: object) -> None:
        self._asked = True

    def __call__(self, status: RunStatus) -> None:
        """Take in how the run stands."""
        self._on_status(status)
        if self._asked and status.state not in ENDED:
            with suppress(SemiMedRefError):  # what is wrong is said by the round itself
                stop_round(self._pool)


def round_command(
    project: ProjectFolder,
    config: ConfigFile = None,
    preset_name: PresetName = None,
    steps: Steps = None,
    resume: Annotated[
        bool,
        typer.Option(help="Go on with a round that was stopped or killed; without one, start one."),
    ] = False,
    fresh: Annotated[
        bool | None,
        typer.Option(
            "--fresh/--warm",
            help="Start from random weights, or from the serving teacher's; the settings decide if left out.",
        ),
    ] = None,
    needs: Annotated[
        int, typer.Option(min=0, help="Start nothing with fewer new labels since the last round.")
    ] = 0,
    estimate: Annotated[
        bool, typer.Option(help="Only say what the round would take, in time and memory.")
    ] = False,
) -> None:
    """Do one round: snapshot, training, gate, and new pseudo-masks if the teacher is no worse.

    Asked to end (SIGTERM), it stops after the current step with a checkpoint; its exit status is then 3. With --resume,
    a round that is taken up again keeps the settings it began with.
    """
    pool = Project.open(project)
    if estimate:
        print(next_estimate(pool, chosen_config(pool, config, preset_name, steps)).sentence)
        return
    with (
        Progress(transient=True, console=Console(stderr=True)) as progress,
        Ending(pool, RoundBar(progress, "Starting the trainer")) as bar,
    ):
        if resume and unfinished_run(pool) is not None:
            outcome = resume_round(pool, on_status=bar)
        else:
            settings = chosen_config(pool, config, preset_name, steps)
            warm = None if fresh is None else not fresh
            outcome = run_round(pool, settings, warm_start=warm, needs=needs, on_status=bar)
    _say(outcome)
    if outcome.state == "stopped":
        raise typer.Exit(STOPPED)
    if outcome.state in ("failed", "lost"):
        raise typer.Exit(1)


def _say(outcome: RoundOutcome) -> None:
    print(f"Round {outcome.run.id} {outcome.state}. {outcome.sentence}")
    if outcome.scores:
        for half in ("gate", "report"):
            for role, values in outcome.scores.get(half, {}).items():
                print(
                    f"  {half} half, {role}: Dice {values['dice_global']:.3f} over all pixels, "
                    f"{values['dice_per_image']:.3f} mean over images"
                )
    if outcome.state == "promoted":
        print(f"  {outcome.proposals} pseudo-masks came in.")
