"""The command that plays the reader: one play in the project itself, or a bench of plays on copies of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from training.arms import Arms
from training.cli.options import Ahead, JsonFile, ProjectFolder, going_on, warn, write_figures
from training.cli.reader_options import (
    Anchoring,
    Jitter,
    Margin,
    Missed,
    Seconds,
    Tolerance,
    WrongWords,
    time_model_of,
)
from training.cli.rounds import ConfigFile, PresetName, Steps, chosen_config
from training.config import RunConfig
from training.events import RunStatus
from training.pool import Project
from training.simulate import RoundRecord, ScriptedReader
from training.simulate import simulate as play
from training.simulate.bench import Bench, Play, is_over, plan_plays, read_records, run_plays
from training.simulate.page import HEAD, rows_of, write_results
from training.simulate.results import reference_of, results_of, teacher_dice

BENCH = "Comparing"


def simulate(
    project: ProjectFolder,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of training and reviewing.")] = 3,
    per_round: Annotated[int, typer.Option(min=0, help="Cases to correct after each round.")] = 50,
    strategy: Annotated[
        str, typer.Option(help="Orders of the queue, with commas; `semimedref strategies`.")
    ] = "zones",
    tolerance: Tolerance = 0.95,
    margin: Margin = 0.0,
    jitter: Jitter = 0.0,
    missed: Missed = 0.0,
    wrong_words: WrongWords = 0.0,
    anchoring: Anchoring = 0.0,
    seconds: Seconds = "5,2,25,5",
    control: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the queue drawn at random.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of queue, reader and training; the first.")] = 0,
    method: Annotated[
        str,
        typer.Option(
            help="semi-medref, supervised, lvit-epi, with commas; else the settings'.",
            rich_help_panel=BENCH,
        ),
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, help="How many.", rich_help_panel=BENCH)] = 1,
    reference: Annotated[
        float,
        typer.Option(
            min=0,
            help="Multiple of the first labels at which random and supervised set the target; 0: none.",
            rich_help_panel=BENCH,
        ),
    ] = 4.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Where plays are kept; else beside the project.", rich_help_panel=BENCH),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for a page with plots.", rich_help_panel=BENCH),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Trainers side by side.", rich_help_panel=BENCH)
    ] = 1,
    config: ConfigFile = None,
    preset_name: PresetName = None,
    steps: Steps = None,
    json_file: JsonFile = None,
) -> None:
    """Play the whole loop with a scripted reader who corrects pseudo-masks to the withheld references.

    One play labels the cases of PROJECT itself, as a person would. With several strategies, methods or seeds, or with
    --report or --out, each plays on a copy, PROJECT stays as it is, and one table compares them; finished rounds are
    kept, so that the same command goes on where it was stopped.
    """
    pool = Project.open(project)
    settings = chosen_config(pool, config, preset_name, steps, seed)
    reader = ScriptedReader(
        tolerance, margin, jitter, missed, wrong_words, anchoring, time_model_of(seconds)
    )
    strategies, methods = _names(strategy), _names(method) or (settings.method.name,)
    arms = Arms(control=control)
    if method or report or out or seeds > 1 or len(strategies) > 1:
        bench = Bench(strategies, methods, seeds, rounds, per_round, reader, arms, reference)
        folder = out or pool.folder.with_name(f"{pool.folder.name}-plays")
        _compare(pool, bench, settings, folder, processes, report, json_file)
        return
    options = {"config": settings, "strategy": strategy, "reader": reader, "arms": arms}
    _play_once(pool, rounds, per_round, seed, options, json_file)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _play_once(
    pool: Project,
    rounds: int,
    per_round: int,
    seed: int,
    options: dict[str, Any],
    json_file: Path | None,
) -> None:
    records: list[RoundRecord] = []
    warn(
        f"The reader labels the cases of {pool.folder} itself; with --out FOLDER, those of a copy."
    )
    with Progress(transient=True) as progress:
        training = progress.add_task("Starting the trainer", total=None)
        reading = progress.add_task("Reading", total=rounds * per_round)

        def on_status(number: int, status: RunStatus) -> None:
            progress.update(
                training,
                total=status.steps_planned or None,
                completed=status.step,
                description=f"Round {number}: {status.sentence}",
            )

        def on_correction(number: int, done: int) -> None:
            progress.update(reading, completed=(number - 1) * per_round + done)

        told = play(
            pool,
            rounds,
            per_round,
            seed=seed,
            on_status=on_status,
            on_correction=on_correction,
            **options,
        )
        for record in told:
            records.append(record)
            progress.console.print(line(record), highlight=False, soft_wrap=True)
            if json_file is not None:
                _write(json_file, pool, seed, per_round, options, records)
    if len(records) < rounds:
        warn(f"Nothing is left to read: {len(records)} of {rounds} rounds were played.")


def _compare(
    pool: Project,
    bench: Bench,
    settings: RunConfig,
    folder: Path,
    processes: int,
    report: Path | None,
    json_file: Path | None,
) -> None:
    plays, reference_plays = plan_plays(bench, pool, settings, folder)
    played = _play_all(pool, [*reference_plays, *plays], processes)
    reference = reference_of({each: played[each] for each in reference_plays})
    target = None if reference is None else reference.dice.mean
    results = results_of({each: played[each] for each in plays}, target)
    for row in (HEAD, ["---"] * len(HEAD), *rows_of(results, reference)):
        print("| " + " | ".join(row) + " |")  # as docs take it
    if json_file is not None:
        content = {
            "project": pool.folder.name,
            "bench": asdict(bench) | {"arms": bench.arms.model_dump()},
            "reference": None if reference is None else asdict(reference),
            "results": [asdict(result) for result in results],
            "plays": {
                each.folder.name: [asdict(record) for record in records]
                for each, records in played.items()
            },
        }
        write_figures(json_file, content)
    if report is not None:
        print(
            f"{write_results(report, pool.folder.name, bench, settings, results, reference)} has the plots."
        )


def _play_all(pool: Project, plays: list[Play], processes: int) -> dict[Play, list[RoundRecord]]:
    total = sum(each.rounds for each in plays)
    kept = {each: read_records(each)[: each.rounds] for each in plays}
    before = {each: len(records) for each, records in kept.items()}
    left = sum(each.rounds - before[each] for each in plays if not is_over(each, kept[each]))
    warn(f"{len(plays)} plays of {total} rounds together, {left} of them still to be played.")
    ahead = Ahead(left)
    with going_on(), Progress(transient=True, console=Console()) as progress:
        task = progress.add_task("Rounds", total=total)

        def on_round(each: Play, record: RoundRecord) -> None:
            progress.advance(task)
            name = "reference" if each.head_start else f"{each.strategy}, {each.method}"
            told = (
                f"{name}, seed {each.seed}, round {record.round}: {record.labeled} labeled, Dice "
                f"{_said(teacher_dice(record), '.3f')}"
            )
            if record.round > before[each]:
                told += f" ({ahead.after_one()})"
            progress.console.print(told, highlight=False, soft_wrap=True)

        return run_plays(pool.folder, plays, processes, on_round)


def line(record: RoundRecord) -> str:
    """One round in one line."""
    student, teacher = record.holdout.get("student", {}), record.holdout.get("teacher", {})
    return (
        f"round {record.round}: {record.labeled} labeled | holdout Dice, over all pixels / mean over images: "
        f"teacher {_pair(teacher)}, student {_pair(student)} | {_work(record)} | {record.seconds:.0f} s | "
        f"{'promoted' if record.promoted else 'refused'}"
    )


def _work(record: RoundRecord) -> str:
    if not record.corrected:
        return "nothing read"
    share = record.reader_seconds / record.reader_seconds_from_nothing
    return (
        f"Dice of pseudo-masks {_said(record.pseudo_dice, '.3f')}, of those read "
        f"{_said(record.chosen_pseudo_dice, '.3f')}; {_said(record.accepted_as_is, '.0%')} of them accepted as is, "
        f"{_said(record.pixels_edited, '.2%')} of pixels edited, {record.reader_seconds / record.corrected:.0f} s a "
        f"case ({share:.0%} of drawing it)"
    )


def _said(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)


def _pair(scores: dict[str, Any]) -> str:
    if not scores:
        return "not measured"
    return f"{scores['dice_global']:.3f} / {scores['dice_per_image']:.3f}"


def _write(
    path: Path,
    pool: Project,
    seed: int,
    per_round: int,
    options: dict[str, Any],
    records: list[RoundRecord],
) -> None:
    content = {
        "project": pool.folder.name,
        "seed": seed,
        "strategy": options["strategy"],
        "tolerance": options["reader"].tolerance,
        "reader": asdict(options["reader"]),
        "per_round": per_round,
        "rounds": [asdict(record) for record in records],
    }
    write_figures(path, content)
