from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from little_films import describe, draw_film, write_case
from torch import nn

from training.engine.data import load_films
from training.engine.evaluate import evaluate
from training.engine.pace import SPEAK_SECONDS, Pace
from training.engine.predict import Predictor, entropy
from training.engine.words import finding_of, is_certain, zones_of_texts
from training.metrics import score_masks

CPU = torch.device("cpu")


class Echo(nn.Module):
    """Answers with the film itself: bright is lesion."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(image_size=side)

    def forward(self, images, texts):
        assert len(images) == len(texts)
        return SimpleNamespace(logits=4 * (images - 1), image_vector=torch.zeros(1, 1))


def test_a_prediction_keeps_left_and_right_and_up_and_down():
    image, _, text = draw_film(0)
    half = image.astype(np.float32) / 255
    half[:, 24:] = 0.3
    found = Predictor(Echo(48), CPU).probability(half, text) >= 0.5
    rows, columns = np.nonzero(found)
    assert columns.mean() < 20
    assert rows.mean() > 26


def test_batches_answer_as_single_films_do(tmp_path):
    cases = tuple(write_case(tmp_path, number, True) for number in range(5))
    pool = load_films(tmp_path, cases, 48, pytest.fail, need_masks=True)
    predictor = Predictor(Echo(48), CPU)
    seen = []
    for numbers, probabilities in predictor.pool(pool, size=2):
        for number, probability in zip(numbers, probabilities, strict=True):
            image = draw_film(number)[0].astype(np.float32) / 255
            assert np.allclose(probability, predictor.probability(image, "x"), atol=1e-5)
            seen.append(number)
    assert seen == list(range(5))


def test_an_evaluation_agrees_with_the_metrics_of_its_masks(tmp_path):
    cases = tuple(write_case(tmp_path, number, True) for number in range(5))
    pool = load_films(tmp_path, cases, 48, pytest.fail, need_masks=True)
    predictor = Predictor(Echo(48), CPU)
    result = evaluate(predictor, pool)
    probabilities = predictor.batch(pool.images, pool.texts([0] * 5))
    masks = pool.masks.numpy()
    expected = score_masks([(p >= 0.5, m) for p, m in zip(probabilities, masks, strict=True)])
    assert result.scores == expected
    assert np.mean(list(result.cases.values())) == pytest.approx(expected.dice_per_image)
    assert list(evaluate(predictor, pool, limit=2).cases) == [c.case_id for c in cases[:2]]


def test_entropy_is_zero_where_sure_and_largest_at_one_half():
    values = entropy(np.array([0.0, 0.5, 1.0, 0.2, 0.8], np.float32))
    assert values[[0, 2]] == pytest.approx(0, abs=1e-5)
    assert values[1] == pytest.approx(np.log(2), rel=1e-4)
    assert values[3] == pytest.approx(values[4], rel=1e-4)


def test_zones_of_texts_say_which_texts_fix_them():
    contradiction = "Unilateral pulmonary infection, upper left lung and lower right lung."
    texts = [describe("left"), "Pulmonary infection.", "No pulmonary infection.", contradiction]
    vectors, known = zones_of_texts(texts)
    assert vectors[0].tolist() == [0, 0, 1, 0, 0, 0]
    assert vectors[2].sum() == 0
    assert known.tolist() == [True, False, True, False]
    assert not is_certain(finding_of(contradiction))


def test_the_pace_knows_both_phases_and_what_comes_after():
    now = [0.0]
    pace = Pace(100, 40, films_to_predict=50, checkpoint_seconds=10, clock=lambda: now[0])
    pace.count_step(1, 7.0)  # the first step of all is no measure
    assert not pace.has_measured
    pace.count_step(1, 0.1)
    assert pace.has_measured
    pace.count_films(10, 0.2)
    before = pace.seconds_left(1)
    assert before == pytest.approx(39 * 0.1 + 60 * 0.19 + 1.0)
    pace.count_step(41, 0.5)
    assert pace.seconds_left(41) == pytest.approx(59 * 0.5 + 1.0)
    assert pace.seconds_left(100) == pytest.approx(1.0)


def test_the_pace_speaks_and_saves_no_more_often_than_it_should():
    now = [0.0]
    pace = Pace(100, 40, 0, checkpoint_seconds=10, clock=lambda: now[0])
    assert [pace.may_speak(), pace.may_speak(), pace.must_save()] == [True, False, False]
    now[0] = SPEAK_SECONDS
    assert pace.may_speak()
    now[0] = 10
    assert [pace.must_save(), pace.must_save()] == [True, False]
