"""The ablation tables: which runs they need, and running them in trainer processes.

A run folder is named by everything that decides its result, so that a finished one is reused and an interrupted one
goes on. What finished runs show lives in `training.ablation_scores`, printing in `training.cli.ablate`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from training.ablation_rows import TABLES, Row
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.rundir import RunFolder
from training.snapshot import Snapshot

RUNS_A_PROCESS = 6  # A process needs seconds to start; it trains a few runs one after another.
# Settings that do not change the scores.
WITHOUT_EFFECT = (
    "threads",
    "checkpoint_seconds",
    "pseudo_masks",
    "text_controls",
    "measured_cases",
)
# One split of labels for every row and seed, nested between shares, as in the paper.
SPLIT_SEED = 42


@dataclass(frozen=True)
class Planned:
    """One run of a table: where it stands, and what it is."""

    row: Row
    share: float
    seed: int
    folder: Path
    config: RunConfig
    snapshot: Snapshot


def with_share(snapshot: Snapshot, share: float) -> Snapshot:
    """The snapshot with ``share`` of its training cases labeled; the masks of all others are left out.

    Parameters
    ----------
    share : float
        A share up to 1, or a number of cases above.

    Raises
    ------
    PoolError
        If fewer cases have an accepted mask, or the report half is empty.
    """
    total = len(snapshot.labeled) + len(snapshot.unlabeled)
    count = max(1, round(share * total if share <= 1 else share))
    if not share > 0 or count > len(snapshot.labeled):
        raise PoolError(
            f"Labels {share:g}: that needs {count} labeled cases of {total}, and the project has "
            f"{len(snapshot.labeled)}: ask for less, or import with more labels."
        )
    if not snapshot.report:
        raise PoolError(
            "The report half of the holdout has no masks: accept some of its cases, to have something to measure on."
        )
    known = sorted(snapshot.labeled, key=lambda case: case.case_id)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(known))
    chosen = set(order[:count].tolist())
    hidden = tuple(
        case.model_copy(update={"mask": None})
        for number, case in enumerate(known)
        if number not in chosen
    )
    labeled = tuple(case for number, case in enumerate(known) if number in chosen)
    update = {"labeled": labeled, "unlabeled": hidden + snapshot.unlabeled}
    return snapshot.model_copy(update=update)


def plan(
    table: str,
    snapshot: Snapshot,
    config: RunConfig,
    shares: Sequence[float],
    seeds: int,
    out: Path,
    processes: int = 1,
    keys: Sequence[str] = (),
) -> list[Planned]:
    """The runs that a table needs; with ``keys``, only of those rows.

    Raises
    ------
    SemiMedRefError
        If there is no such table or row, or a share cannot be had.
    """
    if table not in TABLES:
        raise SemiMedRefError(f"There is no table {table}: choose one of {', '.join(TABLES)}.")
    known = [row.key for row in TABLES[table]]
    for key in keys:
        if key not in known:
            raise SemiMedRefError(f"Table {table} has no row {key}: choose of {', '.join(known)}.")
    pools = {share: with_share(snapshot, share) for share in shares}
    threads = max(1, (os.cpu_count() or 1) // processes)
    runs = []
    for share, pool in pools.items():
        for row in (row for row in TABLES[table] if not keys or row.key in keys):
            for seed in range(config.seed, config.seed + seeds):
                asked = _changed(config, row, seed)
                name = f"{row.key}-{share:g}-{seed}-{_digest(asked, pool)}"
                few = {
                    "pseudo_masks": False,
                    "text_controls": False,
                    "threads": asked.training.threads or threads,
                }
                lean = asked.training.model_copy(update=few)
                asked = asked.model_copy(update={"training": lean})
                runs.append(Planned(row, share, seed, out / name, asked, pool))
    return runs


def run_all(
    runs: Sequence[Planned], processes: int, on_done: Callable[[Planned], None] = lambda run: None
) -> None:
    """Train what has no scores yet, at most ``processes`` trainers at a time.

    Raises
    ------
    SemiMedRefError
        As soon as one fails; the others are asked to stop, and go on when this is called again.
    """
    todo = [run for run in runs if not RunFolder(run.folder).scores_file.exists()]
    for run in runs:
        if run not in todo:
            on_done(run)
    size = max(1, min(RUNS_A_PROCESS, len(todo) // processes))
    chunks = [todo[start : start + size] for start in range(0, len(todo), size)]
    free: SimpleQueue[str | None] = SimpleQueue()
    gpus = visible_gpus() if todo and processes > 1 else []
    for gpu, _ in zip(cycle(gpus or [None]), range(processes), strict=False):
        free.put(gpu)
    with ThreadPoolExecutor(processes) as pool:
        waiting = [pool.submit(_run, chunk, on_done, free) for chunk in chunks]
        try:
            done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for run in runs:
                folder = RunFolder(run.folder)
                if folder.path.exists() and not folder.scores_file.exists():
                    folder.request_stop()
            raise


def _changed(config: RunConfig, row: Row, seed: int) -> RunConfig:
    content = config.model_dump()
    for section, change in row.changes.items():
        content[section] |= change
    # A longer run is evaluated as often as others: it has no more models to choose the best from.
    for name in ("steps", "evaluate_every"):
        content["training"][name] = round(row.stretch * content["training"][name])
    return RunConfig.parse({**content, "seed": seed})


def decisive(config: RunConfig) -> dict[str, Any]:
    """The settings as plain data, without those that do not change the scores."""
    content = config.model_dump(mode="json")
    for name in WITHOUT_EFFECT:
        del content["training"][name]
    return content


def _digest(config: RunConfig, snapshot: Snapshot) -> str:
    text = json.dumps(decisive(config), sort_keys=True) + snapshot.digest()
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def visible_gpus() -> list[str]:
    """Names of the GPUs that a trainer may be given, as CUDA reads them; none where there is no NVIDIA driver."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    asked = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=20)
        return told.stdout.split()
    return []


def _run(
    chunk: Sequence[Planned], on_done: Callable[[Planned], None], free: SimpleQueue[str | None]
) -> None:
    """Train a few runs in one process, one after another, on a GPU that is free, if there are any."""
    gpu = free.get()
    try:
        _train(chunk, on_done, gpu)
    finally:
        free.put(gpu)


def _train(chunk: Sequence[Planned], on_done: Callable[[Planned], None], gpu: str | None) -> None:
    by_folder = {str(run.folder): run for run in chunk}
    for run in chunk:
        if not RunFolder(run.folder).config_file.exists():
            RunFolder.create(run.folder, run.config, run.snapshot)
    command = [sys.executable, "-m", "training", "run", "--say-done", *by_folder]
    with tempfile.TemporaryFile() as log:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": log}
        unnamed = chunk[0].config.device in ("auto", "cuda")  # else the settings say which, or none
        if gpu is not None and unnamed:
            options["env"] = os.environ | {"CUDA_VISIBLE_DEVICES": gpu}
        with subprocess.Popen(command, text=True, **options) as trainer:  # type: ignore[call-overload]
            for line in trainer.stdout:
                done = by_folder.pop(line.rstrip("\n"), None)
                if done is not None:
                    shutil.rmtree(RunFolder(done.folder).last, ignore_errors=True)  # Not continued.
                    on_done(done)
        if trainer.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().rpartition("\n")[2]
            folder = next(iter(by_folder), "of a table")
            sentence = said or f"exit status {trainer.returncode}"
            raise SemiMedRefError(f"The run {folder} did not finish: {sentence}")
