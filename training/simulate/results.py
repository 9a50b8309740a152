"""What the plays of a bench came to: Dice over labels, and the labels and reader seconds that a target takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.simulate.bench import Play
from training.simulate.play import RoundRecord

METRIC = "dice_per_image"
Plays = Mapping[Play, Sequence[RoundRecord]]


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds (None with one), and for how many of them there is a value."""

    mean: float
    sd: float | None
    count: int


@dataclass(frozen=True)
class Result:
    """One strategy with one method, over seeds; None where no seed has a value.

    Attributes
    ----------
    labels, dice : tuple
        Labeled pool of each round, and the teacher's Dice, mean over images, on the ``report`` half.
    area : Spread
        Mean of that Dice over the rounds.
    labels_to, seconds_to : Spread or None
        Labels, and reader seconds, at which the Dice first reached the target, interpolated between rounds; over the
        seeds that reached it.
    a_case, of_nothing : tuple of Spread
        Reader seconds of a case after each round, and as a share of drawing it from nothing.
    """

    strategy: str
    method: str
    seeds: int
    labels: tuple[int, ...]
    dice: tuple[Spread, ...]
    dice_global: tuple[Spread, ...]
    area: Spread
    labels_to: Spread | None
    seconds_to: Spread | None
    as_is: tuple[Spread, ...]
    a_case: tuple[Spread, ...]
    of_nothing: tuple[Spread, ...]


@dataclass(frozen=True)
class Reference:
    """Random order with supervised training at a multiple of the first labels: the target."""

    labels: int
    dice: Spread
    dice_global: Spread
    seconds: Spread


def spread_of(values: Sequence[float | None]) -> Spread | None:
    """Of the values that are there; None if none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(
        float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else None, len(known)
    )


def teacher_dice(record: RoundRecord, metric: str = METRIC) -> float | None:
    """The round's teacher on the ``report`` half; None if that is empty."""
    dice: float | None = record.holdout.get("teacher", {}).get(metric)
    return dice


def reference_of(plays: Plays) -> Reference | None:
    """The target, from the plays of the reference."""
    last = [records[-1] for records in plays.values() if records]
    dice = spread_of([teacher_dice(record) for record in last])
    overall = spread_of([teacher_dice(record, "dice_global") for record in last])
    seconds = spread_of([record.reader_seconds_before for record in last])
    if dice is None or overall is None or seconds is None:
        return None
    return Reference(last[0].labeled, dice, overall, seconds)


def results_of(plays: Plays, target: float | None) -> list[Result]:
    """One result for each strategy and method, in the order of the plays."""
    groups: dict[tuple[str, str], list[Sequence[RoundRecord]]] = {}
    for play, records in plays.items():
        groups.setdefault((play.strategy, play.method), []).append(records)
    return [_result(*names, group, target) for names, group in groups.items()]


def _result(
    strategy: str, method: str, plays: list[Sequence[RoundRecord]], target: float | None
) -> Result:
    rounds = list(zip(*plays, strict=False))  # those that every seed has played

    def each(value: Any) -> tuple[Spread, ...]:
        found = (spread_of([value(record) for record in together]) for together in rounds)
        return tuple(spread for spread in found if spread is not None)

    means = [[teacher_dice(record) or 0.0 for record in records] for records in plays]
    area = spread_of([float(np.mean(dice)) for dice in means if dice])
    crossed = [reach(records, target) for records in plays]
    return Result(
        strategy,
        method,
        len(plays),
        tuple(together[0].labeled for together in rounds),
        each(teacher_dice),
        each(lambda record: teacher_dice(record, "dice_global")),
        area or Spread(0.0, None, 0),
        spread_of([None if found is None else found[0] for found in crossed]),
        spread_of([None if found is None else found[1] for found in crossed]),
        each(lambda record: record.accepted_as_is),
        each(lambda r: r.reader_seconds / r.corrected if r.corrected else None),
        each(lambda r: r.reader_seconds / r.reader_seconds_from_nothing if r.corrected else None),
    )


def reach(records: Sequence[RoundRecord], target: float | None) -> tuple[float, float] | None:
    """Labels and reader seconds at which a play first reached the target; None if it never did."""
    if target is None:
        return None
    before: RoundRecord | None = None
    for record in records:
        dice = teacher_dice(record)
        if dice is not None and dice >= target:
            share = 1.0
            if before is not None and (last := teacher_dice(before)) is not None:
                share = (target - last) / max(dice - last, 1e-9)
            start = before or record
            return (
                start.labeled + share * (record.labeled - start.labeled),
                start.reader_seconds_before
                + share * (record.reader_seconds_before - start.reader_seconds_before),
            )
        before = record
    return None
