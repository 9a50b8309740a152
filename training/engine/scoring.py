"""What a model folder scores on held-out films and what it says of others, into a run folder. No training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.config import TrainingConfig
from training.engine import checkpoint
from training.engine.data import FilmPool, load_films
from training.engine.evaluate import Evaluation, evaluate
from training.engine.predict import Predictor, entropy
from training.engine.setup import make_fabric
from training.errors import RunFolderError
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
        ``gate`` and ``report``: role to scores; ``gate_cases``: the teacher's Dice by case id.
    """
    scores: dict[str, Any] = {"gate": {}, "report": {}, "gate_cases": {}}
    dice: dict[str, dict[str, Any]] = {half: {} for half in halves}
    counts: dict[str, dict[str, Any]] = {half: {} for half in halves}
    for role in ("student", "teacher"):
        predictor = Predictor(checkpoint.read_network(model, role).to(device), device)
        for half, pool in halves.items():
            if len(pool) == 0:
                continue
            result = evaluate(predictor, pool, threshold)
            tell(half, role, result)
            scores[half][role] = asdict(result.scores)
            dice[half][role] = result.cases
            counts[half][role] = {case: astuple(seen) for case, seen in result.counts.items()}
            if (half, role) == ("gate", "teacher"):
                scores["gate_cases"] = result.cases
    write_atomically(folder.path / CASE_SCORES, json.dumps(dice, indent=1))
    write_atomically(folder.case_counts_file, json.dumps(counts))
    return scores


def predict_pool(
    folder: RunFolder,
    model: Path,
    pool: FilmPool,
    device: torch.device,
    tell: Callable[[int], None],
) -> bool:
    """Write the teacher's probabilities of a pool into the run folder; False if asked to stop."""
    predictor = Predictor.load(model, device)
    index: dict[str, dict[str, float | str]] = {}
    for numbers, probabilities in predictor.pool(pool):
        if folder.stop_requested():
            return False
        for number, probability in zip(numbers, probabilities, strict=True):
            case = pool.cases[number]
            _write_probability(folder, case.case_id, probability)
            index[case.case_id] = {
                "entropy": round(float(entropy(probability).mean()), 6),
                "foreground": round(float((probability >= 0.5).mean()), 6),
                "description": hashlib.sha256(case.description.encode()).hexdigest(),
            }
        tell(len(index))
    write_atomically(folder.predictions_index, json.dumps(index, indent=1))
    return True


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
    side, root = checkpoint.read_card(model).network.image_size, Path(snapshot.root)
    events = EventWriter(folder.events_file)

    def films(half: str) -> FilmPool:
        return load_films(root, getattr(snapshot, half), side, warn, half != "unlabeled")

    def warn(sentence: str) -> None:
        events.write("warning", sentence=sentence)

    halves = {half: films(half) for half in ("gate", "report")}
    threshold = config.method.threshold
    scores = score_halves(folder, model, halves, threshold, where, lambda *_: None)
    if predict:
        predict_pool(folder, model, films("unlabeled"), where, lambda done: None)
    folder.write_scores(scores)


def _write_probability(folder: RunFolder, case_id: str, probability: NDArray[np.float32]) -> None:
    path = folder.predictions / f"{case_id}.png"
    try:
        Image.fromarray((probability * 255).round().astype(np.uint8)).save(path)
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error
