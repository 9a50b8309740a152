"""One round: freeze a snapshot, run the trainer in its own process, let the gate decide, bring the proposals in.

This is what ``semimedref round`` does and what the window starts; the window only follows the run folder. Killing
this process leaves a run folder that `resume_round` picks up: training goes on from its last checkpoint, a finished
run goes straight to the gate.
"""

from __future__ import annotations

from collections.abc import Callable

from training.adopting import RoundOutcome, adopt
from training.auto_start import DECIDED, refuse_too_few
from training.config import RunConfig
from training.errors import PoolError, RunFolderError, SemiMedRefError
from training.events import RunStatus
from training.models.measuring import settings_of
from training.next_round import next_config
from training.pool import Case, Model, Project, Run
from training.pool.pairs import pairs_apart
from training.pool.rounds import (
    all_runs,
    close_run,
    register_run,
    serving_model,
)
from training.round_lock import one_round_at_a_time
from training.rundir import DELETED, RunFolder
from training.snapshot import Snapshot, SnapshotCase
from training.trainer_process import await_trainer, status_of, train


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
        return settings_of(model).network == config.network
    except SemiMedRefError:
        return False


def unfinished_run(project: Project) -> Run | None:
    """The latest run, if the gate has not decided on it yet: stopped, killed, failed, or still going on."""
    runs = all_runs(project)
    return runs[-1] if runs and runs[-1].outcome not in DECIDED else None


def run_round(
    project: Project,
    config: RunConfig | None = None,
    *,
    warm_start: bool | None = None,
    needs: int = 0,
    on_status: Callable[[RunStatus], None] = lambda status: None,
) -> RoundOutcome:
    """Do one whole round with the project's settings, or the given ones.

    Parameters
    ----------
    needs : int
        New labels without which no round is started: looked at when no other round can begin any more.
    on_status : callable
        Told the run's status at each look, with or without news.

    Raises
    ------
    PoolError
        Another round is under way, nothing is labeled, or too little is new.
    """
    with one_round_at_a_time(project):
        refuse_too_few(project, needs)
        run = start_run(project, config or next_config(project), warm_start=warm_start)
        return _train_and_adopt(project, run, on_status)


def resume_round(
    project: Project, *, on_status: Callable[[RunStatus], None] = lambda status: None
) -> RoundOutcome:
    """Go on with the round that was stopped, killed, or finished without anybody there to adopt it.

    Raises
    ------
    PoolError
        There is none, or another process is at it.
    RunFolderError
        Its folder is gone; the round counts as lost from then on.
    """
    with one_round_at_a_time(project):
        run = unfinished_run(project)
        if run is None:
            raise PoolError(f"There is no round to resume in {project.folder}: start a new one.")
        return _train_and_adopt(project, run, on_status)


def _train_and_adopt(
    project: Project, run: Run, on_status: Callable[[RunStatus], None]
) -> RoundOutcome:
    folder = _folder_of(project, run)
    orphan = folder.in_use()  # Its round was killed, and the trainer went on.
    if orphan:
        status = await_trainer(folder, on_status)
    else:
        folder.withdraw_requests()
        status = status_of(folder)
    if status.state != "finished" and not (orphan and status.state == "stopped"):
        status = train(folder, on_status)
    if status.state == "finished":
        return adopt(project, run)
    outcome, sentence = "stopped" if status.state == "stopped" else "failed", status.sentence
    if not folder.config_file.is_file():
        outcome, sentence = "lost", DELETED.format(folder=folder.path)
    close_run(project, run, outcome, sentence)
    return RoundOutcome(outcome, sentence, run)


def _folder_of(project: Project, run: Run) -> RunFolder:
    try:
        return RunFolder.open(run.folder)
    except RunFolderError as error:
        sentence = (
            f"The folder of round {run.id} is gone or incomplete ({run.folder}): start a new round; labels and the "
            "serving teacher are untouched."
        )
        close_run(project, run, "lost", sentence)
        raise RunFolderError(sentence) from error
