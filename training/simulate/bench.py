"""Strategies x methods x seeds, each a play on a copy of the project of its own; finished rounds are kept.

    OUT/STRATEGY-METHOD-SEED-DIGEST/project/         the copy that is played on
                                    rounds.json      records of the finished rounds
                                    after-N.sqlite   the copy's database as it was after round N

The digest covers everything that decides the result, so that a play is taken up again only as the same play. What
comes of the plays is in `training.simulate.results`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

from training.ablation import decisive
from training.acquisition import named
from training.arms import Arms
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.files import read_text, write_atomically
from training.pool import Project
from training.pool.database import DATABASE, copy_database
from training.pool.rounds import all_runs
from training.simulate.copies import copy_project
from training.simulate.play import NO_CONTROL, RoundRecord, simulate
from training.simulate.reader import ScriptedReader

METHODS = ("semi-medref", "supervised", "lvit-epi")
RANDOM, SUPERVISED = "random", "supervised"
# Figures that only some strategies look at cost two passes over the pool.
MEASURED_FOR = ("disagreement", "sensitivity")
RECORDS = "rounds.json"


@dataclass(frozen=True)
class Play:
    """One play of the bench.

    Attributes
    ----------
    head_start : int
        Labels added at random, without proposals, before the first round: only in plays of the reference.
    """

    strategy: str
    method: str
    seed: int
    folder: Path
    config: RunConfig
    rounds: int
    per_round: int
    reader: ScriptedReader
    arms: Arms = NO_CONTROL
    head_start: int = 0


@dataclass(frozen=True)
class Bench:
    """What is compared. Random order with supervised training sets the target, at ``reference`` times the first labels
    (0: none)."""

    strategies: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: int
    rounds: int
    per_round: int
    reader: ScriptedReader = field(default_factory=ScriptedReader)
    arms: Arms = NO_CONTROL
    reference: float = 4.0


def plan_plays(
    bench: Bench, project: Project, config: RunConfig, out: Path
) -> tuple[list[Play], list[Play]]:
    """The plays of a bench, and those of its reference.

    Raises
    ------
    SemiMedRefError
        There is no such strategy or method, or the pool is too small for the reference.
    """
    for strategy in bench.strategies:
        named(strategy)
    for method in bench.methods:
        if method not in METHODS:
            raise SemiMedRefError(f"There is no method {method!r}: choose of {', '.join(METHODS)}.")
    counts = project.counts()
    extra = round((bench.reference - 1) * counts["labeled"]) if bench.reference else 0
    if extra > counts["unlabeled"]:
        raise SemiMedRefError(
            f"The reference needs {extra} more labels and {counts['unlabeled']} cases wait: "
            "lower --reference, or begin with fewer labels."
        )
    known = f"{counts.total()} {counts['labeled']}"

    def play(strategy: str, method: str, seed: int, head_start: int = 0) -> Play:
        settings = _settings(config, strategy, method, seed)
        rounds, each = (1, 0) if head_start else (bench.rounds, bench.per_round)
        decides = [
            decisive(settings), asdict(bench.reader), bench.arms.model_dump(), each, head_start, known
        ]  # fmt: skip
        text = json.dumps(decides, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        name = "reference" if head_start else f"{strategy}-{method}"
        folder = out / f"{name}-{seed}-{digest}"
        return Play(
            strategy, method, seed, folder, settings, rounds, each, bench.reader, bench.arms, head_start
        )  # fmt: skip

    seeds = range(config.seed, config.seed + bench.seeds)
    grid = [(s, m, n) for n in seeds for s in bench.strategies for m in bench.methods]
    reference = [play(RANDOM, SUPERVISED, seed, extra) for seed in seeds] if extra > 0 else []
    return [play(*each) for each in grid], reference


def _settings(config: RunConfig, strategy: str, method: str, seed: int) -> RunConfig:
    content = config.model_dump()
    content["seed"] = seed
    content["method"]["name"] = method
    looked_at = content["training"]["measured_cases"] if strategy in MEASURED_FOR else 0
    content["training"] |= {
        "measured_cases": looked_at,
        "text_controls": False,
        "threads": content["training"]["threads"] or 1,
    }
    return RunConfig.parse(content)


def run_plays(
    source: Path,
    plays: Sequence[Play],
    processes: int,
    on_round: Callable[[Play, RoundRecord], None] = lambda play, record: None,
) -> dict[Play, list[RoundRecord]]:
    """Play what is left to play, at most ``processes`` trainers at a time.

    Raises
    ------
    SemiMedRefError
        As soon as a play fails; the others end after their round, and all go on when this is called again.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(processes) as pool:
        waiting = {pool.submit(run_play, source, play, on_round, stop): play for play in plays}
        try:
            done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {play: future.result() for future, play in waiting.items()}


