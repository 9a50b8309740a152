"""What a model folder scores on held-out films and what it says of others, into a run folder. No training."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.config import RunConfig, TrainingConfig
from training.engine import checkpoint
from training.engine.controls import counts_of
from training.engine.data import FilmPool, load_films
from training.engine.evaluate import Evaluation, evaluate
from training.engine.measure import Points, figures_of, look_closer, measured_numbers
from training.engine.predict import Predictor, in_batches
from training.engine.setup import make_fabric
from training.errors import RunFolderError
from training.errors_by_place import PlaceErrors
from training.events import EventWriter
from training.files import sentence_for, write_atomically
from training.rundir import RunFolder

CASE_SCORES = "case_scores.json"
Tell = Callable[[str, str, Evaluation], None]


def score_halves(
    folder: RunFolder,
    model: Path,
    halves: Mapping[str, FilmPool],
    threshold: float,
    device: torch.device,
    tell: Tell,
) -> dict[str, Any]:
    """Measure student and teacher of ``model`` on both halves; each case's figures go to files of the run folder.

    Parameters
    ----------
    halves : mapping of "gate" and "report" to films with masks
        Empty ones are passed over.
    threshold : float
        Probability from which a pixel counts as foreground.
    tell : callable
        Given half, role and result of each evaluation.

    Returns
    -------
    dict
        ``gate`` and ``report``: role to scores; ``gate_cases``: the teacher's Dice by case id; ``report_errors``: where
        the teacher errs on the report half (`training.errors_by_place`).
    """
    scores: dict[str, Any] = {"gate": {}, "report": {}, "gate_cases": {}}
    convention = folder.read_snapshot().laterality
    dice: dict[str, dict[str, Any]] = {half: {} for half in halves}
    counts: dict[str, dict[str, Any]] = {half: {} for half in halves}
    for role in checkpoint.ROLES:
        predictor = Predictor.load(model, device, role)
        for half, pool in halves.items():
            if len(pool) == 0:
                continue
            errors = PlaceErrors(convention)
            result = evaluate(predictor, pool, threshold, also=errors.add)
            tell(half, role, result)
            scores[half][role] = asdict(result.scores)
            dice[half][role] = result.cases
            counts[half][role] = counts_of(result)
            if (half, role) == ("gate", "teacher"):
                scores["gate_cases"] = result.cases
            if (half, role) == ("report", "teacher"):
                scores["report_errors"] = errors.summary()
    write_atomically(folder.path / CASE_SCORES, json.dumps(dice, indent=1))
    write_atomically(folder.case_counts_file, json.dumps(counts))
    return scores


def predict_pool(
    folder: RunFolder,
    model: Path,
    pool: FilmPool,
    labeled: FilmPool,
    device: torch.device,
    tell: Callable[[int], None],
    *,
    config: RunConfig,
    goes_on: Callable[[], bool] | None = None,
) -> bool:
    """Write what the teacher says of a pool into the run folder: probabilities, figures, and films as points.

    Parameters
    ----------
    labeled : FilmPool
        Points too: what is unlike them is looked for.
    tell : callable
        Given how many films are done, after each batch.
    config : RunConfig
        Says where foreground begins, and how many films, drawn by its seed, are also measured by further passes (see
        `training.engine.measure`).
    goes_on : callable
        Asked before each batch; by default whether nobody asked the run to stop.

    Returns
    -------
    bool
        False if it was broken off.
    """
    wanted = measured_numbers(pool, config.training.measured_cases, config.seed)
    teacher, points = Predictor.load(model, device), Points()
    look = _closer_look(model, pool, teacher, wanted)
    index: dict[str, dict[str, float | str]] = {}
    for numbers in in_batches(len(pool)):
        if not (goes_on() if goes_on else not folder.stop_requested()):
            return False
        probabilities, vectors = teacher.said(pool.images[numbers], pool.texts(numbers))
        points.add(pool, numbers, vectors)
        for number, probability in zip(numbers, probabilities, strict=True):
            case = pool.cases[number]
            _write_probability(folder, case.case_id, probability)
            index[case.case_id] = {
                **figures_of(probability, config.method.threshold),
                "description": hashlib.sha256(case.description.encode()).hexdigest(),
            }
        for number, figures in look(numbers, probabilities):
            index[pool.cases[number].case_id].update(figures)
        tell(len(index))
    if len(pool):
        _write_points(folder, teacher, points, labeled)
    write_atomically(folder.predictions_index, json.dumps(index, indent=1))
    return True


def _closer_look(
    model: Path, pool: FilmPool, teacher: Predictor, wanted: Iterable[int]
) -> Callable[[list[int], NDArray[np.float32]], Iterable[tuple[int, dict[str, float]]]]:
    """What looks at the wanted films of a batch more closely."""
    chosen = frozenset(wanted)
    if not chosen:
        return lambda numbers, probabilities: ()
    student = Predictor.load(model, teacher.device, "student")

    def look(
        numbers: list[int], probabilities: NDArray[np.float32]
    ) -> Iterable[tuple[int, dict[str, float]]]:
        own = [place for place, number in enumerate(numbers) if number in chosen]
        if not own:
            return ()
        some = [numbers[place] for place in own]
        return look_closer(student, teacher, pool, some, probabilities[own])

    return look


def _write_points(folder: RunFolder, teacher: Predictor, points: Points, labeled: FilmPool) -> None:
    for numbers in in_batches(len(labeled)):
        _, vectors = teacher.said(labeled.images[numbers], labeled.texts(numbers))
        points.add(labeled, numbers, vectors)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **points.arrays())
    write_atomically(folder.embeddings_file, buffer.getvalue())


def measure(folder: RunFolder, model: Path, *, device: str = "auto", predict: bool = False) -> None:
    """Score an existing model on the holdout of the folder's snapshot, and let it predict the unlabeled pool if asked.

    This is what ``python -m training score MODEL RUN_FOLDER`` does; the folder ends up with what a run leaves.

    Raises
    ------
    SemiMedRefError
        The model or the device cannot be used.
    """
    config, snapshot = folder.read_config(), folder.read_snapshot()
    where = make_fabric(device, TrainingConfig()).device
    side, root = checkpoint.read_settings(model).network.image_size, Path(snapshot.root)
    events = EventWriter(folder.events_file)

    def films(part: str) -> FilmPool:
        return load_films(root, getattr(snapshot, part), side, warn, part != "unlabeled")

    def warn(sentence: str) -> None:
        events.write("warning", sentence=sentence)

    halves = {half: films(half) for half in ("gate", "report")}
    threshold = config.method.threshold
    scores = score_halves(folder, model, halves, threshold, where, lambda *_: None)
    if predict:
        pools = films("unlabeled"), films("labeled")
        predict_pool(folder, model, *pools, where, lambda done: None, config=config)
    folder.write_scores(scores)


def _write_probability(folder: RunFolder, case_id: str, probability: NDArray[np.float32]) -> None:
    path = folder.predictions / f"{case_id}.png"
    try:
        Image.fromarray((probability * 255).round().astype(np.uint8)).save(path)
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error
