"""A hundred rounds through registry and gate: a fifth of the teachers is spoiled, and none of these serves."""

from __future__ import annotations

import numpy as np
import pytest
from fake_runs import finished_run
from made import incoming
from mask_teachers import SIDE, SPOILED, Films, phantom_masks

from training.adopting import adopt
from training.models.listing import model_rows
from training.pool import IncomingCase, Project
from training.pool.importing import import_cases
from training.pool.registry import promotions
from training.pool.rounds import serving_model

ROUNDS = 100
HOLDOUT = 40
EVERY = 5  # every fifth teacher is spoiled


@pytest.fixture(scope="module")
def films():
    some = phantom_masks(HOLDOUT // 2)
    return Films.of(np.concatenate([some, some[:, :, ::-1]]))  # lungs look alike mirrored


@pytest.fixture
def project(tmp_path, films):
    made = Project.create(tmp_path / "project")
    rng = np.random.default_rng(0)
    cases = [incoming(index, labeled=True, size=SIDE) for index in range(2)]
    for number, mask in enumerate(films.masks):
        film = rng.integers(0, 255, mask.shape, dtype=np.uint8)
        cases.append(
            IncomingCase(
                name=f"held_{number:03d}",
                image=film,
                description="Bilateral pulmonary infection.",
                patient=f"held_{number:03d}",
                split="gate",
                mask=mask,
            )
        )
    assert not import_cases(made, cases).failed
    yield made
    made.close()


def test_over_a_hundred_rounds_no_spoiled_teacher_is_promoted(project, films):
    rng = np.random.default_rng(1)
    kinds = list(SPOILED)
    promoted, refused, spoiled_ids, errors = [], [], set(), {}
    for number in range(ROUNDS):
        error = 0.6 + 2.4 * np.exp(-number / 25) + rng.normal(0, 0.05)  # rounds learn, unevenly
        said = films.predicted(error, rng)
        kind = kinds[number // EVERY % len(kinds)] if number % EVERY == EVERY - 1 else None
        if kind is not None:
            said = SPOILED[kind](said, rng)
        named = {f"held_{i:03d}": mask for i, mask in enumerate(said)}
        outcome = adopt(project, finished_run(project, named, number))
        if kind is not None:
            spoiled_ids.add(outcome.model.id)
            assert outcome.state == "refused", (kind, outcome.sentence)
        elif outcome.state == "promoted":
            promoted.append(outcome.model.id)
            errors[outcome.model.id] = error
        else:
            refused.append(errors[promoted[-1]] - error)
    assert len(spoiled_ids) == ROUNDS // EVERY
    assert not spoiled_ids & {promotion.model_id for promotion in promotions(project)}
    assert serving_model(project).id == promoted[-1]
    assert len(model_rows(project)) == ROUNDS  # refused ones are kept, too
    assert len(promoted) >= 10  # good ones keep moving
    first, last = (row.scores for row in (model_rows(project)[-1], _serving_row(project)))
    assert last.dice_per_image > first.dice_per_image + 0.2
    assert sum(gain > 0.2 for gain in refused) <= 8  # clearly better ones are seldom refused


def _serving_row(project):
    (row,) = (row for row in model_rows(project) if row.state == "serving")
    return row
