"""Is a teacher unsure where it is wrong? And are its probabilities what they say? On the report half of finished runs.

Usage: python benchmarks/uncertainty.py RUN_FOLDER [...] [--against RUN_FOLDER ...] [--json FILE]

Several folders are seeds of one method; `--against` names those of another to set beside it. Figures of the teacher
that serves, mean ± standard deviation over seeds:

- *finds errors*: the chance that a pixel where the mask is wrong is less sure than one where it is right (area under
  the ROC curve of the entropy; 0.5: no better than chance);
- *miscalibration*: mean distance of probability and share of lesions over twenty classes of probability (expected
  calibration error), of all pixels, and of those that are unsure, between 0.02 and 0.98;
- *unsure*: the share of these pixels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from training.engine.data import load_films
from training.engine.predict import Predictor, entropy
from training.rundir import RunFolder

CLASSES = 20
UNSURE = (0.02, 0.98)
Figures = dict[str, float]


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    groups = {"runs": options.runs} | ({"against": options.against} if options.against else {})
    told: dict[str, list[Figures]] = {
        name: [of_run(folder) for folder in folders] for name, folders in groups.items()
    }
    print("\n".join(lines(told)))
    if options.json:
        means = {name: _means(figures) for name, figures in told.items()}
        options.json.write_text(json.dumps({**means, "seeds": told}, indent=1))


def of_run(path: Path) -> Figures:
    """Figures of a run folder's teacher."""
    folder = RunFolder.open(path)
    config, snapshot = folder.read_config(), folder.read_snapshot()
    side = config.network.image_size
    films = load_films(Path(snapshot.root), snapshot.report, side, print, need_masks=True)
    assert films.masks is not None
    teacher = Predictor.load(folder.best, torch.device("cpu"))
    said = np.concatenate([probabilities for _, probabilities in teacher.pool(films)])
    return figures(said, films.masks.numpy() > 0, config.method.threshold)


def figures(said: NDArray[np.float32], true: NDArray[np.bool_], threshold: float) -> Figures:
    """Figures of probabilities (N, H, W) in [0, 1] against masks of the same shape."""
    wrong = (said >= threshold) != true
    doubt = entropy(said)
    pairs = int(wrong.sum()) * int((~wrong).sum())
    better = mannwhitneyu(doubt[wrong], doubt[~wrong]).statistic / pairs if pairs else float("nan")
    unsure = (said > UNSURE[0]) & (said < UNSURE[1])
    return {
        "finds errors": float(better),
        "miscalibration": miscalibration(said, true),
        "of unsure pixels": miscalibration(said[unsure], true[unsure]),
        "unsure": float(unsure.mean()),
    }


def miscalibration(said: NDArray[np.float32], true: NDArray[np.bool_]) -> float:
    """Expected calibration error, in [0, 1], of probabilities and what was there."""
    if said.size == 0:
        return float("nan")
    classes = np.minimum((said * CLASSES).astype(np.intp), CLASSES - 1).ravel()
    gaps = np.bincount(classes, said.ravel() - true.ravel().astype(np.float64), CLASSES)
    return float(np.abs(gaps).sum() / said.size)


def lines(told: dict[str, list[Figures]]) -> list[str]:
    """A table, a line for each group of runs."""
    heads = list(next(iter(told.values()))[0])
    text = [f"{'':10s}" + "".join(f"{head:>20s}" for head in heads)]
    for name, runs in told.items():
        cells = (_cell([each[head] for each in runs]) for head in heads)
        text.append(f"{name:10s}" + "".join(f"{cell:>20s}" for cell in cells))
    return text


def _cell(values: list[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread}"


def _means(runs: list[Figures]) -> Figures:
    return {name: float(np.mean([each[name] for each in runs])) for name in runs[0]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, seeds of one method")
    parser.add_argument("--against", nargs="*", type=Path, default=[], help="those of another")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
