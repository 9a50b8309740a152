"""The report half measured again without words and with somebody else's: what the words are worth to a teacher. It is
reported and decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from training.engine.data import FilmPool
from training.engine.evaluate import Evaluation, evaluate
from training.engine.predict import Predictor
from training.engine.streams import Key

WITH, WITHOUT, SHUFFLED = "with", "without", "shuffled"
Counts = dict[str, list[int]]


def measure_texts(
    predictor: Predictor, pool: FilmPool, threshold: float, seed: int
) -> dict[str, Evaluation]:
    """Score a predictor on a pool without its words, and with each case's words given to another case."""
    order = Key(seed, "shuffled texts", 0).stream("order").permutation(len(pool)).tolist()
    texts = [case.description for case in pool.cases]
    shuffled = list(texts)
    for here, there in zip(order, order[1:] + order[:1], strict=True):
        shuffled[here] = texts[there]
    return {
        WITHOUT: evaluate(predictor, _with_texts(pool, [""] * len(pool)), threshold),
        SHUFFLED: evaluate(predictor, _with_texts(pool, shuffled), threshold),
    }


def counts_of(evaluation: Evaluation) -> Counts:
    """Pixels by case id, from which both metrics and their intervals follow: true and false positives, misses."""
    return {
        case_id: [each.true_positive, each.false_positive, each.false_negative]
        for case_id, each in evaluation.counts.items()
    }


def _with_texts(pool: FilmPool, texts: list[str]) -> FilmPool:
    changed: Any = (
        case.model_copy(update={"description": text})
        for case, text in zip(pool.cases, texts, strict=True)
    )
    return replace(pool, cases=tuple(changed))
