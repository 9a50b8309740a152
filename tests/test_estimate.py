"""What a round is foretold to take."""

from __future__ import annotations

import pytest
from made import small_project

from training.config import RunConfig, preset
from training.estimate import (
    Measured,
    Sizes,
    duration,
    estimate,
    in_words,
    measure,
    memory_needed,
    next_estimate,
)
from training.events import EventWriter
from training.pool.rounds import all_runs, close_run
from training.round import start_run

SIZES = Sizes(labeled=20, unlabeled=100, gate=10, report=10)


def changed(config: RunConfig, part: str, **values) -> RunConfig:
    return RunConfig.parse(
        config.model_dump() | {part: getattr(config, part).model_dump() | values}
    )


@pytest.fixture
def past():
    config = changed(preset("default"), "training", steps=100, burn_in=0.4)
    return Measured(4, config, burn_in_step=0.1, semi_step=0.2, film=0.01)


def test_without_a_measured_round_the_time_is_unknown_and_memory_is_told():
    told = estimate(preset("default"), SIZES, [])
    assert told.seconds is None
    assert told.sentence.startswith("How long it takes is unknown until a round")
    assert "of memory" in told.sentence


def test_the_same_round_again_takes_what_was_measured(past):
    told = estimate(past.config, SIZES, [past])
    looked_at = 2 * 10 + 2 * 20 + 100  # one evaluation on the way, the last one, predictions
    assert told.seconds == pytest.approx(40 * 0.1 + 60 * 0.2 + looked_at * 0.01)
    assert "measured in round 4" in told.sentence


@pytest.mark.parametrize(
    ("until", "gate", "unlabeled", "words"),
    [
        (1.5, 10, 100, "At most "),
        (0, 10, 100, "About "),
        (1.5, 0, 100, "About "),
        (1.5, 10, 0, "About "),
    ],
)
def test_where_burn_in_may_last_the_time_is_the_most_that_is_needed(
    past, until, gate, unlabeled, words
):
    config = changed(past.config, "training", burn_in_until=until)
    told = estimate(config, Sizes(20, unlabeled, gate, 10), [past])
    assert told.sentence.startswith(words)


def test_time_scales_with_steps_films_and_pixels(past):
    none = Measured(4, past.config, 0.1, 0.2, film=0.0)
    base = estimate(past.config, SIZES, [none]).seconds
    twice = changed(past.config, "training", steps=200)
    wider = changed(past.config, "training", batch_labeled=16, batch_unlabeled=16)
    larger = changed(past.config, "network", image_size=192)
    assert estimate(twice, SIZES, [none]).seconds == pytest.approx(2 * base)
    assert estimate(wider, SIZES, [none]).seconds == pytest.approx(2 * base)
    assert estimate(larger, SIZES, [none]).seconds == pytest.approx(4 * base)


def test_another_network_is_not_foretold_from_this_one(past):
    other = changed(past.config, "network", widths=[48, 96, 144, 192])
    assert estimate(other, SIZES, [past]).seconds is None
    deaf = changed(past.config, "method", name="supervised")
    assert estimate(deaf, SIZES, [past]).seconds is None


def test_memory_grows_with_batch_size_and_network():
    base = preset("default")
    need = memory_needed(base).host
    assert memory_needed(changed(base, "training", batch_labeled=64)).host > need
    assert memory_needed(changed(base, "network", image_size=224)).host > need
    assert memory_needed(changed(base, "network", widths=[96, 192, 384, 768])).host > need
    on_gpu = memory_needed(base, gpu=True)
    assert on_gpu.device > 0
    assert on_gpu.host > 0


def test_a_finished_round_is_measured_from_what_it_said(tmp_path):
    project = small_project(tmp_path / "p", labeled=2, unlabeled=4, holdout=0)
    run = start_run(project, changed(preset("default"), "training", steps=10, burn_in=0.4))
    writer = EventWriter(run.folder / "events.jsonl")
    writer.write("started", pid=1, device="cpu", steps_planned=10)
    assert measure(run) is None
    for phase, step, speed in (("burn-in", 4, 4.0), ("semi-supervised", 10, 2.0)):
        writer.write("phase", name=phase)
        writer.write("progress", step=step, loss=0.5, steps_per_second=speed)
    writer.write("finished", seconds=6.0)  # 4 / 4 + 6 / 2 of steps, 2 for 4 films
    found = measure(run)
    assert (found.burn_in_step, found.semi_step) == (0.25, 0.5)
    assert found.film == pytest.approx(0.5)
    close_run(project, run, "refused", "Refused.")
    assert next_estimate(project, found.config).seconds == pytest.approx(6.0)
    assert len(all_runs(project)) == 1


def test_sizes_and_times_are_told_in_words():
    assert in_words(732 * 2**20) == "730 MB"
    assert in_words(3.2 * 2**30) == "3.2 GB"
    assert [duration(s) for s in (0.2, 42, 89, 300, 3600 * 2)] == [
        "1 s",
        "42 s",
        "89 s",
        "5 min",
        "2 h 00 min",
    ]
