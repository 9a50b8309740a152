"""The command that plays the reader."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from training.cli.project import ProjectFolder
from training.cli.rounds import ConfigFile, PresetName, Steps, chosen_config
from training.files import write_atomically
from training.pool import Project
from training.simulate import RoundRecord
from training.simulate import simulate as play


def simulate(
    project: ProjectFolder,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of training and reviewing.")] = 3,
    per_round: Annotated[int, typer.Option(min=0, help="Cases to correct after each round.")] = 50,
    strategy: Annotated[
        str, typer.Option(help="Order of the review queue: zones or random.")
    ] = "zones",
    tolerance: Annotated[
        float,
        typer.Option(min=0.5, max=1, help="Dice from which the reader lets a pseudo-mask stand."),
    ] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of the queue and the training.")] = 0,
    config: ConfigFile = None,
    preset_name: PresetName = None,
    steps: Steps = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the figures.")
    ] = None,
) -> None:
    """Play the whole loop with a scripted reader who corrects pseudo-masks to the withheld references."""
    pool = Project.open(project)
    settings = chosen_config(pool, config, preset_name, steps, seed)
    records: list[RoundRecord] = []
    with Progress(transient=True) as progress:
        training = progress.add_task("Starting the trainer", total=None)
        reading = progress.add_task("Reading", total=rounds * per_round)

        def on_status(number, status):
            progress.update(
                training,
                total=status.steps_planned or None,
                completed=status.step,
                description=f"Round {number}: {status.sentence}",
            )

        def on_correction(number, done):
            progress.update(reading, completed=(number - 1) * per_round + done)

        played = play(
            pool,
            rounds,
            per_round,
            config=settings,
            strategy=strategy,
            tolerance=tolerance,
            seed=seed,
            on_status=on_status,
            on_correction=on_correction,
        )
        for record in played:
            records.append(record)
            progress.console.print(line(record), highlight=False, soft_wrap=True)
            if json_file is not None:
                _write(json_file, pool, settings.seed, strategy, tolerance, per_round, records)


def line(record: RoundRecord) -> str:
    """One round in one line."""
    student, teacher = record.holdout.get("student", {}), record.holdout.get("teacher", {})
    return (
        f"round {record.round}: {record.labeled} labeled | holdout Dice, all pixels / per image: "
        f"teacher {_pair(teacher)}, student {_pair(student)} | "
        f"pseudo-masks {_said(record.pseudo_dice, '.3f')}, "
        f"those chosen {_said(record.chosen_pseudo_dice, '.3f')} | "
        f"{_said(record.accepted_as_is, '.0%')} as is, {_said(record.pixels_edited, '.2%')} of pixels edited | "
        f"{record.seconds:.0f} s | "
        f"{'promoted' if record.promoted else 'refused'}"
    )


def _said(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)


def _pair(scores: dict) -> str:
    if not scores:
        return "not measured"
    return f"{scores['dice_global']:.3f} / {scores['dice_per_image']:.3f}"


def _write(path, pool, seed, strategy, tolerance, per_round, records) -> None:
    content = {
        "project": pool.folder.name,
        "seed": seed,
        "strategy": strategy,
        "tolerance": tolerance,
        "per_round": per_round,
        "rounds": [asdict(record) for record in records],
    }
    write_atomically(path, json.dumps(content, indent=1))
