"""Films that cannot be read: the window shows them empty with a sentence, and nobody is stopped."""

from __future__ import annotations

import os

import numpy as np
import pytest
from docking import docked
from made import small_project, spot
from PIL import Image

from napari_semimedref.fixed_layers import IMAGE
from napari_semimedref.widgets.description import DescriptionDock
from napari_semimedref.widgets.review import ReviewDock
from training.errors import PoolError
from training.pool.listing import list_rows
from training.review import ReviewDesk
from training.simulate import review


def remove(path):
    path.unlink()


def truncate(path):
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:60])


def replace_by_another_size(path):
    path.unlink()
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(path)


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


LOSSES = (remove, truncate, replace_by_another_size, replace_by_folder)


@pytest.fixture
def told(monkeypatch):
    sentences = []
    monkeypatch.setattr("napari_semimedref.asking.show_warning", sentences.append)
    return sentences


def lose_next(session, lose=remove):
    """Lose the film of the case that comes next; returns its id."""
    case = session.project.case(session.desk.queue[0])
    lose(session.project.folder / case.image)
    return case.id


@pytest.mark.parametrize("lose", LOSSES)
def test_next_shows_a_lost_film_as_an_empty_case_with_a_sentence(session, lose):
    session.next()
    failures = []
    session.failed.connect(failures.append)
    lost = lose_next(session, lose)
    session.accept()
    assert session.case_id == lost
    assert not session.current.readable
    assert not session.current.image.any()
    assert session.current.image.shape == session.mask.shape == (64, 64)
    assert len(failures) == 1
    assert failures[0].startswith(f"The film of {lost} cannot be read: skip it with a reason.")
    assert not session.wants_proposals


def test_a_lost_film_is_skipped_with_a_reason_and_never_accepted(session):
    session.next()
    lost = lose_next(session)
    session.next()
    session.edit_mask(spot(True))
    with pytest.raises(PoolError, match="cannot be read"):
        session.accept()
    assert session.case_id == lost
    session.skip("film unreadable")
    assert session.case_id not in ("", lost)
    assert session.project.case(lost).pool == "unlabeled"
    assert list_rows(session.project, [lost])[lost].skip_reason == "film unreadable"


def test_previous_and_next_pass_through_lost_films(session):
    session.next()
    first = session.case_id
    lost = lose_next(session)
    session.next()
    session.next()
    third = session.case_id
    seen = []
    while session.previous():
        seen.append(session.case_id)
    assert seen == [lost, first]
    session.next()
    session.next()
    assert session.case_id == third


def test_when_every_film_is_lost_the_queue_can_still_be_emptied(session):
    for case in session.project.cases():
        remove(session.project.folder / case.image)
    session.next()
    count = 0
    while session.current is not None:
        session.skip("film unreadable")
        count += 1
    assert count == 6


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_film_that_may_not_be_read_is_lost_too(session):
    session.next()
    lost = lose_next(session, lambda path: path.chmod(0))
    session.next()
    assert session.case_id == lost
    assert not session.current.readable


def test_a_film_whose_disk_fails_is_lost_too(session, monkeypatch):
    def fail(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("training.open_case.read_image", fail)
    session.next()
    assert not session.current.readable
    assert "Input/output error" in session.current.trouble


def test_an_accepted_mask_that_is_lost_must_be_drawn_again(session):
    case = session.project.cases("labeled")[0]
    truncate(session.project.folder / case.mask)
    session.open(case.id)
    assert session.current.readable
    assert "accepted mask" in session.current.trouble
    assert not session.mask.any()
    with pytest.raises(PoolError, match="draw it again"):
        session.accept()
    session.edit_mask(spot(True))
    assert session.accept().case_id == case.id


def test_the_window_shows_the_sentence_and_offers_only_to_skip(qtbot, told, space):
    description = docked(qtbot, DescriptionDock, space)
    dock = docked(qtbot, ReviewDock, space)
    lost = lose_next(space.session)
    dock.accept.click()
    assert space.session.case_id == lost
    assert told == [space.session.current.trouble]
    assert not space.viewer.layers[IMAGE].data.any()
    assert "cannot be read" in description.service.text()
    assert not dock.accept.isEnabled()
    assert dock.skip.isEnabled()
    dock.skip.click()
    assert space.session.case_id != lost
    assert dock.accept.isEnabled()
    dock.previous.click()
    assert space.session.case_id == lost
    dock.previous.click()
    assert space.session.case_id not in ("", lost)


def test_the_simulated_reader_skips_lost_films(tmp_path):
    project = small_project(tmp_path / "p", holdout=0)
    queue = [case.id for case in project.cases("unlabeled")]
    remove(project.folder / project.case(queue[0]).image)
    corrections = review(ReviewDesk(project, "reader"), queue, 3)
    assert [correction.case_id for correction in corrections] == queue[1:3]
    assert project.case(queue[0]).skipped
