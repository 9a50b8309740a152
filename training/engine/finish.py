"""The end of a round: final scores of the model to serve, and its predictions for the unlabeled pool."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.engine import checkpoint
from training.engine.controls import WITH, counts_of, measure_texts
from training.engine.data import FilmPool
from training.engine.evaluate import Evaluation, evaluate, pool_start
from training.engine.measure import Points, figures_of, look_closer, measured_numbers
from training.engine.pace import Pace
from training.engine.pausing import may_go_on
from training.engine.predict import Predictor, in_batches
from training.engine.setup import Round
from training.errors import RunFolderError
from training.files import sentence_for, write_atomically

CASE_SCORES = "case_scores.json"
BEST_DAMAGED = (
    "The best model of this run is damaged on disk: the teacher of its last step stands in for it."
)


def finish(this: Round, pace: Pace) -> bool:
    """Score, then predict; False if asked to stop in between (a resumed run repeats this part)."""
    if not checkpoint.has_model(this.folder.best):
        this.save_best()  # Nothing decided: the last teacher is the best there is.
    elif not checkpoint.is_sound(this.folder.best):
        this.events.write("warning", sentence=BEST_DAMAGED)
        this.counters.best_step = this.counters.step
        this.save_best()
    this.events.write("phase", name="evaluation")
    scores = _score(this)
    this.folder.write_scores(scores)
    this.events.write("phase", name="prediction")
    return _predict(this, pace)


def tell_evaluation(this: Round, half: str, role: str, result: Evaluation) -> None:
    """Write an ``evaluation`` event."""
    scores = {name: round(value, 5) for name, value in result.scores.as_dict().items()}
    this.events.write("evaluation", step=this.counters.step, half=half, role=role, **scores)


def _score(this: Round) -> dict[str, Any]:
    threshold, device = this.config.method.threshold, this.fabric.device
    halves: dict[str, FilmPool] = {"gate": this.pools.gate, "report": this.pools.report}
    scores: dict[str, Any] = {"gate": {}, "report": {}, "gate_cases": {}}
    of_cases: dict[str, dict[str, dict[str, float]]] = {half: {} for half in halves}
    for role in ("student", "teacher"):
        predictor = Predictor(checkpoint.read_network(this.folder.best, role).to(device), device)
        for half, pool in halves.items():
            if len(pool) == 0:
                continue
            result = evaluate(predictor, pool, threshold)
            tell_evaluation(this, half, role, result)
            scores[half][role] = asdict(result.scores)
            of_cases[half][role] = result.cases
            if (half, role) == ("gate", "teacher"):
                scores["gate_cases"] = result.cases
            if (half, role) == ("report", "teacher"):
                scores |= _texts(this, predictor, result)
    write_atomically(this.folder.path / CASE_SCORES, json.dumps(of_cases, indent=1))
    counters = this.counters
    best_step = counters.best_step or counters.step
    about = {"steps": counters.step, "best_step": best_step, "seconds": round(counters.seconds, 1)}
    return {**about, **scores}


def _texts(this: Round, teacher: Predictor, result: Evaluation) -> dict[str, Any]:
    """The teacher on the report half with its words and, where the settings ask for it, without and with others'."""
    measured = {WITH: result}
    if this.config.training.text_controls:
        threshold, seed = this.config.method.threshold, this.config.seed
        measured |= measure_texts(teacher, this.pools.report, threshold, seed)
    return {
        "report_texts": {name: asdict(each.scores) for name, each in measured.items()},
        "report_counts": {name: counts_of(each) for name, each in measured.items()},
    }


def _predict(this: Round, pace: Pace) -> bool:
    wanted = this.config.training.pseudo_masks
    pool = this.pools.unlabeled if wanted else pool_start(this.pools.unlabeled, 0)
    teacher = Predictor.load(this.folder.best, this.fabric.device)
    closer = _closer_look(this, pool, teacher)
    index: dict[str, dict[str, float | str]] = {}
    points = Points()
    for numbers in in_batches(len(pool)):
        if not may_go_on(this, pace):
            return False
        probabilities, vectors = teacher.said(pool.images[numbers], pool.texts(numbers))
        points.add(pool, numbers, vectors)
        for number, probability in zip(numbers, probabilities, strict=True):
            case = pool.cases[number]
            _write_probability(this, case.case_id, probability)
            index[case.case_id] = {
                **figures_of(probability),
                "description": hashlib.sha256(case.description.encode()).hexdigest(),
            }
        for number, figures in closer(numbers, probabilities):
            index[pool.cases[number].case_id].update(figures)
        this.events.write("predictions", done=len(index), total=len(pool))
    if len(pool):
        _write_points(this, teacher, points)
    write_atomically(this.folder.predictions_index, json.dumps(index, indent=1))
    return True


def _closer_look(this: Round, pool: FilmPool, teacher: Predictor) -> Callable:
    """What looks at a batch more closely; it leaves out cases beyond the settings' number."""
    wanted = measured_numbers(pool, this.config.training.measured_cases, this.config.seed)
    if not wanted:
        return lambda numbers, probabilities: ()
    student = Predictor.load(this.folder.best, this.fabric.device, "student")

    def look(numbers: list[int], probabilities: NDArray[np.float32]) -> Iterable:
        own = [place for place, number in enumerate(numbers) if number in wanted]
        if not own:
            return ()
        some = [numbers[place] for place in own]
        return look_closer(student, teacher, pool, some, probabilities[own])

    return look


def _write_points(this: Round, teacher: Predictor, points: Points) -> None:
    """Labeled films are points too: what is unlike them is looked for."""
    labeled = this.pools.labeled
    for numbers in in_batches(len(labeled)):
        _, vectors = teacher.said(labeled.images[numbers], labeled.texts(numbers))
        points.add(labeled, numbers, vectors)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **points.arrays())
    write_atomically(this.folder.embeddings_file, buffer.getvalue())


def _write_probability(this: Round, case_id: str, probability: NDArray[np.float32]) -> None:
    path = this.folder.predictions / f"{case_id}.png"
    try:
        Image.fromarray((probability * 255).round().astype(np.uint8)).save(path)
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error
