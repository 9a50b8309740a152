"""What the service learns from a project's labeled masks before it shows views."""

from __future__ import annotations

import numpy as np
import pytest
from made import LEFT, small_project, spot

from training.config import preset
from training.engine import served_pool
from training.engine.data import shrink_mask
from training.engine.prior import ZonePrior
from training.engine.served_pool import ServedPool
from training.pool.images import read_mask

SIDE = 32
METHOD = preset("default").method


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project", labeled=6, unlabeled=4)


@pytest.fixture
def reads(monkeypatch):
    """Names of the mask files that were read."""
    names = []

    def note(path):
        names.append(path.name)
        return read_mask(path)

    monkeypatch.setattr(served_pool, "read_mask", note)
    return names


def expected(project, side):
    """The prior of the labeled masks as they stand, from nothing kept."""
    cases = project.cases("labeled")
    masks = [shrink_mask(read_mask(project.folder / case.mask), side) for case in cases]
    return ZonePrior.fit(np.stack(masks), [case.description for case in cases], METHOD.zone_prior)


def test_after_an_acceptance_only_the_new_mask_is_read(project, reads):
    pool = ServedPool(project)
    pool.bands(SIDE)
    pool.prior(METHOD, SIDE)
    assert len(reads) == len({case.mask for case in project.cases("labeled")})
    reads.clear()
    case = project.cases("unlabeled")[0]
    drawn = spot(True)
    drawn[:3, :3] = 1
    project.accept(case.id, drawn, LEFT, "Ada", source="drawn")
    renewed = pool.prior(METHOD, SIDE)
    assert len(reads) == 1
    assert np.array_equal(renewed.atlas.overall, expected(project, SIDE).atlas.overall)


def test_another_side_reads_the_masks_anew(project, reads):
    pool = ServedPool(project)
    pool.bands(SIDE)
    first = list(reads)
    reads.clear()
    small = pool.prior(METHOD, SIDE // 2)
    assert sorted(reads) == sorted(first)
    assert np.array_equal(small.atlas.overall, expected(project, SIDE // 2).atlas.overall)
