"""The review desk: drafts, going back and forth, and what acceptance records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made import small_project, spot
from PIL import Image

from training.active_time import IDLE_SECONDS, ActiveTime
from training.errors import FormatError, PoolError
from training.open_case import SHELF, FilmShelf
from training.pool import Project
from training.review import ReviewDesk
from training.review_queue import plan_queue


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project")


@pytest.fixture
def desk(project):
    desk = ReviewDesk(project, "Ada")
    desk.set_queue([case.id for case in project.cases("unlabeled")])
    return desk


def _probability(left: bool = True) -> np.ndarray:
    return spot(left, 32).astype(np.float32) * 0.9


def test_accepting_an_untouched_proposal_is_as_is(desk, project):
    desk.next()
    desk.take_proposal(_probability(), "model")
    revision = desk.accept()
    assert (revision.source, revision.outcome, revision.pixels_changed) == ("teacher", "as is", 0)
    assert revision.dice_to_proposal == 1.0
    assert revision.model_id == "model"


def test_a_corrected_proposal_records_what_was_changed(desk):
    desk.next()
    desk.take_proposal(_probability(), "model")
    corrected = desk.mask.copy()
    corrected[0, :5] = 1
    desk.edit_mask(corrected)
    revision = desk.accept()
    assert (revision.source, revision.outcome, revision.pixels_changed, revision.strokes) == (
        "edited",
        "edited",
        5,
        1,
    )
    assert 0.9 < revision.dice_to_proposal < 1


def test_a_mask_far_from_its_proposal_was_drawn_anew(desk):
    desk.next()
    desk.take_proposal(_probability(left=True), "model")
    desk.edit_mask(spot(False))
    assert desk.accept().source == "drawn"


def test_a_new_proposal_never_replaces_strokes(desk):
    desk.next()
    desk.take_proposal(_probability(), "model")
    desk.edit_mask(spot(False))
    desk.take_proposal(_probability(), "newer")
    assert np.array_equal(desk.mask, spot(False))


def test_a_new_proposal_never_replaces_an_accepted_mask(desk, project):
    case = project.cases("labeled")[0]
    desk.open(case.id)
    before = desk.mask.copy()
    desk.take_proposal(_probability(left=False), "model")
    assert np.array_equal(desk.mask, before)


def test_leaving_a_case_saves_its_draft_and_coming_back_restores_it(desk):
    first = desk.next().case.id
    desk.edit_mask(spot(True))
    desk.edit_description("Words so far")
    desk.next()
    back = desk.previous()
    assert (back.case.id, back.restored) == (first, True)
    assert np.array_equal(desk.mask, spot(True))
    assert desk.description == "Words so far"


def test_a_restarted_desk_finds_the_draft(desk, project):
    case_id = desk.next().case.id
    desk.edit_mask(spot(True))
    desk.save_draft()
    again = ReviewDesk(Project.open(project.folder), "Ada")
    assert again.open(case_id).restored
    assert np.array_equal(again.mask, spot(True))


def test_going_back_and_forth_visits_every_case_once(desk):
    order = [desk.next().case.id for _ in range(3)]
    assert desk.previous().case.id == order[1]
    assert desk.previous().case.id == order[0]
    assert desk.previous() is None
    assert [desk.next().case.id for _ in range(2)] == order[1:]


def test_the_queue_ends_with_an_empty_desk_and_previous_still_works(desk, project):
    ids = [case.id for case in project.cases("unlabeled")]
    for _ in ids:
        desk.next()
        desk.accept()
    assert desk.next() is None
    assert desk.current is None
    assert desk.previous().case.id == ids[-1]
    assert desk.previous().case.id == ids[-2]


def test_a_holdout_case_never_shows_a_proposal(project):
    desk = ReviewDesk(project, "Ada")
    held = next(case for case in project.cases() if case.is_holdout)
    assert desk.open(held.id).proposal is None


def test_working_without_a_case_or_a_name_is_refused(project):
    with pytest.raises(PoolError, match="no case on the desk"):
        ReviewDesk(project, "Ada").accept()
    with pytest.raises(PoolError, match="needs a name"):
        ReviewDesk(project, "  ")


def test_idle_time_does_not_count_as_work():
    instants = iter([0.0, 5.0, 5.0 + 3600.0, 3610.0])
    active = ActiveTime(clock=lambda: next(instants))
    for _ in range(3):
        active.touch()
    assert active.seconds == 5.0 + IDLE_SECONDS + 5.0


def test_skipped_cases_come_last_in_the_queue(project):
    skipped = project.cases("unlabeled")[0].id
    project.skip(skipped, "Ada", "rotated")
    queue = [choice.case_id for choice in plan_queue(project, "random", np.random.default_rng(0))]
    assert queue[-1] == skipped
    assert len(queue) == len(project.cases("unlabeled"))


def write_film(path: Path, value: int) -> Path:
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)
    return path


def test_a_film_is_read_ahead_once_and_leaves_the_shelf_with_its_case(tmp_path):
    shelf, path = FilmShelf(), write_film(tmp_path / "film.png", 51)
    shelf.fetch(path)
    ahead = shelf.take(path)
    assert np.allclose(ahead, 0.2)
    assert shelf.take(path) is not ahead  # read from its file again


@pytest.mark.parametrize("harm", ["lose", "change"])
def test_a_film_harmed_after_it_was_read_ahead_is_read_as_it_is_now(tmp_path, harm):
    shelf, path = FilmShelf(), write_film(tmp_path / "film.png", 51)
    shelf.fetch(path)
    path.unlink()
    if harm == "lose":
        with pytest.raises(FormatError):
            shelf.take(path)
    else:
        write_film(path, 102)
        assert np.allclose(shelf.take(path), 0.4)


def test_the_shelf_holds_few_films_and_leaves_unreadable_ones_to_the_desk(tmp_path):
    shelf = FilmShelf()
    paths = [write_film(tmp_path / f"{number}.png", 51) for number in range(SHELF + 1)]
    for path in [*paths, tmp_path / "nowhere.png"]:
        shelf.fetch(path)
    assert len(shelf) == SHELF
