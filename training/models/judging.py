"""Putting a new model before the gate: what it and the serving one are measured on, and what the gate then says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from training.errors import FormatError, RunFolderError
from training.gate import GateDecision, decide, decide_by_words
from training.models.measured import Measure, read_measured
from training.models.measuring import threshold_of
from training.pool import Model, Project
from training.pool.images import pseudo_mask, read_image
from training.pool.rounds import proposals_of, read_probability, serving_model
from training.report import parse, zones_of
from training.rundir import RunFolder

MOST_FILMS = 200  # looked at where only words can tell


def judge(project: Project, model: Model, folder: RunFolder, measure: Measure) -> GateDecision:
    """Let the gate decide between a model and the one that serves, on the gate half of a run folder's snapshot.

    The serving model is measured anew where its figures do not cover that half as it is: cases came since, or masks or
    words changed.

    Parameters
    ----------
    folder : RunFolder
        The new model's, with its measurement; its predictions tell something where there is no holdout.
    measure : callable
        Measures a model (`training.models.measuring.measure_model`).

    Raises
    ------
    SemiMedRefError
        The serving model cannot be measured: nothing was decided.
    """
    snapshot, serving = folder.read_snapshot(), serving_model(project)
    wanted = {case.case_id for case in snapshot.gate}
    if not wanted:
        return decide_by_words(*_words_kept(project, serving, folder))
    new = read_measured(model.folder).on("gate", snapshot.gate)
    if not new:  # a run of before there were counts of pixels
        new = measure(project, model, snapshot).on("gate", snapshot.gate)
    if serving is None:
        return decide(None, new, wanted)
    old = read_measured(serving.folder).on("gate", snapshot.gate)
    if wanted - set(old):
        old = measure(project, serving, snapshot).on("gate", snapshot.gate)
    return decide(old, new, wanted)


def _words_kept(
    project: Project, serving: Model | None, folder: RunFolder
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """How far both models' pseudo-masks keep to the named zones, on the same films."""
    if serving is None:
        return None, np.zeros(0)
    known, pairs = proposals_of(project, serving), []
    cut, new_cut = threshold_of(serving), folder.read_config().method.threshold
    cases = [case for case in folder.read_snapshot().unlabeled if case.case_id in known]
    for case in cases[:: max(1, len(cases) // MOST_FILMS)]:
        named = parse(case.description).zones
        before = read_probability(project, known[case.case_id])
        now = _predicted(folder, case.case_id, new_cut)
        if named and before is not None and now is not None:
            masks = (pseudo_mask(before, cut), now)
            touched = [zones_of(mask, convention=project.laterality) for mask in masks]
            pairs.append([_overlap(zones, named) for zones in touched])
    both = np.array(pairs, np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _predicted(folder: RunFolder, case_id: str, threshold: float) -> NDArray[np.uint8] | None:
    try:
        return pseudo_mask(read_image(folder.predictions / f"{case_id}.png"), threshold)
    except (FormatError, RunFolderError):
        return None


def _overlap(touched: Iterable[str], named: Iterable[str]) -> float:
    one, other = set(touched), set(named)
    return len(one & other) / len(one | other)
