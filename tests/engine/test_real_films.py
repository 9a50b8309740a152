from __future__ import annotations

import csv

import pytest
from made import SHARED_DATA

from training.config import RunConfig
from training.engine.loop import run
from training.rundir import RunFolder
from training.snapshot import Snapshot, SnapshotCase

QATA = SHARED_DATA / "qata"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not QATA.is_dir(), reason="the real-data folder is not there"),
]


def a_case(row: dict[str, str]) -> SnapshotCase:
    def place(name: str) -> str:
        found = next((QATA / row["split"]).rglob(name))
        return str(found.relative_to(QATA))

    return SnapshotCase(
        case_id=row["image"].removesuffix(".png"),
        patient=row["image"],
        image=place(row["image"]),
        description=row["raw_text"],
        mask=place(row["mask"]),
    )


@pytest.fixture(scope="module")
def films():
    """57 labeled films and 100 others of the same split."""
    with (QATA / "table.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    first = [row for row in rows if row["smallest_labeled_ratio"] == "0.01"]
    others = [row for row in rows if row["smallest_labeled_ratio"] not in ("0.01", "0.02")]
    labeled, held = (tuple(a_case(row) for row in some) for some in (first, others[:100]))
    return Snapshot(root=str(QATA), labeled=labeled, report=held)


def supervised_dice(folder, films, **network) -> float:
    training = {"steps": 300}
    content = {"network": network, "method": {"name": "supervised"}, "training": training}
    this = RunFolder.create(folder, RunConfig.parse(content), films)
    run(this, "cpu")
    return this.read_scores()["report"]["teacher"]["dice_global"]


def test_57_films_teach_the_network_and_its_words_are_worth_points(films, tmp_path):
    assert len(films.labeled) == 57
    with_words = supervised_dice(tmp_path / "with", films)
    without = supervised_dice(tmp_path / "without", films, use_text=False)
    assert with_words > 0.72
    assert with_words > without + 0.05
