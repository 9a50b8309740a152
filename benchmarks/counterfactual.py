"""Does the mask follow the words? Phantom films with lesions that nobody mentions, and descriptions changed against the
truth: Dice against the lesions that are meant and against the others.

Usage: python benchmarks/counterfactual.py MODEL_FOLDER [...] [--wordless FOLDER [...]] [--films N] [--seed S]
       python benchmarks/counterfactual.py --train 900 --labels 50 --seeds 3 [--runs FOLDER]

Several model folders are seeds of one method; `--wordless` names models without words to set beside them. Without a
model folder it trains the default method, and the same network without words, on phantom films of other
patients, and prints mean ± standard deviation over seeds. The words' worth is the first row against the last.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training_runs import settings, train_once

from training.engine.checkpoint import read_settings
from training.engine.counterfactual import (
    VARIANTS,
    Coverage,
    ReferringFilms,
    changed_texts,
    measure,
    phantom_films,
)
from training.engine.predict import Predictor
from training.formats.phantom import phantom_snapshot
from training.phantom import PhantomConfig

SIDE = 64
TEST_SEED = 1_000_000  # Far from the seeds of training films.
SETS = ("with distractors", "all")
COLUMNS = {
    "targets_global": "meant, global",
    "targets_per_image": "meant, mean over images",
    "distractors_global": "others, global",
    "distractors_per_image": "others, mean over images",
    "inside_shown": "in shown zones",
    "inside_true": "in true zones",
}
WORDLESS = "network without words"
Figures = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    if options.models:
        tables = [of_model(folder, options.films, options.seed) for folder in options.models]
        for table, folder in zip(tables, options.wordless, strict=False):
            table[WORDLESS] = of_model(folder, options.films, options.seed, ("true",))["true"]
    else:
        tables = train_and_measure(options)
    print("\n".join(lines(tables)))
    if options.json:
        content = {"films": options.films, "tables": tables}
        options.json.write_text(json.dumps(content, indent=1))


def train_and_measure(options: argparse.Namespace) -> list[Figures]:
    """One table a seed: the default method, with its network without words in the last row."""
    with tempfile.TemporaryDirectory() as passing:
        place = options.runs or Path(passing)
        return [_one_seed(place, seed, options) for seed in range(options.seeds)]


def _one_seed(place: Path, seed: int, options: argparse.Namespace) -> Figures:
    size, labels = options.unlabeled, options.labels
    films = phantom_snapshot(
        place / f"films-{labels}-{size}-{seed}", PhantomConfig(size=SIDE), seed, labels, size
    )
    training = {"steps": options.train, "evaluate_every": options.train, "threads": options.threads}
    models = {}
    for name, use_text in (("words", True), ("wordless", False)):
        network = {"image_size": SIDE, "use_text": use_text}
        config = settings(options.preset, seed=seed, network=network, training=training)
        run = place / f"{options.preset}-{name}-{options.train}-{labels}-{size}-{seed}"
        models[name] = train_once(run, config, films)
    table = of_model(models["words"], options.films, options.seed)
    alone = of_model(models["wordless"], options.films, options.seed, ("true",))
    return {**table, WORDLESS: alone["true"]}


def of_model(
    folder: Path, count: int, seed: int, variants: tuple[str, ...] = tuple(VARIANTS)
) -> Figures:
    """Figures of a model folder's teacher by kind of description, set of films and name."""
    predictor = Predictor.load(folder, torch.device("cpu"))
    laterality = read_settings(folder).laterality
    config = PhantomConfig(laterality=laterality)
    films = phantom_films(config, TEST_SEED + seed, count, predictor.network.config.image_size)
    return {variant: _figures(predictor, films, variant, seed) for variant in variants}


def _figures(predictor: Predictor, films: ReferringFilms, variant: str, seed: int) -> Any:
    texts = changed_texts(films, variant, np.random.default_rng(seed))
    return {name: _flat(found) for name, found in measure(predictor, films, texts).items()}


def _flat(found: Coverage) -> dict[str, float]:
    figures: dict[str, float | None] = {
        "films": found.films,
        "targets_global": found.targets.dice_global,
        "targets_per_image": found.targets.dice_per_image,
        "inside_shown": found.inside_shown,
        "inside_true": found.inside_true,
    }
    if found.distractors is not None:
        figures["distractors_global"] = found.distractors.dice_global
        figures["distractors_per_image"] = found.distractors.dice_per_image
    return {name: value for name, value in figures.items() if value is not None}


def lines(tables: list[Figures]) -> list[str]:
    """The table of mean ± standard deviation over seeds, one block a set of films."""
    text = []
    for name in SETS:
        shown = [variant for variant in tables[0] if name in tables[0][variant]]
        if not shown:
            continue
        count = tables[0][shown[0]][name]["films"]
        text += [
            f"Films {name}: {count:.0f}. Dice against the lesions that are meant, and the others"
        ]
        text += [f"{'description':36s}" + "".join(f"{head:>18s}" for head in COLUMNS.values())]
        for variant in shown:
            values = [table[variant][name] for table in tables]
            title = VARIANTS.get(variant, variant)
            text += [f"{title:36s}" + "".join(f"{_cell(values, key):>18s}" for key in COLUMNS)]
        text += [""]
    return [*text, "In zones: share of the predicted foreground inside those the words name."]


def _cell(values: list[dict[str, float]], key: str) -> str:
    numbers = [each[key] for each in values if key in each]
    if not numbers:
        return "-"
    spread = f" ± {np.std(numbers, ddof=1):.3f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.3f}{spread}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", type=Path, help="model folders; none: train")
    parser.add_argument("--wordless", nargs="*", type=Path, default=[], help="models without words")
    parser.add_argument("--films", type=int, default=300, help="films of the test set")
    parser.add_argument("--seed", type=int, default=0, help="of the test set and the shuffle")
    parser.add_argument("--train", type=int, default=600, help="steps of each run")
    parser.add_argument("--labels", type=int, default=50, help="labeled training films")
    parser.add_argument("--unlabeled", type=int, default=450, help="unlabeled training films")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each kind")
    parser.add_argument("--preset", default="default", help="settings to start from")
    parser.add_argument("--runs", type=Path, help="keep run folders here and reuse finished ones")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
