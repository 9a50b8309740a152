"""How well two readers agree who read the same cases, the second one blind. Measured from revisions; nothing is stored.

Dice compares their masks; Cohen's kappa [Cohen 1960, Educ. Psychol. Meas. 20:37-46] the zones that the masks touch, the
zones that the words name, and the number of areas that the words count.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from training.metrics import overlap
from training.pool import queries, schema
from training.pool.accepting import add_dispute
from training.pool.images import read_mask
from training.pool.project import Project
from training.pool.records import Revision
from training.report import ZONES, parse, zones_of


@dataclass(frozen=True)
class Pair:
    """A first reading and the blind second one of the same case; ``dice`` between their masks, in [0, 1]."""

    case_id: str
    first: Revision
    second: Revision
    dice: float
    first_zones: frozenset[str]
    second_zones: frozenset[str]


@dataclass(frozen=True)
class Agreement:
    """What two readings of the same cases have in common.

    Attributes
    ----------
    mean_dice, median_dice : float in [0, 1]
        Over cases; nan where there are none.
    zone_kappa, word_kappa : dict
        Kappa of each zone, from the masks and from the words; nan where both always said the same of a zone.
    zone_kappa_overall, word_kappa_overall : float
        Over all six zones of all cases taken together.
    count_kappa : float
        Of the number of areas that the words count; "says none" is an answer of its own.
    """

    pairs: tuple[Pair, ...]
    mean_dice: float
    median_dice: float
    zone_kappa: dict[str, float]
    zone_kappa_overall: float
    word_kappa: dict[str, float]
    word_kappa_overall: float
    count_kappa: float


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Agreement beyond chance, at most 1; nan where chance alone would agree always, or there is nothing to compare."""
    total = len(first)
    if total == 0:
        return float("nan")
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / total
    answers = set(first) | set(second)
    chance = sum(list(first).count(x) * list(second).count(x) for x in answers) / total**2
    return float("nan") if chance == 1 else (observed - chance) / (1 - chance)


def measure_agreement(project: Project) -> Agreement:
    """Compare every blind second reading with the reference that stood when it was made."""
    pairs = tuple(_pairs(project))
    dice = [pair.dice for pair in pairs]
    masks = [(pair.first_zones, pair.second_zones) for pair in pairs]
    findings = [(parse(pair.first.description), parse(pair.second.description)) for pair in pairs]
    words = [(first.zones, second.zones) for first, second in findings]
    by_mask, by_mask_overall = _zone_kappas(masks)
    by_word, by_word_overall = _zone_kappas(words)
    return Agreement(
        pairs=pairs,
        mean_dice=float(np.mean(dice)) if dice else float("nan"),
        median_dice=float(np.median(dice)) if dice else float("nan"),
        zone_kappa=by_mask,
        zone_kappa_overall=by_mask_overall,
        word_kappa=by_word,
        word_kappa_overall=by_word_overall,
        count_kappa=cohen_kappa([a.count for a, _ in findings], [b.count for _, b in findings]),
    )


def raise_disagreements(project: Project, found: Agreement, *, below: float) -> list[str]:
    """Let the cases be contested whose two masks have a Dice below ``below``; those raised before are passed over.

    Returns
    -------
    list of str
        Ids of the cases that now wait for adjudication.
    """
    raised: list[str] = []
    disputes = schema.disputes
    with project.writing() as connection:
        known = set(connection.scalars(sa.select(disputes.c.revision_id)))
        for pair in found.pairs:
            if pair.dice < below and pair.second.id not in known:
                reason = (
                    f"Dice {pair.dice:.2f} between {pair.first.reader} and {pair.second.reader}."
                )
                add_dispute(connection, pair.case_id, pair.second.id, reason)
                raised.append(pair.case_id)
    return raised


def _pairs(project: Project) -> Iterator[Pair]:
    table = schema.revisions
    query = sa.select(table).where(table.c.reading == "blind").order_by(table.c.id)
    with project.reading() as connection:
        seconds = [Revision(**row._mapping) for row in connection.execute(query)]
        firsts = [queries.one_revision(connection, second.parent_id or 0) for second in seconds]
    for first, second in zip(firsts, seconds, strict=True):
        if first is None:  # taken away; the audit says so
            continue
        masks = [read_mask(project.folder / revision.mask) for revision in (first, second)]
        zones = [zones_of(mask, convention=project.laterality) for mask in masks]
        yield Pair(second.case_id, first, second, overlap(*masks).dice, *zones)


def _zone_kappas(
    pairs: Sequence[tuple[frozenset[str], frozenset[str]]],
) -> tuple[dict[str, float], float]:
    answers = {
        zone: ([zone in first for first, _ in pairs], [zone in second for _, second in pairs])
        for zone in ZONES
    }
    everything = [[answer for zone in ZONES for answer in answers[zone][side]] for side in (0, 1)]
    return {zone: cohen_kappa(*both) for zone, both in answers.items()}, cohen_kappa(*everything)
