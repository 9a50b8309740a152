"""The end of a round: final scores of the model to serve, and its predictions for the unlabeled pool."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.engine import checkpoint
from training.engine.data import FilmPool
from training.engine.evaluate import Evaluation, evaluate, pool_start
from training.engine.pace import Pace
from training.engine.pausing import may_go_on
from training.engine.predict import Predictor, entropy
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
    write_atomically(this.folder.path / CASE_SCORES, json.dumps(of_cases, indent=1))
    counters = this.counters
    best_step = counters.best_step or counters.step
    about = {"steps": counters.step, "best_step": best_step, "seconds": round(counters.seconds, 1)}
    return {**about, **scores}


def _predict(this: Round, pace: Pace) -> bool:
    wanted = this.config.training.pseudo_masks
    pool = this.pools.unlabeled if wanted else pool_start(this.pools.unlabeled, 0)
    device = this.fabric.device
    predictor = Predictor.load(this.folder.best, device)
    index: dict[str, dict[str, float | str]] = {}
    for numbers, probabilities in predictor.pool(pool):
        if not may_go_on(this, pace):
            return False
        for number, probability in zip(numbers, probabilities, strict=True):
            case = pool.cases[number]
            _write_probability(this, case.case_id, probability)
            index[case.case_id] = {
                "entropy": round(float(entropy(probability).mean()), 6),
                "foreground": round(float((probability >= 0.5).mean()), 6),
                "description": hashlib.sha256(case.description.encode()).hexdigest(),
            }
        this.events.write("predictions", done=len(index), total=len(pool))
    write_atomically(this.folder.predictions_index, json.dumps(index, indent=1))
    return True


def _write_probability(this: Round, case_id: str, probability: NDArray[np.float32]) -> None:
    path = this.folder.predictions / f"{case_id}.png"
    try:
        Image.fromarray((probability * 255).round().astype(np.uint8)).save(path)
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error
