"""The scripted reader's errors and work, copies to play on, and what a bench makes of its plays."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from made import small_project, spot, tiny_round
from scipy import ndimage
from typer.testing import CliRunner

from training.cli import app
from training.errors import PoolError, SemiMedRefError
from training.metrics import overlap
from training.pool import Project
from training.report import parse
from training.simulate import RoundRecord, ScriptedReader, TimeModel
from training.simulate.bench import Bench, plan_plays, read_records, run_play
from training.simulate.copies import copy_project
from training.simulate.page import paint_work, rows_of, write_results
from training.simulate.play import review
from training.simulate.reader import effort, tremble
from training.simulate.results import reach, reference_of, results_of

WORDS = "Unilateral pulmonary infection, one infected area, lower left lung."
NOTHING = np.zeros((64, 64), np.uint8)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_perfect_reader_leaves_the_reference_and_lets_good_proposals_stand():
    reference = spot(True)
    good = reference.copy()
    good[np.argwhere(reference)[0][0], np.argwhere(reference)[0][1]] = 0
    reader = ScriptedReader()
    assert np.array_equal(reader.read(reference, None, WORDS, _rng()).mask, reference)
    read = reader.read(reference, good, WORDS, _rng())
    assert read.as_is
    assert np.array_equal(read.mask, good)
    assert np.array_equal(reader.read(reference, spot(False), WORDS, _rng()).mask, reference)


def test_a_trembling_contour_costs_some_dice_and_no_more():
    trembled = tremble(spot(True), 1.0, _rng())
    assert 0.8 < overlap(trembled, spot(True)).dice < 1
    assert not tremble(NOTHING, 2.0, _rng()).any()


def test_missed_lesions_are_missing_whole():
    both = spot(True) | spot(False)
    reader = ScriptedReader(missed=0.5)
    left = [reader.read(both, None, WORDS, _rng(seed)).mask.sum() for seed in range(60)]
    one = spot(True).sum()
    assert set(left) == {0, one, 2 * one}
    assert 0.7 * one < np.mean(left) < 1.3 * one


def test_wrong_words_name_the_other_side():
    read = ScriptedReader(wrong_words=1.0).read(spot(True), None, WORDS, _rng())
    assert parse(read.description).zones == {"Rl"}


def test_an_anchored_reader_leaves_what_the_proposal_got_wrong():
    proposal = spot(True) | spot(False)
    read = ScriptedReader(anchoring=1.0).read(spot(True), proposal, WORDS, _rng())
    assert np.array_equal(read.mask, proposal)
    free = ScriptedReader(anchoring=0.0).read(spot(True), proposal, WORDS, _rng())
    assert np.array_equal(free.mask, spot(True))


def test_a_contour_within_the_margin_stands_and_what_lies_farther_is_corrected():
    reader, seen = ScriptedReader(margin=2 / 64), spot(True)
    wider = ndimage.binary_dilation(seen, iterations=2).astype(np.uint8)
    read = reader.read(seen, wider, WORDS, _rng())
    assert read.as_is
    assert np.array_equal(read.mask, wider)
    assert read.seconds == reader.time.look
    elsewhere = wider.copy()
    elsewhere[-6:, -6:] = 1
    read = reader.read(seen, elsewhere, WORDS, _rng())
    assert not read.as_is
    assert np.array_equal(read.mask, wider)
    widest = ndimage.binary_dilation(seen, iterations=4).astype(np.uint8)
    assert np.array_equal(reader.read(seen, widest, WORDS, _rng()).mask, seen)
    nothing = np.zeros_like(seen)
    assert np.array_equal(reader.read(nothing, wider, WORDS, _rng()).mask, nothing)


def test_the_time_model_counts_spots_and_new_contour():
    model = TimeModel(look=5, stroke=2, contour=64, words=7)
    assert model.seconds(spot(True), spot(True)) == 5
    square = spot(True)
    side = int(np.sqrt(square.sum()))
    assert effort(NOTHING, square) == (1, (4 * side - 4) / 64)
    assert model.seconds(NOTHING, square) == 5 + 2 + 4 * side - 4
    assert model.seconds(square, NOTHING) == 5 + 2  # taking away needs no contour
    assert model.seconds(square, square, words_changed=True) == 12


def test_correcting_half_a_lesion_is_quicker_than_drawing_it():
    half = spot(True)
    half[:40] = 0
    read = ScriptedReader().read(spot(True), half, WORDS, _rng())
    assert read.seconds < read.from_nothing


def test_a_copy_shares_files_and_nothing_that_is_written(tmp_path):
    source = small_project(tmp_path / "source")
    copy_project(source.folder, tmp_path / "copy")
    copy = Project.open(tmp_path / "copy")
    case = copy.cases("unlabeled")[0]
    copy.accept(case.id, spot(True), WORDS, "anna", source="drawn")
    assert source.case(case.id).pool == "unlabeled"
    assert os.stat(copy.folder / case.image).st_ino == os.stat(source.folder / case.image).st_ino


def test_a_project_on_a_server_is_not_copied(tmp_path):
    (tmp_path / "server").mkdir()
    with pytest.raises(PoolError, match="database server"):
        copy_project(tmp_path / "server", tmp_path / "copy")


def test_a_damaged_database_is_refused_with_a_sentence_and_leaves_no_part_of_a_copy(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "project.sqlite").write_bytes(b"no database" * 200)
    with pytest.raises(PoolError, match=r"project\.sqlite could not be copied"):
        copy_project(tmp_path / "source", tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def _record(number: int, labeled: int, dice: float, before: float) -> RoundRecord:
    holdout = {"teacher": {"dice_per_image": dice, "dice_global": dice + 0.1}}
    return RoundRecord(
        number, labeled, holdout, True, "", 0.5, 0.5, 0.25, 0.01, 9.0, 100.0, 400.0, 10, before
    )


def test_the_target_is_reached_between_rounds():
    records = [_record(1, 20, 0.4, 0), _record(2, 40, 0.6, 300), _record(3, 60, 0.7, 500)]
    assert reach(records, 0.5) == pytest.approx((30, 150))
    assert reach(records, 0.3) == (20, 0)
    assert reach(records, 0.9) is None
    assert reach(records, None) is None


def _bench(tmp_path, **options):
    source = small_project(tmp_path / "source", unlabeled=14)
    bench = Bench(("zones", "random"), ("supervised",), 2, 2, 2, **options)
    plays, reference = plan_plays(bench, source, tiny_round(), tmp_path / "out")
    return source, bench, plays, reference


def test_a_bench_plans_every_combination_and_a_reference_for_every_seed(tmp_path):
    source, _, plays, reference = _bench(tmp_path, reference=3.0)
    assert [(play.strategy, play.seed) for play in plays] == [
        ("zones", 0),
        ("random", 0),
        ("zones", 1),
        ("random", 1),
    ]
    assert [play.head_start for play in reference] == [8, 8]
    assert len({play.folder for play in plays + reference}) == 6
    assert all(play.config.training.measured_cases == 0 for play in plays)
    other = Bench(("zones",), ("supervised",), 1, 2, 2, ScriptedReader(missed=0.1), reference=0)
    ((changed,), none) = plan_plays(other, source, tiny_round(), tmp_path / "out")
    assert changed.folder not in {play.folder for play in plays}
    assert none == []


def test_unknown_names_and_too_small_pools_are_refused_before_anything_is_played(tmp_path):
    source = small_project(tmp_path / "source")
    for bench, words in (
        (Bench(("best",), ("supervised",), 1, 1, 1), "no strategy 'best'"),
        (Bench(("zones",), ("magic",), 1, 1, 1), "no method 'magic'"),
        (Bench(("zones",), ("supervised",), 1, 1, 1, reference=50), "lower --reference"),
    ):
        with pytest.raises(SemiMedRefError, match=words):
            plan_plays(bench, source, tiny_round(), tmp_path / "out")


def test_results_say_what_each_order_took_over_seeds_and_fit_on_a_page(tmp_path):
    _, bench, plays, reference = _bench(tmp_path, reference=3.0)
    played = {
        play: [
            _record(1, 4, 0.3 + 0.01 * play.seed, 0),
            _record(2, 6, 0.7 if play.strategy == "zones" else 0.4, 100),
        ]
        for play in plays
    }
    target = reference_of({play: [_record(1, 12, 0.5, 600)] for play in reference})
    assert (target.labels, target.dice.mean, target.seconds.mean) == (12, 0.5, 600)
    zones, random = results_of(played, target.dice.mean)
    assert zones.labels_to.count == 2
    assert 4 < zones.labels_to.mean < 6
    assert random.labels_to is None
    assert zones.a_case[-1].mean == 10
    assert zones.of_nothing[-1].mean == 0.25
    rows = rows_of([zones, random], target)
    assert rows[2][5] == "not reached (0/2)"
    page = write_results(
        tmp_path / "report", "source", bench, plays[0].config, [zones, random], target
    )
    content = page.read_text()
    assert content.count("<svg") == 2
    assert "http://" not in content.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")


def test_without_a_target_or_a_second_seed_the_table_claims_neither(tmp_path):
    _, _, plays, _ = _bench(tmp_path, reference=3.0)
    play = plays[0]
    (result,) = results_of({play: [_record(1, 4, 0.3, 0)]}, None)
    (row,) = rows_of([result], None)
    assert "±" not in "".join(row)
    assert row[5] == "–"


@pytest.mark.parametrize("seconds", ["1,2", "1,2,3,4,5", "a,b,c,d", ""])
def test_a_time_model_takes_four_numbers(tmp_path, seconds):
    small_project(tmp_path / "project").close()
    arguments = ["simulate", str(tmp_path / "project"), "--seconds", seconds]
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert "four numbers" in refused.output


def test_reviewing_with_a_time_model_leaves_its_seconds_with_the_revisions(tmp_path):
    from training.review import ReviewDesk

    project = small_project(tmp_path / "project")
    desk = ReviewDesk(project, "simulated reader")
    waiting = [case.id for case in project.cases("unlabeled")]
    done = review(desk, waiting, 2, reader=ScriptedReader())
    for correction in done:
        assert correction.seconds == correction.from_nothing  # there was no proposal
        kept = project.revisions(correction.case_id)[-1]
        assert kept.active_seconds == pytest.approx(correction.seconds, abs=1e-3)


def test_a_play_ends_when_nothing_is_left_to_read(tmp_path):
    source, _, plays, _ = _bench(tmp_path)
    play = replace(plays[0], rounds=5, per_round=50)
    records = run_play(source.folder, play)
    assert [record.corrected > 0 for record in records] == [True, False]
    assert run_play(source.folder, play) == records


@pytest.mark.slow
def test_a_play_that_was_killed_goes_on_behind_its_last_finished_round(tmp_path):
    source, _, plays, _ = _bench(tmp_path)
    whole, killed = plays[0], replace(plays[0], folder=tmp_path / "killed")
    records = run_play(source.folder, whole)
    assert [record.labeled for record in records] == [4, 6]
    run_play(source.folder, replace(killed, rounds=1))
    # What a kill leaves: a review that was begun, and half a run folder.
    copy = Project.open(killed.folder / "project")
    case = copy.cases("unlabeled")[0]
    copy.accept(case.id, spot(True), WORDS, "somebody", source="drawn")
    copy.close()
    (killed.folder / "project" / "runs" / "0002").mkdir()
    again = run_play(source.folder, killed)

    def told(record: RoundRecord) -> dict:
        return {"labeled": record.labeled, "holdout": record.holdout, "work": record.reader_seconds}

    assert [told(record) for record in again] == [told(record) for record in records]
    assert len(read_records(killed)) == 2
    before = (killed.folder / "rounds.json").read_text()
    assert run_play(source.folder, killed) == again
    assert (killed.folder / "rounds.json").read_text() == before
    (killed.folder / "rounds.json").write_text(json.dumps([{"round": 1}]))
    with pytest.raises(PoolError, match="damaged"):
        read_records(killed)


def test_work_that_takes_longer_than_drawing_stays_in_the_picture(tmp_path):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots(1, 2, sharey=True)
    _, _, plays, _ = _bench(tmp_path)
    done = {"corrected": 2, "reader_seconds": 130.0, "reader_seconds_from_nothing": 100.0}
    slow = replace(_record(1, 4, 0.3, 0), accepted_as_is=0.0, **done)
    paint_work(axes, results_of({plays[0]: [slow]}, None))
    assert axes[1].get_ylim()[1] > 1.3
