"""One play: rounds of training, and of reviewing with the scripted reader."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from training.acquisition import named
from training.adopting import RoundOutcome
from training.arms import Arms
from training.config import RunConfig
from training.errors import PoolError, SemiMedRefError
from training.events import RunStatus
from training.metrics import overlap
from training.models.measuring import DEFAULT_THRESHOLD, threshold_of
from training.pool import Project
from training.pool.hidden import cases_with_hidden_masks, read_hidden_mask
from training.pool.images import pseudo_mask, resize_probability
from training.pool.records import SCRIPTED_READER
from training.pool.rounds import proposals_of, read_probability, serving_model
from training.review import ReviewDesk
from training.review_queue import plan_queue
from training.round import run_round
from training.simulate.reader import ScriptedReader, StatedTime

NO_CONTROL = Arms(control=0.0)
FAULTLESS = ScriptedReader()


@dataclass(frozen=True)
class Correction:
    """What the reader did to one case. ``dice`` is the pseudo-mask's against the reference, before correction.

    ``seconds`` follow the reader's time model, as do ``from_nothing``: had there been no pseudo-mask.
    """

    case_id: str
    dice: float
    as_is: bool
    pixels_edited: int
    pixels: int
    seconds: float
    from_nothing: float


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
    reader_seconds, reader_seconds_from_nothing : float
        Of reviewing after the round by the time model, and had there been no pseudo-masks.
    corrected : int
        Cases reviewed after the round.
    reader_seconds_before : float
        Of all reviewing that the round's labels took.
    """

    round: int
    labeled: int
    holdout: dict[str, Any]
    promoted: bool
    gate: str
    chosen_pseudo_dice: float | None
    pseudo_dice: float | None
    accepted_as_is: float | None
    pixels_edited: float | None
    seconds: float
    reader_seconds: float = 0.0
    reader_seconds_from_nothing: float = 0.0
    corrected: int = 0
    reader_seconds_before: float = 0.0


def simulate(
    project: Project,
    rounds: int,
    per_round: int,
    *,
    config: RunConfig | None = None,
    strategy: str = "zones",
    reader: ScriptedReader = FAULTLESS,
    arms: Arms = NO_CONTROL,
    seed: int = 0,
    done: int = 0,
    spent: float = 0.0,
    head_start: int = 0,
    on_status: Callable[[int, RunStatus], None] = lambda number, status: None,
    on_correction: Callable[[int, int], None] = lambda number, done: None,
) -> Iterator[RoundRecord]:
    """Play ``rounds`` rounds of training and reviewing, handing out a record after each; fewer if nothing is left to
    read.

    Parameters
    ----------
    per_round : int
        Cases to correct after each round.
    strategy : str
        How the review queue is ordered, see `training.acquisition.STRATEGIES`.
    reader : ScriptedReader
        By default one who corrects to the reference exactly wherever a pseudo-mask is below their tolerance.
    arms : Arms
        Shares of the queue drawn at random or shown otherwise; by default none, so that strategies are compared pure.
    seed : int
        Of queue and reader; each round has draws of its own, so that a play can go on from any round.
    done, spent : int, float
        Rounds played before, and the reader's seconds they took.
    head_start : int
        Cases to label before the first round, without any proposal.
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
    named(strategy)  # an unknown strategy is refused before training
    desk = ReviewDesk(project, SCRIPTED_READER)

    def correct(number: int, count: int) -> list[Correction]:
        rng = np.random.default_rng([seed, number])
        desk.take_plan(plan_queue(project, strategy, rng, arms=arms), strategy)
        told = partial(on_correction, number)
        return review(desk, desk.queue, count, reader=reader, seed=seed, on_correction=told)

    if head_start and done == 0:
        spent += sum(correction.seconds for correction in correct(0, head_start))
    for number in range(done + 1, rounds + 1):
        outcome = run_round(project, config, on_status=partial(on_status, number))
        if outcome.scores is None:
            raise SemiMedRefError(outcome.sentence)
        pool_dice = pool_pseudo_dice(project)
        corrections = correct(number, per_round) if per_round else []
        record = _record(number, outcome, outcome.scores, corrections, pool_dice)
        yield replace(record, reader_seconds_before=spent)
        spent += record.reader_seconds
        if per_round and not corrections:
            break  # nothing is left to read: another round would learn from the same labels
    desk.close()


def review(
    desk: ReviewDesk,
    queue: list[str],
    count: int,
    *,
    reader: ScriptedReader = FAULTLESS,
    seed: int = 0,
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
        rng = np.random.default_rng([seed, zlib.crc32(opened.case.id.encode())])
        shown = None if opened.proposal is None else before
        read = reader.read(reference, shown, desk.description, rng)
        if not read.as_is:
            desk.edit_mask(read.mask)
        desk.edit_description(read.description)
        desk.active_time = StatedTime(read.seconds)
        desk.accept()
        changed = int(np.count_nonzero(before != desk.mask))
        corrections.append(
            Correction(
                opened.case.id,
                overlap(before, reference).dice,
                read.as_is,
                changed,
                before.size,
                read.seconds,
                read.from_nothing,
            )
        )
        on_correction(len(corrections))
    return corrections


def pool_pseudo_dice(project: Project) -> float | None:
    """Mean Dice of the serving teacher's pseudo-masks over the unlabeled pool, against the hidden references.

    None when no case of the pool has both.
    """
    model = serving_model(project)
    proposals = {} if model is None else proposals_of(project, model)
    known = cases_with_hidden_masks(project)
    threshold = DEFAULT_THRESHOLD if model is None else threshold_of(model)
    values = []
    for case in project.cases("unlabeled"):
        if case.id not in known or case.id not in proposals:
            continue
        probability = read_probability(project, proposals[case.id])
        if probability is not None:
            full = resize_probability(probability, (case.height, case.width))
            mask = pseudo_mask(full, threshold)
            values.append(overlap(mask, read_hidden_mask(project, case.id)).dice)
    return _mean(values)


def _record(
    number: int,
    outcome: RoundOutcome,
    scores: dict[str, Any],
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
        reader_seconds=sum(correction.seconds for correction in corrections),
        reader_seconds_from_nothing=sum(correction.from_nothing for correction in corrections),
        corrected=len(corrections),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
