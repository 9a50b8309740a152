"""One round: freeze a snapshot, run the trainer in its own process, let the gate decide, bring the proposals in.

This is what ``semimedref round`` does and what the window starts; the window only follows the run folder. Killing
this process leaves a run folder that `resume_round` picks up: training goes on from its last checkpoint, a finished
run goes straight to the gate.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from training.adopting import RoundOutcome, adopt
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.events import Event, EventTail, RunStatus, fold
from training.next_round import CONFIG, next_config, save_next_config
from training.pool import Case, Model, Project, Run
from training.pool.pairs import pairs_apart
from training.pool.rounds import (
    all_runs,
    close_run,
    register_run,
    serving_model,
)
from training.rundir import RunFolder
from training.snapshot import Snapshot, SnapshotCase

__all__ = [
    "RoundOutcome",
    "adopt",
    "freeze",
    "next_config",
    "resume_round",
    "run_round",
    "save_next_config",
]
POLL_SECONDS = 0.25


def freeze(project: Project) -> Snapshot:
    """The pools as they are now. Holdout cases without a mask are left out: there is nothing to measure on."""
    pools: dict[str, list[SnapshotCase]] = {
        "labeled": [],
        "unlabeled": [],
        "gate": [],
        "report": [],
    }
    for case in project.cases():
        if not (case.is_holdout and case.mask is None):
            pools[case.pool].append(_frozen(case))
    trained = {case.case_id for case in pools["labeled"] + pools["unlabeled"]}
    apart = [pair for pair in pairs_apart(project) if trained.issuperset(pair)]
    return Snapshot(
        root=str(project.folder),
        laterality=project.laterality,
        **{pool: tuple(cases) for pool, cases in pools.items()},
        apart=tuple(apart),
    )


def _frozen(case: Case) -> SnapshotCase:
    return SnapshotCase(
        case_id=case.id,
        patient=case.patient,
        image=case.image,
        description=case.description,
        mask=case.mask,
    )


@contextmanager
def one_round_at_a_time(project: Project) -> Iterator[None]:
    """Hold the project's round; raises PoolError at once if another process holds it."""
    lock = FileLock(project.folder / "round.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PoolError(
            f"A round is already under way in {project.folder}: wait for it, or stop it."
        ) from error
    try:
        yield
    finally:
        lock.release()


def start_run(project: Project, config: RunConfig, *, warm_start: bool | None = None) -> Run:
    """Freeze the pools into a new run folder.

    Parameters
    ----------
    warm_start : bool, optional
        Begin from the serving teacher's weights instead of random ones, unless ``config.init_from`` says otherwise;
        the settings decide (``training.warm_start``) if left out.

    Raises
    ------
    PoolError
        Nothing is labeled yet.
    """
    snapshot = freeze(project)
    if not snapshot.labeled:
        raise PoolError("No case is labeled yet: accept at least one case before starting a round.")
    serving = serving_model(project)
    if (
        (config.training.warm_start if warm_start is None else warm_start)
        and config.init_from is None
        and serving is not None
        and _same_network(serving, config)
    ):
        config = config.model_copy(update={"init_from": serving.folder})
    number = max((run.id for run in all_runs(project)), default=0) + 1
    folder = project.folder / "runs" / f"{number:04d}"
    while folder.exists():
        number += 1
        folder = project.folder / "runs" / f"{number:04d}"
    RunFolder.create(folder, config, snapshot)
    return register_run(project, folder, len(snapshot.labeled), len(snapshot.unlabeled))


def _same_network(model: Model, config: RunConfig) -> bool:
    """Whether the serving teacher's run had the network that the next one asks for."""
    try:
        return RunConfig.load(model.folder / CONFIG).network == config.network
    except SemiMedRefError:
        return False


def unfinished_run(project: Project) -> Run | None:
    """The latest run, if the gate has not decided on it yet: stopped, killed, failed, or still going on."""
    runs = all_runs(project)
    return runs[-1] if runs and runs[-1].outcome not in ("promoted", "refused") else None


def run_round(
    project: Project,
    config: RunConfig | None = None,
    *,
    warm_start: bool | None = None,
    on_status: Callable[[RunStatus], None] = lambda status: None,
) -> RoundOutcome:
    """Do one whole round with the project's settings, or the given ones.

    Parameters
    ----------
    on_status : callable
        Told the run's status after each poll that brought news.

    Raises
    ------
    PoolError
        Another round is under way, or nothing is labeled.
    """
    with one_round_at_a_time(project):
        run = start_run(project, config or next_config(project), warm_start=warm_start)
        return _train_and_adopt(project, run, on_status)


def resume_round(
    project: Project, *, on_status: Callable[[RunStatus], None] = lambda status: None
) -> RoundOutcome:
    """Go on with the round that was stopped, killed, or finished without anybody there to adopt it."""
    with one_round_at_a_time(project):
        run = unfinished_run(project)
        if run is None:
            raise PoolError(f"There is no round to resume in {project.folder}: start a new one.")
        return _train_and_adopt(project, run, on_status)


def _train_and_adopt(
    project: Project, run: Run, on_status: Callable[[RunStatus], None]
) -> RoundOutcome:
    folder = RunFolder.open(run.folder)
    folder.withdraw_stop()
    status = status_of(folder)
    if status.state != "finished":
        status = _train(folder, on_status)
    if status.state == "finished":
        return adopt(project, run)
    outcome = "stopped" if status.state == "stopped" else "failed"
    close_run(project, run, outcome, status.sentence)
    return RoundOutcome(outcome, status.sentence, run)


def status_of(folder: RunFolder) -> RunStatus:
    """The run's status, folded from all its events."""
    status = RunStatus()
    for event in EventTail(folder.events_file).read_new():
        status = fold(status, event)
    return status


def _train(folder: RunFolder, on_status: Callable[[RunStatus], None]) -> RunStatus:
    """Run the trainer process to its end, following its events."""
    tail, status = EventTail(folder.events_file), RunStatus()
    with (folder.path / "trainer.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "training", "run", str(folder.path)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        before = tail.read_new()  # what earlier attempts said is history, not news
        status = _folded(status, before)
        while True:
            code = _wait(process)
            news = tail.read_new()  # read after the exit code, or the last events could be missed
            if news:
                status = _folded(status, news)
                on_status(status)
            if code is not None:
                break
    if status.state not in ("finished", "stopped", "failed") or (
        code != 0 and status.state == "finished"
    ):
        sentence = f"The trainer ended unexpectedly (exit code {code}): resume the round; {log.name} has the details."
        status = fold(
            status, {"kind": "failed", "time": status.last_event_time, "sentence": sentence}
        )
    return status


def _wait(process: subprocess.Popen) -> int | None:
    try:
        return process.wait(timeout=POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _folded(status: RunStatus, events: list[Event]) -> RunStatus:
    for event in events:
        status = fold(status, event)
    return status
