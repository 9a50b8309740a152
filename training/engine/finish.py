"""The end of a round: final scores of the model to serve, and its predictions for the unlabeled pool. It trains nothing
and decides nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from training.engine import checkpoint
from training.engine.controls import WITH, counts_of, measure_texts
from training.engine.evaluate import Evaluation, pool_start
from training.engine.pace import Pace
from training.engine.pausing import may_go_on
from training.engine.predict import Predictor
from training.engine.scoring import predict_pool, score_halves
from training.engine.setup import Round

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
    results: dict[tuple[str, str], Evaluation] = {}

    def tell(half: str, role: str, result: Evaluation) -> None:
        results[half, role] = result
        tell_evaluation(this, half, role, result)

    scores = score_halves(
        this.folder,
        this.folder.best,
        {"gate": this.pools.gate, "report": this.pools.report},
        this.config.method.threshold,
        this.fabric.device,
        tell,
    )
    if ("report", "teacher") in results:
        scores |= _texts(this, results["report", "teacher"])
    counters = this.counters
    best_step = counters.best_step or counters.step
    about = {
        "steps": counters.step,
        "burn_in": min(counters.burn_in, counters.step),
        "best_step": best_step,
        "seconds": round(counters.seconds, 1),
    }
    return {**about, **scores}


def _texts(this: Round, result: Evaluation) -> dict[str, Any]:
    """The teacher on the report half with its words and, where the settings ask for it, without and with others'."""
    measured = {WITH: result}
    if this.config.training.text_controls:
        teacher = Predictor.load(this.folder.best, this.fabric.device)
        threshold, seed = this.config.method.threshold, this.config.seed
        measured |= measure_texts(teacher, this.pools.report, threshold, seed)
    return {
        "report_texts": {name: asdict(each.scores) for name, each in measured.items()},
        "report_counts": {name: counts_of(each) for name, each in measured.items()},
    }


def _predict(this: Round, pace: Pace) -> bool:
    pool = this.pools.unlabeled
    if not this.config.training.pseudo_masks:
        pool = pool_start(pool, 0)

    def tell(done: int) -> None:
        this.events.write("predictions", done=done, total=len(pool))

    return predict_pool(
        this.folder,
        this.folder.best,
        pool,
        this.pools.labeled,
        this.fabric.device,
        tell,
        config=this.config,
        goes_on=lambda: may_go_on(this, pace),
    )
