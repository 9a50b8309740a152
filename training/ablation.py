"""The papers' ablation tables: which runs they need, running them as trainer processes, and what they show.

A run folder is named by everything that decides its result, so that a finished one is reused and an interrupted one
goes on. Numbers come from the ``report`` half alone. Printing lives in `training.cli.ablate`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.stats import wilcoxon

from training.ablation_rows import TABLES, WHOLE, Row
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.round import status_of
from training.rundir import RunFolder, read_json
from training.snapshot import Snapshot

Role = Literal["student", "teacher"]
SPLIT_SEED = (
    42  # One split of labels for every row and seed, nested between shares, as in the paper.
)


@dataclass(frozen=True)
class Planned:
    """One run of a table: where it stands, and what it is."""

    row: Row
    share: float
    seed: int
    folder: Path
    config: RunConfig
    snapshot: Snapshot


@dataclass(frozen=True)
class Cell:
    """One row at one share of labels.

    Attributes
    ----------
    dice : tuple of float
        Global Dice in [0, 1], one for each seed.
    against : str or None
        Key of the row it is compared with.
    p : float or None
        Two-sided Wilcoxon signed-rank test over cases of the report half, the Dice of each case averaged over seeds;
        it says nothing of the spread between seeds.
    """

    dice: tuple[float, ...]
    against: str | None = None
    p: float | None = None

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean(self.dice))

    @property
    def spread(self) -> float:
        """Standard deviation between seeds; 0 with a single one."""
        return float(np.std(self.dice, ddof=1)) if len(self.dice) > 1 else 0.0


def with_share(snapshot: Snapshot, share: float) -> Snapshot:
    """The snapshot with ``share`` of its training cases labeled; the masks of all others are left out.

    Raises
    ------
    PoolError
        If fewer cases have an accepted mask, or the report half is empty.
    """
    total = len(snapshot.labeled) + len(snapshot.unlabeled)
    count = max(1, round(share * total))
    if not 0 < share <= 1 or count > len(snapshot.labeled):
        raise PoolError(
            f"A share of {share:g} needs {count} labeled cases of {total}, and the project has "
            f"{len(snapshot.labeled)}: ask for less, or import with more labels."
        )
    if not snapshot.report:
        raise PoolError("The report half of the holdout is empty: there is nothing to measure on.")
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
    table: int,
    snapshot: Snapshot,
    config: RunConfig,
    shares: Sequence[float],
    seeds: int,
    out: Path,
    processes: int = 1,
) -> list[Planned]:
    """The runs that a table needs.

    Raises
    ------
    SemiMedRefError
        If there is no such table, or a share cannot be had.
    """
    if table not in TABLES:
        raise SemiMedRefError(f"There is no table {table}: choose 2 or 3.")
    pools = {share: with_share(snapshot, share) for share in shares}
    threads = max(1, (os.cpu_count() or 1) // processes)
    runs = []
    for share, pool in pools.items():
        for row in TABLES[table]:
            for seed in range(config.seed, config.seed + seeds):
                asked = _changed(config, row, seed)
                name = f"{row.key}-{share:g}-{seed}-{_digest(asked, pool)}"
                if asked.training.threads == 0:
                    few = asked.training.model_copy(update={"threads": threads})
                    asked = asked.model_copy(update={"training": few})
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
    with ThreadPoolExecutor(processes) as pool:
        waiting = [pool.submit(_run, run, on_done) for run in runs]
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


def cells(
    table: int, runs: Sequence[Planned], role: Role = "student"
) -> dict[tuple[str, float], Cell]:
    """What finished runs show, by row and share.

    Rows of table 2 are compared with the row before, those of table 3 with the whole method.
    """
    found: dict[tuple[str, float], Cell] = {}
    for share in dict.fromkeys(run.share for run in runs):
        before: str | None = None
        for row in TABLES[table]:
            own = [run for run in runs if (run.row.key, run.share) == (row.key, share)]
            other = before if table == 2 else WHOLE.key if row.key != WHOLE.key else None
            theirs = [run for run in runs if (run.row.key, run.share) == (other, share)]
            p = _significance(own, theirs, role) if theirs else None
            found[row.key, share] = Cell(tuple(_dice(run, role) for run in own), other, p)
            before = row.key
    return found


def _changed(config: RunConfig, row: Row, seed: int) -> RunConfig:
    content = config.model_dump()
    for section, change in row.changes.items():
        content[section] |= change
    return RunConfig.parse({**content, "seed": seed})


def _digest(config: RunConfig, snapshot: Snapshot) -> str:
    content = config.model_dump(mode="json")
    for name in ("threads", "checkpoint_seconds"):  # They change how fast, not what.
        del content["training"][name]
    text = json.dumps(content, sort_keys=True) + snapshot.digest()
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _run(planned: Planned, on_done: Callable[[Planned], None]) -> None:
    folder = RunFolder(planned.folder)
    if not folder.scores_file.exists():
        if not folder.config_file.exists():
            RunFolder.create(planned.folder, planned.config, planned.snapshot)
        command = [sys.executable, "-m", "training", "run", str(planned.folder)]
        with (planned.folder / "trainer.log").open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if done.returncode:
            sentence = status_of(folder).sentence or f"exit status {done.returncode}"
            raise SemiMedRefError(f"The run {planned.folder} did not finish: {sentence}")
        shutil.rmtree(folder.last, ignore_errors=True)  # Nobody continues a finished run.
    on_done(planned)


def _dice(run: Planned, role: Role) -> float:
    return float(RunFolder(run.folder).read_scores()["report"][role]["dice_global"])


def _significance(own: Sequence[Planned], other: Sequence[Planned], role: Role) -> float:
    one, two = _by_case(own, role), _by_case(other, role)
    shared = sorted(one.keys() & two.keys())
    differences = np.array([one[case] - two[case] for case in shared])
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences).pvalue)


def _by_case(runs: Sequence[Planned], role: Role) -> dict[str, float]:
    tables = [read_json(run.folder / "case_scores.json")["report"][role] for run in runs]
    return {case: float(np.mean([table[case] for table in tables])) for case in tables[0]}
