"""What a round leaves beside its pseudo-masks: figures that strategies rank by, points, and what words are worth."""

from __future__ import annotations

import numpy as np
import pytest
from made import small_project, tiny_round

from training.adopting import adopt
from training.config import RunConfig
from training.engine.loop import run
from training.engine.measure import region_entropy, soft_difference
from training.engine.words import without_position
from training.models.listing import card_of, filed_card
from training.pool.case_scores import MEASURED, scores_by
from training.pool.embeddings import FILM, points_of
from training.pool.rounds import register_run, serving_model
from training.report import parse
from training.report.finding import ZONES
from training.round import freeze
from training.rundir import RunFolder


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    """A project whose first round is adopted, and its run folder."""
    project = small_project(tmp_path_factory.mktemp("measured") / "project", holdout=8)
    folder = RunFolder.create(project.folder / "runs" / "0001", tiny_round(), freeze(project))
    assert run(folder, "cpu")
    registered = register_run(project, folder.path, 4, 6)
    assert adopt(project, registered).state == "promoted"
    return project, folder


def test_every_unlabeled_case_has_figures_stamped_with_the_models_hash(adopted):
    project, folder = adopted
    index = folder.read_predictions_index()
    assert set(index) == {case.id for case in project.cases("unlabeled")}
    for entry in index.values():
        assert 0 <= entry["region"] <= entry["entropy"] + 1e-6
        assert 0 <= entry["disagreement"] <= 1
        assert 0 <= entry["sensitivity"] <= 1
    scores = scores_by(project, serving_model(project).id)
    assert set(scores) == set(MEASURED)
    assert scores["region"] == {case_id: entry["region"] for case_id, entry in index.items()}
    assert scores_by(project, "another model") == {}


def test_the_card_says_where_the_teacher_errs(adopted):
    project, folder = adopted
    model = serving_model(project)
    errors = card_of(model).errors
    assert errors.model_dump(mode="json") == folder.read_scores()["report_errors"]
    assert errors.hd95_images + errors.one_empty > 0
    assert set(errors.zone_recall) <= set(ZONES)
    assert "Share of the lesion pixels found, by zone" in filed_card(model)


def test_labeled_and_unlabeled_films_are_points_and_held_out_ones_are_not(adopted):
    project, _ = adopted
    training = {case.id for pool in ("labeled", "unlabeled") for case in project.cases(pool)}
    for maker in (FILM, serving_model(project).id):
        points = points_of(project, maker)
        assert set(points) == training
        assert all(np.isfinite(point).all() for point in points.values())


def test_the_report_half_is_measured_with_without_and_with_shuffled_words(adopted):
    project, folder = adopted
    scores = folder.read_scores()
    assert set(scores["report_texts"]) == {"with", "without", "shuffled"}
    assert scores["report_texts"]["with"] == scores["report"]["teacher"]
    held_out = {case.id for case in project.cases("report")}
    for counts in scores["report_counts"].values():
        assert set(counts) == held_out
    assert "shuffled" not in folder.events_file.read_text()  # followers know two roles, no more


def test_settings_leave_the_extra_passes_out(tmp_path):
    project = small_project(tmp_path / "project")
    content = tiny_round(1).model_dump()
    content["training"] |= {"text_controls": False, "measured_cases": 2}
    folder = RunFolder.create(tmp_path / "run", RunConfig.parse(content), freeze(project))
    assert run(folder, "cpu")
    entries = folder.read_predictions_index().values()
    assert sum("disagreement" in entry for entry in entries) == 2
    assert all("region" in entry for entry in entries)
    assert set(folder.read_scores()["report_texts"]) == {"with"}


def test_the_largest_uncertain_region_counts_alone():
    unsure = np.zeros((10, 10), np.float32)
    unsure[1:4, 1:4] = 0.6
    unsure[6:8, 6:8] = 0.69
    assert region_entropy(unsure) == pytest.approx(9 * 0.6 / 100)
    assert region_entropy(np.full((4, 4), 0.1, np.float32)) == 0


def test_equal_maps_do_not_differ_and_disjoint_ones_do():
    one, other = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32)
    one[:10], other[10:] = 1, 1
    assert soft_difference(one, one) == pytest.approx(0)
    assert soft_difference(one, other) > 0.98
    assert soft_difference(np.zeros_like(one), np.zeros_like(one)) == 0


def test_hidden_positions_leave_no_zone():
    text = "Unilateral pulmonary infection, one infected area, lower left lung."
    assert parse(without_position(text)).zones == frozenset()
    assert without_position("No pulmonary infection.") == "No pulmonary infection."