def run_play(
    source: Path,
    play: Play,
    on_round: Callable[[Play, RoundRecord], None] = lambda play, record: None,
    stop: threading.Event | None = None,
) -> list[RoundRecord]:
    """Play one play to its end, from its last finished round on."""
    records = read_records(play)[: play.rounds]
    for record in records:
        on_round(play, record)
    if is_over(play, records):
        return records
    project = _take_up(source, play, len(records))
    spent = sum(r.reader_seconds for r in records) + (
        records[0].reader_seconds_before if records else 0.0
    )
    try:
        for record in simulate(
            project,
            play.rounds,
            play.per_round,
            config=play.config,
            strategy=play.strategy,
            reader=play.reader,
            arms=play.arms,
            seed=play.seed,
            done=len(records),
            spent=spent,
            head_start=play.head_start,
        ):
            records.append(record)
            _keep(play, project, records)
            on_round(play, record)
            if stop is not None and stop.is_set():
                break
    finally:
        project.close()
    return records


def is_over(play: Play, records: Sequence[RoundRecord]) -> bool:
    """Whether a play has all its rounds, or came to a round after which nothing was left to read."""
    read_all = bool(records) and play.per_round > 0 and not records[-1].corrected
    return read_all or len(records) >= play.rounds


def read_records(play: Play) -> list[RoundRecord]:
    """The rounds of a play that are finished.

    Raises
    ------
    PoolError
        The content of their file is damaged.
    """
    path = play.folder / RECORDS
    if not path.exists():
        return []
    try:
        return [RoundRecord(**record) for record in json.loads(read_text(path))]
    except (ValueError, TypeError) as error:
        raise PoolError(f"{path} is damaged: remove {play.folder} to play it again.") from error


def _take_up(source: Path, play: Play, done: int) -> Project:
    """The play's copy of the project as it was after its last finished round; what came later is forgotten."""
    copy = play.folder / "project"
    if done:
        copy_database(_after(play, done), copy / DATABASE)
    else:
        shutil.rmtree(copy, ignore_errors=True)
        copy_project(source, copy)
    project = Project.open(copy)
    known = {run.folder for run in all_runs(project)}
    for folder in (copy / "runs").glob("*"):
        if folder not in known:
            shutil.rmtree(folder, ignore_errors=True)
    return project


def _keep(play: Play, project: Project, records: Sequence[RoundRecord]) -> None:
    """Let a round be finished: database first, then the record that says so; what nobody needs again goes."""
    done = len(records)
    copy_database(project.folder / DATABASE, _after(play, done))
    content = [asdict(record) for record in records]
    write_atomically(play.folder / RECORDS, json.dumps(content, indent=1))
    _after(play, done - 1).unlink(missing_ok=True)
    for run in all_runs(project):
        for part in ("checkpoints", "predictions"):
            shutil.rmtree(run.folder / part, ignore_errors=True)


def _after(play: Play, done: int) -> Path:
    return play.folder / f"after-{done}.sqlite"
