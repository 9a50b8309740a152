"""The queue of a whole project, by every strategy, before there is a teacher and after."""

from __future__ import annotations

import numpy as np
import pytest
from fake_runs import finished_run
from made import small_project, spot

from napari_semimedref.bands import LEAST_BAND_CASES, bands_of
from training.acquisition import STRATEGIES
from training.adopting import adopt
from training.arms import Arms
from training.pool.embeddings import FILM, points_of, put_points
from training.pool.rounds import serving_model
from training.report import THIRDS
from training.review_queue import plan_queue

NO_ARMS = Arms(control=0)


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", labeled=10, unlabeled=8, holdout=8)
    yield made
    made.close()


def order(project, strategy):
    choices = plan_queue(project, strategy, np.random.default_rng(0), arms=NO_ARMS)
    assert all(choice.reason for choice in choices)
    return [choice.case_id for choice in choices]


def waiting(project):
    return sorted(case.id for case in project.cases("unlabeled"))


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_plans_all_that_waits_with_and_without_a_teacher(project, strategy):
    assert sorted(order(project, strategy)) == waiting(project)
    said = {case.id: spot(int(case.id[-3:]) % 2 == 0) for case in project.cases()}
    assert adopt(project, finished_run(project, said, 1)).state == "promoted"
    assert sorted(order(project, strategy)) == waiting(project)


def test_without_a_teacher_films_are_points_of_their_pixels(project):
    assert points_of(project, FILM) == {}
    order(project, "diversity")
    known = points_of(project, FILM)
    training = {case.id for pool in ("labeled", "unlabeled") for case in project.cases(pool)}
    assert set(known) == training
    assert all(np.isclose(np.linalg.norm(point), 1, atol=1e-3) for point in known.values())


def test_the_teachers_points_are_preferred_and_the_film_unlike_the_labeled_ones_comes_first(
    project,
):
    said = {case.id: spot(int(case.id[-3:]) % 2 == 0) for case in project.cases()}
    adopt(project, finished_run(project, said, 1))
    odd, *others = waiting(project)
    cases = [case.id for case in project.cases("labeled")] + others
    points = {case_id: np.array([1, 0.01 * n, 0], np.float32) for n, case_id in enumerate(cases)}
    points[odd] = np.array([0, 0, 1], np.float32)
    with project.writing() as connection:
        put_points(connection, serving_model(project).id, points)
    assert order(project, "diversity")[0] == odd
    assert points_of(project, FILM) == {}


def test_bands_are_learned_once_enough_cases_are_labeled(project, tmp_path):
    few = small_project(tmp_path / "few", labeled=LEAST_BAND_CASES - 1)
    assert bands_of(few) == THIRDS
    assert bands_of(project) != THIRDS
    few.close()
