"""Small pictures of films: their size, their cache on disk, and its bound."""

from __future__ import annotations

import numpy as np
import pytest
from made import small_project

from training.pool.thumbnails import FOLDER, SIDE, Thumbnails, shrink


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", holdout=0)
    yield made
    made.close()


def kept(project):
    return sorted((project.folder / FOLDER).rglob("*.jpg"))


def test_a_long_film_keeps_its_proportions_and_its_sides():
    film = np.zeros((400, 1000), np.float32)
    film[:, :500] = 0.8
    small = shrink(film)
    assert small.shape == (26, SIDE)
    assert small.dtype == np.uint8
    assert small[:, :30].min() == 255
    assert small[:, 34:].max() == 0


def test_a_dark_film_of_16_bits_is_stretched_to_be_seen():
    ramp = np.linspace(0.0, 0.01, 200, dtype=np.float32)[None].repeat(200, 0)
    small = shrink(ramp)
    assert small.min() < 10
    assert small.max() > 245


def test_a_picture_is_made_once_and_then_read(project):
    image = project.cases()[0].image
    first = Thumbnails(project).picture(image)
    (path,) = kept(project)
    stamp = path.stat().st_mtime_ns
    second = Thumbnails(project).picture(image)
    assert path.stat().st_mtime_ns == stamp
    assert first.shape == second.shape == (64, 64)
    assert np.abs(first.astype(int) - second).mean() < 20


def test_a_damaged_small_picture_is_made_again(project):
    image = project.cases()[0].image
    Thumbnails(project).picture(image)
    (path,) = kept(project)
    path.write_bytes(b"no picture")
    assert Thumbnails(project).picture(image) is not None
    assert path.read_bytes() != b"no picture"


def test_a_film_that_cannot_be_read_has_no_picture(project):
    assert Thumbnails(project).picture("images/00/none.png") is None


def test_the_folder_keeps_no_more_than_its_bound(project):
    small = Thumbnails(project, most=3)
    for case in project.cases():
        assert small.picture(case.image) is not None
        assert len(kept(project)) <= 3 + 2
    Thumbnails(project, most=3).picture(project.cases()[0].image)
    assert len(kept(project)) <= 4
