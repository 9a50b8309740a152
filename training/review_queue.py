"""The order in which a project's waiting cases come to the desk. How strategies score is in `acquisition`."""

from __future__ import annotations

import numpy as np

from training.acquisition import Candidate, Choice, order
from training.pool import Project
from training.pool.listing import CaseFilter, list_ids
from training.pool.rounds import serving_model

QUEUE_LENGTH = 2000


def plan_queue(
    project: Project,
    strategy: str,
    rng: np.random.Generator,
    *,
    count: int | None = QUEUE_LENGTH,
    wanted: CaseFilter | None = None,
) -> list[Choice]:
    """The order in which to review the cases that wait, each with the reason for its place.

    Skipped cases come last. Holdout cases without a reference mask come first: a teacher can only be judged on them.

    Parameters
    ----------
    count : int or None
        The length of the queue at most; None for all that wait.
    wanted : CaseFilter or None
        Leave out what does not fit it.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    model = serving_model(project)
    waiting = project.waiting(None if model is None else model.id)
    if wanted is not None and wanted.narrows:
        fitting = set(list_ids(project, wanted))
        waiting = [case for case in waiting if case.case_id in fitting]
    holdout = [
        Choice(case.case_id, "holdout: drawn without a proposal")
        for case in waiting
        if case.pool != "unlabeled"
    ]
    fresh = [
        Candidate(case.case_id, case.patient, case.zones, case.entropy, case.foreground)
        for case in waiting
        if case.pool == "unlabeled" and not case.skipped
    ]
    skipped = [
        Choice(case.case_id, "skipped before")
        for case in waiting
        if case.pool == "unlabeled" and case.skipped
    ]
    left = None if count is None else max(0, count - len(holdout))
    chosen = order(strategy, fresh, project.zone_counts(), rng, count=left)
    return (holdout + chosen + skipped)[:count]
