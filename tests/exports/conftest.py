"""A project whose films have a lesion low on the left, with words that try to be formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_sources import FORMULA, WORDS, left_film, left_mask

from training.pool import IncomingCase, Project
from training.pool.importing import import_cases


@pytest.fixture
def project(tmp_path):
    """Two labeled cases (one by a reader, with a formula for words), one unlabeled, one in each half, one empty."""
    project = Project.create(tmp_path / "project", laterality="patient")
    first = IncomingCase("c_0", left_film(), WORDS, "anna", "training", left_mask())
    deep = left_film().astype(np.uint16) * 250 + 3
    cases = [
        first,
        replace(first, name="c_1", mask=None, image=255 - left_film()),
        replace(first, name="c_2", mask=None, image=deep, patient="bert"),
        replace(
            first, name="c_3", split="gate", patient="carl", description="-1+1 lower left lung"
        ),
        replace(first, name="c_4", split="report", patient="dora", description=""),
        replace(first, name="c_5", mask=0 * left_mask(), description="No pulmonary infection."),
    ]
    assert not import_cases(project, cases).failed
    project.accept(
        "c_1",
        left_mask(),
        FORMULA,
        "@Ada",
        source="edited",
        model_id="m1",
        strokes=3,
        active_seconds=1.5,
    )
    return project
