"""The zone atlas as a prior on pseudo-masks."""

from __future__ import annotations

import pytest
import torch
from little_films import describe

from training.config import preset
from training.engine.data import FilmPool
from training.engine.loop import run
from training.engine.pace import Pace
from training.engine.prior import ZonePrior
from training.engine.views import WeakDraw
from training.events import EventTail
from training.snapshot import SnapshotCase

SIDE = 32
STILL = WeakDraw()


def labeled_case(number: int, text: str) -> SnapshotCase:
    names = {"case_id": f"c{number}", "patient": f"p{number}"}
    return SnapshotCase(**names, image="x.png", description=text, mask="m.png")


def pool(count: int = 12) -> FilmPool:
    """Films whose lesion fills a square of the half that is named: even ones left, odd ones right."""
    cases, masks = [], torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    for number in range(count):
        side = ("left", "right")[number % 2]
        at = slice(2, 12) if side == "left" else slice(20, 30)
        masks[number, 8:24, at] = 1
        cases.append(labeled_case(number, describe(side)))
    return FilmPool(tuple(cases), torch.zeros(count, SIDE, SIDE, dtype=torch.uint8), masks)


def test_films_that_do_not_keep_to_their_words_take_the_prior_away():
    films = pool()
    mixed = films.masks.clone()
    mixed[::4] = films.masks[1]  # every fourth film's lesion lies on the other side
    astray = FilmPool(films.cases, films.images, mixed)
    assert ZonePrior.from_films(films, 1.0).weight == pytest.approx(1.0)
    assert ZonePrior.from_films(astray, 1.0).weight == 0.0


def test_a_single_mask_makes_no_prior():
    assert ZonePrior.from_films(pool(1), 1.0).weight == 0.0


def halves(probabilities: torch.Tensor) -> tuple[float, float]:
    inside = probabilities[0, 0, 8:24]
    return inside[:, 2:12].mean().item(), inside[:, 20:30].mean().item()


def test_a_lesion_where_the_words_name_none_becomes_unlikely_and_a_named_one_stays():
    even = torch.full((1, 1, SIDE, SIDE), 0.7)
    left, right = halves(ZonePrior.from_films(pool(), 1.0).apply(even, [describe("left")], [STILL]))
    assert left == pytest.approx(0.7, abs=1e-5)
    assert right < 0.15


def test_it_never_raises_a_probability():
    values = torch.rand(4, 1, SIDE, SIDE, generator=torch.manual_seed(0))
    texts = [describe("left"), describe("right"), "No pulmonary infection.", "Infection somewhere."]
    lowered = ZonePrior.from_films(pool(), 2.0).apply(values, texts, [STILL] * 4)
    assert (lowered <= values + 1e-4).all()


@pytest.mark.parametrize("text", ["No pulmonary infection.", "Infection somewhere.", ""])
def test_words_that_name_no_zone_change_nothing(text):
    values = torch.rand(1, 1, SIDE, SIDE, generator=torch.manual_seed(1))
    same = ZonePrior.from_films(pool(), 1.0).apply(values, [text], [STILL])
    torch.testing.assert_close(same, values, atol=2e-4, rtol=0)


def test_the_weight_is_a_factor_of_the_log_odds():
    even = torch.full((1, 1, SIDE, SIDE), 0.5)
    one, two = (
        torch.logit(ZonePrior.from_films(pool(), w).apply(even, [describe("left")], [STILL]))
        for w in (0.5, 1.0)
    )
    torch.testing.assert_close(two, 2 * one, atol=1e-4, rtol=1e-4)


def test_it_moves_with_the_view_and_says_nothing_of_what_came_in_from_outside():
    even = torch.full((1, 1, SIDE, SIDE), 0.7)
    moved = WeakDraw(right=-0.25)  # The right lung's square now lies a quarter further left.
    lowered = ZonePrior.from_films(pool(), 1.0).apply(even, [describe("left")], [moved])[0, 0]
    assert lowered[8:24, 13:21].mean() < 0.15
    torch.testing.assert_close(lowered[:, -7:], torch.full((SIDE, 7), 0.7), atol=1e-4, rtol=0)


def test_presets_of_the_papers_have_none_and_the_default_has_one():
    weights = {name: preset(name).method.zone_prior for name in ("paper", "release", "default")}
    assert weights == {"paper": 0.0, "release": 0.0, "default": 1.0}


def test_a_run_is_the_same_until_pseudo_masks_come_in(make_run, monkeypatch):
    monkeypatch.setattr(Pace, "may_speak", lambda self: True)
    losses = {}
    for weight in (0.0, 1.0):
        folder = make_run(f"run-{weight}", method={"zone_prior": weight})
        assert run(folder)
        events = EventTail(folder.events_file).read_new()
        losses[weight] = [event["loss"] for event in events if event["kind"] == "progress"]
    without, given = losses[0.0], losses[1.0]
    assert without[:6] == given[:6]  # Six steps of burn-in.
    assert without[6] != given[6]
