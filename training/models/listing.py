"""The models of a project as rows of a list, and what is told of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from training.errors import PoolError
from training.metrics import Scores, summarize
from training.models.card import ModelCard, figures
from training.models.document import document
from training.models.measured import Half, read_measured
from training.pool import Model, Project
from training.pool.registry import Promotion, all_models, promotions
from training.pool.rounds import all_runs, serving_model


@dataclass(frozen=True)
class ModelRow:
    """One model in a list.

    Attributes
    ----------
    labeled : int or None
        Labeled cases it was trained on; None where that is not known.
    scores : Scores or None
        The teacher's on ``half``, the ``report`` half where there is one; None where it was not measured here.
    state : str
        "serving", "served", "refused", "imported" or "undecided".
    reason : str
        The gate's latest sentence about it, or who rolled back.
    """

    model: Model
    labeled: int | None
    scores: Scores | None
    half: Half
    cases: int
    state: str
    reason: str

    @property
    def name(self) -> str:
        """Its round, or where it came from."""
        return "imported" if self.model.run_id is None else f"round {self.model.run_id}"


def model_rows(project: Project) -> list[ModelRow]:
    """All models, the newest first."""
    serving, runs = serving_model(project), {run.id: run for run in all_runs(project)}
    said = {promotion.model_id: promotion for promotion in promotions(project)}
    rows = []
    for model in reversed(all_models(project)):
        run = runs.get(model.run_id) if model.run_id is not None else None
        half, scores, cases = _scores(model)
        serves = serving is not None and serving.id == model.id
        refusal = "" if run is None or run.reason is None else run.reason
        promotion = said.get(model.id)
        rows.append(
            ModelRow(
                model=model,
                labeled=_labeled(model) if run is None else run.labeled,
                scores=scores,
                half=half,
                cases=cases,
                state=_state(model, serves, None if run is None else run.outcome),
                reason=refusal if promotion is None else promotion.reason or refusal,
            )
        )
    return rows


def _labeled(model: Model) -> int | None:
    return None if model.card is None else int(model.card["data"]["cases"]["labeled"])


def _scores(model: Model) -> tuple[Half, Scores | None, int]:
    measured = read_measured(model.folder)
    halves: tuple[Half, Half] = ("report", "gate")
    for half in halves:
        counts = list(measured.all_of(half).values())
        if counts:
            return half, summarize(counts), len(counts)
    for half in halves:  # models of before there were counts of pixels
        told = model.scores.get(half, {}).get("teacher")
        if told:
            return half, Scores(**told), 0
    return "report", None, 0


def _state(model: Model, serves: bool, outcome: str | None) -> str:
    if serves:
        return "serving"
    if model.promoted:
        return "served"
    if model.run_id is None:
        return "imported"
    return "refused" if outcome == "refused" else "undecided"


def card_of(model: Model) -> ModelCard:
    """A model's card.

    Raises
    ------
    PoolError
        It has none: it was made by an earlier version.
    EngineError
        It is damaged.
    """
    if model.card is None:
        raise PoolError(
            f"Model {model.id} was made by an earlier version of this program and has no card: do another round."
        )
    return ModelCard.read(model.card, f"model {model.id}")


def filed_card(model: Model) -> str:
    """The card as a document; of an imported model also what it scored here."""
    card = card_of(model)
    if not model.origin:
        return document(card)
    measured = figures(read_measured(model.folder))
    local = card.model_copy(update={"scores": measured}) if any(measured.values()) else None
    return document(card, local, model.origin)


def history(project: Project, model: Model) -> list[Promotion]:
    """When and why it began to serve, oldest first."""
    return [promotion for promotion in promotions(project) if promotion.model_id == model.id]
