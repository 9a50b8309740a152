"""Should a round start from the serving teacher's weights or from random ones? Rounds on phantoms with growing labels.

    python benchmarks/warm_or_fresh.py --seeds 3 --rounds 4 --json warm_or_fresh.json

Each seed makes one project of films; both ways then train the same rounds: the labels grow by the same cases in the
same order, and each way's next round starts from its own previous teacher (warm) or from random weights (fresh),
whatever the gate would say. The first round is one for both. After the last one a third way, "long", starts from random
weights and takes as many steps as all rounds of the warm way together. Dice of the teacher on the `report` half, both
conventions, mean and spread over seeds; seconds of training beside it. A difference is the warm way's minus the fresh
way's, of the same seed and round.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from training.config import RunConfig, preset
from training.engine.loop import run
from training.formats.phantom import read_phantom
from training.phantom import PhantomConfig
from training.pool import Project
from training.pool.hidden import read_hidden_mask
from training.pool.importing import import_cases
from training.round import freeze
from training.rundir import RunFolder

READER = "benchmark"


@dataclass(frozen=True)
class Outcome:
    """One round; ``way`` is "warm", "fresh" or "long"."""

    seed: int
    round: int
    way: str
    labeled: int
    dice_global: float
    dice_per_image: float
    best_step: int
    seconds: float


def main() -> None:
    """Measure, print the table, and write the figures if asked."""
    options = _options()
    outcomes: list[Outcome] = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            for outcome in _seed(Path(folder), seed, options):
                outcomes.append(outcome)
                print(
                    f"seed {seed} round {outcome.round} {outcome.way:<5} {outcome.labeled:>4} labels: "
                    f"Dice {outcome.dice_global:.3f} over all pixels, {outcome.dice_per_image:.3f} mean "
                    f"({outcome.seconds:.0f} s)",
                    flush=True,
                )
    table = _table(outcomes)
    for row in table:
        print(
            f"round {row['round']}, {row['labeled']} labels: warm {row['warm']:.3f}, fresh {row['fresh']:.3f}, "
            f"difference {row['difference']:+.3f} ± {row['spread']:.3f} (mean Dice over images)"
            + (f"; long {row['long']:.3f}" if "long" in row else "")
        )
    if options.json is not None:
        content = {
            "settings": {k: str(v) for k, v in vars(options).items()},
            "table": table,
            "outcomes": [asdict(outcome) for outcome in outcomes],
        }
        options.json.write_text(json.dumps(content, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--films", type=int, default=240, help="of each project")
    parser.add_argument("--first", type=int, default=10, help="labels of the first round")
    parser.add_argument("--more", type=int, default=10, help="labels added after each round")
    parser.add_argument("--steps", type=int, help="of a round; the preset's if left out")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _seed(folder: Path, seed: int, options: argparse.Namespace) -> Iterator[Outcome]:
    project = Project.create(folder / "project")
    films = read_phantom(PhantomConfig(size=96), options.films, seed, 0.0)
    import_cases(project, films)
    order = [case.id for case in project.cases("unlabeled")]
    np.random.default_rng(seed).shuffle(order)
    for case in project.cases("gate") + project.cases("report"):
        if case.mask is None:
            _label(project, case.id)
    teacher, done = folder, 0
    for number in range(1, options.rounds + 1):
        wanted = options.first + (number - 1) * options.more
        for case_id in order[done:wanted]:
            _label(project, case_id)
        done = wanted
        start = teacher if number > 1 else None
        config = _config(options, seed * 1000 + number, start)
        warm, teacher = _train(project, folder / f"warm_{number}", config, "warm", seed)
        yield warm
        if number == 1:
            yield replace(warm, way="fresh")
        else:
            config = config.model_copy(update={"init_from": None})
            yield _train(project, folder / f"fresh_{number}", config, "fresh", seed)[0]
    steps = options.rounds * config.training.steps
    training = config.training.model_copy(update={"steps": steps})
    config = config.model_copy(update={"training": training, "init_from": None})
    yield _train(project, folder / f"long_{options.rounds}", config, "long", seed)[0]
    project.close()


def _label(project: Project, case_id: str) -> None:
    mask = read_hidden_mask(project, case_id)
    words = project.case(case_id).description
    project.accept(case_id, mask, words, READER, source="drawn")


def _config(options: argparse.Namespace, seed: int, start: Path | None) -> RunConfig:
    content = preset(options.preset).model_dump()
    content["seed"], content["init_from"], content["device"] = seed, start, "cpu"
    content["training"] |= {"threads": options.threads, "pseudo_masks": False}
    if options.steps is not None:
        content["training"]["steps"] = options.steps
    return RunConfig.parse(content)


def _train(
    project: Project, path: Path, config: RunConfig, way: str, seed: int
) -> tuple[Outcome, Path]:
    snapshot = freeze(project)
    folder = RunFolder.create(path, config, snapshot)
    run(folder)
    scores = folder.read_scores()
    teacher = scores["report"]["teacher"]
    outcome = Outcome(
        seed=seed,
        round=int(path.name.rpartition("_")[2]),
        way=way,
        labeled=len(snapshot.labeled),
        dice_global=teacher["dice_global"],
        dice_per_image=teacher["dice_per_image"],
        best_step=scores["best_step"],
        seconds=scores["seconds"],
    )
    return outcome, folder.best


def _table(outcomes: list[Outcome]) -> list[dict]:
    rows = []
    for number in sorted({outcome.round for outcome in outcomes}):
        some = [outcome for outcome in outcomes if outcome.round == number]
        dice = {
            way: np.array([o.dice_per_image for o in some if o.way == way])
            for way in ("warm", "fresh", "long")
        }
        change = dice["warm"] - dice["fresh"]
        rows.append(
            {
                "round": number,
                "labeled": some[0].labeled,
                "warm": float(dice["warm"].mean()),
                "fresh": float(dice["fresh"].mean()),
                "difference": float(change.mean()),
                "spread": float(change.std(ddof=1)) if len(change) > 1 else 0.0,
            }
            | ({"long": float(dice["long"].mean())} if len(dice["long"]) else {})
        )
    return rows


if __name__ == "__main__":
    main()
