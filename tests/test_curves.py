"""Learning curve with intervals, and readers' work by round and by arm."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import sqlalchemy as sa
from made import small_project, spot

from training.arms import Arms
from training.curves import measure_curves, work_by_arm
from training.curves_page import write_curves
from training.metrics import dice_intervals
from training.pool import schema
from training.pool.rounds import close_run, register_run
from training.pool.times import now
from training.review import ReviewDesk
from training.review_queue import plan_queue


def _scores(hit: int, missed: int) -> dict:
    counts = {f"c{i}": [hit + i, 5, missed + i] for i in range(20)}
    values = {n: v[0] for n, v in dice_intervals(np.array(list(counts.values())), _rng()).items()}
    return {
        "report": {"teacher": values, "student": values},
        "report_texts": {"with": values, "shuffled": values},
        "report_counts": {"with": counts, "shuffled": counts},
    }


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def project(tmp_path):
    """A project with one promoted and one refused round, and cases accepted before and after the first."""
    pool = small_project(tmp_path / "project", unlabeled=20)
    desk = ReviewDesk(pool, "anna")
    arms, plans = Arms(control=0.5), np.random.default_rng(3)

    def read(count: int) -> None:
        desk.take_plan(plan_queue(pool, "zones", plans, arms=arms), "zones")
        for _ in range(count):
            desk.next()
            desk.edit_mask(spot(True))
            desk.accept()

    read(4)
    for number, outcome in ((1, "promoted"), (2, "refused")):
        labeled = pool.counts()["labeled"]
        run = register_run(pool, pool.folder / "runs" / f"{number:04d}", labeled, 10)
        row = {"folder": f"models/m{number}", "created_at": now(), "run_id": run.id}
        with pool.writing() as connection:
            scores = _scores(40 + 20 * number, 30)
            connection.execute(
                sa.insert(schema.models).values(id=f"m{number}", scores=scores, **row)
            )
            if outcome == "promoted":
                promotion = {"model_id": f"m{number}", "created_at": now()}
                connection.execute(sa.insert(schema.promotions).values(promotion))
        close_run(pool, run, outcome, "")
        read(4)
    desk.close()
    return pool


def test_every_round_is_a_point_with_intervals_in_both_metrics(project):
    first, second = measure_curves(project).points
    assert (first.labeled, first.promoted, second.labeled, second.promoted) == (8, True, 12, False)
    assert set(first.texts) == {"with", "shuffled"}
    for metric in ("dice_global", "dice_per_image"):
        found = first.texts["with"][metric]
        assert found.low < found.value < found.high
        assert second.texts["with"][metric].value > found.value


def test_work_is_told_by_round_and_by_arm(project):
    curves = measure_curves(project)
    assert {work.arm for work in curves.arms} == {"strategy", "control"}
    assert sum(work.cases for work in curves.arms) == 12
    cases = {number: sum(work.cases for work in works) for number, works in curves.work.items()}
    assert cases == {0: 4, 1: 8}
    assert all(work.as_is is None for work in curves.arms)  # there were no proposals


def test_rounds_of_before_have_points_without_intervals(project):
    with project.writing() as connection:
        old = {"report": {"teacher": {"dice_global": 0.5, "dice_per_image": 0.4}}}
        connection.execute(sa.update(schema.models).values(scores=old))
    point = measure_curves(project).points[0]
    assert point.texts["with"]["dice_global"].value == 0.5
    assert point.texts["with"]["dice_global"].low is None


def test_a_project_without_rounds_has_empty_curves(tmp_path):
    curves = measure_curves(small_project(tmp_path / "project"))
    assert curves.points == curves.arms == ()
    write_curves(tmp_path / "page.html", curves)
    assert work_by_arm([]) == ()


def test_the_command_writes_figures_and_a_page_of_its_own(project, tmp_path):
    command = [sys.executable, "-m", "training.cli", "curves", str(project.folder)]
    files = ["--json", str(tmp_path / "c.json"), "--html", str(tmp_path / "c.html")]
    result = subprocess.run(command + files, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "random control" in result.stdout
    content = json.loads((tmp_path / "c.json").read_text())
    assert [point["labeled"] for point in content["points"]] == [8, 12]
    assert "<svg" in (tmp_path / "c.html").read_text()


def test_intervals_shrink_with_cases_and_hold_the_value():
    rng = np.random.default_rng(1)
    counts = np.column_stack(
        [rng.integers(20, 60, 400), rng.integers(0, 30, 400), rng.integers(0, 30, 400)]
    )
    wide, narrow = (dice_intervals(counts[:n], np.random.default_rng(0)) for n in (20, 400))
    for metric in wide:
        value, low, high = narrow[metric]
        assert low < value < high
        assert high - low < wide[metric][2] - wide[metric][1]
    assert dice_intervals(np.zeros((3, 3), int), rng)["dice_global"] == (1.0, 1.0, 1.0)
