"""A scripted reader plays the whole loop headless: queue, correction to the withheld reference, accept, round.

It sits at the same review desk as a person in the window (`training.review`) and starts the same rounds
(`training.round`). Together with the evaluation, this is the only place that reads hidden reference masks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from training.acquisition import order
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.events import RunStatus
from training.metrics import overlap
from training.pool import Project
from training.pool.hidden import cases_with_hidden_masks, read_hidden_mask
from training.pool.images import resize_probability
from training.pool.rounds import proposals_of, read_probability, serving_model
from training.review import ReviewDesk
from training.review_queue import plan_queue
from training.round import RoundOutcome, run_round

READER = "simulated reader"


@dataclass(frozen=True)
class Correction:
    """What the reader did to one case. ``dice`` is the pseudo-mask's against the reference, before correction."""

    case_id: str
    dice: float
    as_is: bool
    pixels_edited: int
    pixels: int


@dataclass(frozen=True)
class RoundRecord:
    """One round of the simulation; Dice and shares in [0, 1], None where there was nothing to measure.

    Attributes
    ----------
    labeled : int
        Size of the labeled pool that the round was trained on.
    holdout : dict
        The run's scores on the ``report`` half: role -> metric -> value.
    gate : str
        The gate's decision in words.
    pseudo_dice : float
        Mean Dice of the serving teacher's pseudo-masks over the whole unlabeled pool, before this round's
        corrections: comparable between rounds.
    chosen_pseudo_dice : float
        The same over the cases that were then corrected. Depends on which cases the strategy chose.
    accepted_as_is : float
        Share of the corrected cases whose pseudo-mask was good enough to stay.
    pixels_edited : float
        Share of the corrected cases' pixels that the reader changed.
    seconds : float
        Of training.
    """

    round: int
    labeled: int
    holdout: dict
    promoted: bool
    gate: str
    chosen_pseudo_dice: float | None
    pseudo_dice: float | None
    accepted_as_is: float | None
    pixels_edited: float | None
    seconds: float


def simulate(
    project: Project,
    rounds: int,
    per_round: int,
    *,
    config: RunConfig | None = None,
    strategy: str = "zones",
    tolerance: float = 0.95,
    seed: int = 0,
    on_status: Callable[[int, RunStatus], None] = lambda number, status: None,
    on_correction: Callable[[int, int], None] = lambda number, done: None,
) -> Iterator[RoundRecord]:
    """Play ``rounds`` rounds of training and reviewing, handing out a record after each.

    Parameters
    ----------
    per_round : int
        Cases to correct after each round.
    strategy : str
        How the review queue is ordered, see `training.acquisition.STRATEGIES`.
    tolerance : float in (0, 1]
        Dice to the reference from which the reader lets a pseudo-mask stand; every other one is corrected to the
        reference exactly.
    on_status, on_correction : callable
        Told the round's number with the run's status, and with how many cases are corrected.

    Raises
    ------
    PoolError
        The project withholds no reference masks, so that nobody could play the reader.
    SemiMedRefError
        A round failed; its sentence says why.
    """
    if not cases_with_hidden_masks(project):
        raise PoolError(
            f"{project.folder} withholds no reference masks: "
            "simulate needs a phantom project or an import with --labels."
        )
    order(
        strategy, [], Counter(), np.random.default_rng(seed)
    )  # an unknown strategy is refused before training
    rng = np.random.default_rng(seed)
    desk = ReviewDesk(project, READER)
    for number in range(1, rounds + 1):
        outcome = run_round(project, config, on_status=partial(on_status, number))
        if outcome.scores is None:
            raise SemiMedRefError(outcome.sentence)
        pool_dice = pool_pseudo_dice(project)
        queue = [choice.case_id for choice in plan_queue(project, strategy, rng)]
        corrections = review(desk, queue, per_round, tolerance, partial(on_correction, number))
        yield _record(number, outcome, outcome.scores, corrections, pool_dice)
    desk.close()


def review(
    desk: ReviewDesk,
    queue: list[str],
    count: int,
    tolerance: float,
    on_correction: Callable[[int], None] = lambda done: None,
) -> list[Correction]:
    """Correct and accept the first ``count`` cases of the queue that have a hidden reference."""
    known = cases_with_hidden_masks(desk.project)
    desk.set_queue([case_id for case_id in queue if case_id in known][:count])
    corrections: list[Correction] = []
    while (opened := desk.next()) is not None:
        if not opened.readable:
            desk.skip(opened.trouble)
            continue
        reference = read_hidden_mask(desk.project, opened.case.id)
        assert desk.mask is not None, "an opened case has a mask"
        before = desk.mask.copy()
        agreement = overlap(before, reference).dice
        as_is = opened.proposal is not None and agreement >= tolerance
        if not as_is:
            desk.edit_mask(reference)
        desk.accept()
        changed = int(np.count_nonzero(before != desk.mask))
        corrections.append(Correction(opened.case.id, agreement, as_is, changed, before.size))
        on_correction(len(corrections))
    return corrections


def pool_pseudo_dice(project: Project) -> float | None:
    """Mean Dice of the serving teacher's pseudo-masks over the unlabeled pool, against the hidden references.

    None when no case of the pool has both.
    """
    model = serving_model(project)
    proposals = {} if model is None else proposals_of(project, model)
    known = cases_with_hidden_masks(project)
    values = []
    for case in project.cases("unlabeled"):
        if case.id not in known or case.id not in proposals:
            continue
        probability = read_probability(project, proposals[case.id])
        if probability is not None:
            mask = resize_probability(probability, (case.height, case.width)) >= 0.5
            values.append(overlap(mask, read_hidden_mask(project, case.id)).dice)
    return _mean(values)


def _record(
    number: int,
    outcome: RoundOutcome,
    scores: dict,
    corrections: list[Correction],
    pool_dice: float | None,
) -> RoundRecord:
    pixels = sum(correction.pixels for correction in corrections)
    edited = sum(correction.pixels_edited for correction in corrections)
    return RoundRecord(
        round=number,
        labeled=outcome.run.labeled,
        holdout=scores["report"],
        promoted=outcome.state == "promoted",
        gate=outcome.sentence,
        chosen_pseudo_dice=_mean([correction.dice for correction in corrections]),
        pseudo_dice=pool_dice,
        accepted_as_is=_mean([correction.as_is for correction in corrections]),
        pixels_edited=edited / pixels if pixels else None,
        seconds=scores["seconds"],
    )


def _mean(values: list) -> float | None:
    return float(np.mean(values)) if values else None
