"""The order in which a project's waiting cases come to the desk. How strategies score is in `acquisition`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.acquisition import Candidate, Choice, Strategy, keep_apart, named, order
from training.arms import Arms, arms_of, mix_arms
from training.embedding import nearest_squared, unit
from training.pool import Project
from training.pool.case_scores import scores_by
from training.pool.embeddings import FILM, Points, describe_films, points_of
from training.pool.listing import CaseFilter, list_ids
from training.pool.queries import ids_in_pool
from training.pool.records import Waiting
from training.pool.rounds import serving_model

QUEUE_LENGTH = 2000
HOLDOUT_REASON = "holdout: drawn without a proposal"
SKIPPED_REASON = "skipped before"
FILMS_DESCRIBED = 2000  # films read for a plan that goes by how they look


def plan_queue(
    project: Project,
    strategy: str,
    rng: np.random.Generator,
    *,
    count: int | None = QUEUE_LENGTH,
    wanted: CaseFilter | None = None,
    arms: Arms | None = None,
) -> list[Choice]:
    """The order in which to review the cases that wait, each with the reason for its place.

    Skipped cases come last. Holdout cases without a reference mask come first: a teacher can only be judged on them.

    Parameters
    ----------
    count : int or None
        The length of the queue at most; None for all that wait.
    wanted : CaseFilter or None
        Leave out what does not fit it.
    arms : Arms or None
        Shares drawn at random, or shown otherwise; the project's own if None.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    how = named(strategy)
    model = serving_model(project)
    model_id = None if model is None else model.id
    waiting = project.waiting(model_id)
    if wanted is not None and wanted.narrows:
        fitting = set(list_ids(project, wanted))
        waiting = [case for case in waiting if case.case_id in fitting]
    holdout = [Choice(c.case_id, HOLDOUT_REASON) for c in waiting if c.pool != "unlabeled"]
    unlabeled = [c for c in waiting if c.pool == "unlabeled"]
    skipped = [Choice(c.case_id, SKIPPED_REASON) for c in unlabeled if c.skipped]
    fresh = _candidates(project, how, model_id, [c for c in unlabeled if not c.skipped])
    left = None if count is None else max(0, count - len(holdout))
    labeled_zones, draws = project.zone_counts(), np.random.default_rng(rng.integers(2**63))
    chosen = order(strategy, fresh, labeled_zones, rng, count=left)
    if strategy != "random":
        chosen = keep_apart(chosen, points_of(project, FILM, [c.case_id for c in chosen]))

    def explain(some: Sequence[Candidate]) -> list[Choice]:
        return order(strategy, some, labeled_zones, draws)

    shares = arms_of(project) if arms is None else arms
    return (holdout + mix_arms(chosen, fresh, shares, draws, explain) + skipped)[:count]


def _candidates(
    project: Project, how: Strategy, model_id: str | None, waiting: Sequence[Waiting]
) -> list[Candidate]:
    """What the strategy needs to know of each waiting case."""
    plain = [
        Candidate(c.case_id, c.patient, c.zones, c.entropy, c.foreground, c.proposed)
        for c in waiting
    ]
    if "scores" in how.needs and model_id is not None:
        scores = scores_by(project, model_id)
        region, apart, leaning = (
            scores.get(name, {}) for name in ("region", "disagreement", "sensitivity")
        )
        plain = [
            case._replace(
                region=region.get(case.case_id),
                disagreement=apart.get(case.case_id),
                sensitivity=leaning.get(case.case_id),
            )
            for case in plain
        ]
    return _with_points(project, model_id, plain) if "embeddings" in how.needs else plain


def _with_points(
    project: Project, model_id: str | None, candidates: list[Candidate]
) -> list[Candidate]:
    """The candidates as points: the serving teacher's where it left any, else of pixels alone."""
    points = points_of(project, model_id) if model_id is not None else {}
    if not any(case.case_id in points for case in candidates):
        describe_films(project, FILMS_DESCRIBED)
        points = points_of(project, FILM)
    if not points:
        return candidates
    points = _centered(points)
    labeled = _of_labeled(project, points)
    known = [case.case_id for case in candidates if case.case_id in points]
    distance: dict[str, float] = {}
    if labeled is not None and known:
        far = nearest_squared(np.stack([points[case_id] for case_id in known]), labeled)
        distance = dict(zip(known, far.tolist(), strict=True))
    return [
        case._replace(
            embedding=points.get(case.case_id), labeled_distance=distance.get(case.case_id)
        )
        for case in candidates
    ]


def _centered(points: Points) -> Points:
    """The same directions seen from their middle: what all films share says nothing."""
    stacked = np.stack(list(points.values()))
    return dict(zip(points, unit(stacked - stacked.mean(0)), strict=True))


def _of_labeled(project: Project, points: Points) -> NDArray[np.float32] | None:
    with project.reading() as connection:
        labeled = ids_in_pool(connection, "labeled")
    known = [points[case_id] for case_id in labeled if case_id in points]
    return np.stack(known) if known else None
