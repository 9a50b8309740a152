"""The end of a round: final scores of the model to serve, and its predictions for the unlabeled pool."""

from __future__ import annotations

from typing import Any

from training.engine import checkpoint
from training.engine.evaluate import Evaluation, pool_start
from training.engine.pace import Pace
from training.engine.scoring import predict_pool, score_halves
from training.engine.setup import Round


def finish(this: Round, pace: Pace) -> bool:
    """Score, then predict; False if asked to stop in between (a resumed run repeats this part)."""
    if not checkpoint.has_model(this.folder.best):
        this.save_best()  # Nothing decided: the last teacher is the best there is.
    this.events.write("phase", name="evaluation")
    scores = _score(this)
    this.folder.write_scores(scores)
    this.events.write("phase", name="prediction")
    return _predict(this)


def tell_evaluation(this: Round, half: str, role: str, result: Evaluation) -> None:
    """Write an ``evaluation`` event."""
    scores = {name: round(value, 5) for name, value in result.scores.as_dict().items()}
    this.events.write("evaluation", step=this.counters.step, half=half, role=role, **scores)


def _score(this: Round) -> dict[str, Any]:
    scores = score_halves(
        this.folder,
        this.folder.best,
        {"gate": this.pools.gate, "report": this.pools.report},
        this.config.method.threshold,
        this.fabric.device,
        lambda half, role, result: tell_evaluation(this, half, role, result),
    )
    counters = this.counters
    best_step = counters.best_step or counters.step
    about = {"steps": counters.step, "best_step": best_step, "seconds": round(counters.seconds, 1)}
    return {**about, **scores}


def _predict(this: Round) -> bool:
    wanted = this.config.training.pseudo_masks
    pool = this.pools.unlabeled if wanted else pool_start(this.pools.unlabeled, 0)

    def tell(done: int) -> None:
        this.events.write("predictions", done=done, total=len(pool))

    return predict_pool(this.folder, this.folder.best, pool, this.fabric.device, tell)
