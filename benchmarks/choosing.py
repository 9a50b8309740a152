"""What to label next: orders of the queue x methods x seeds, on a phantom whose pool is mostly lower zones and on QaTa.

Makes both projects and runs `semimedref simulate` on copies of them; finished rounds are reused, an interrupted call
goes on. The tables of docs/evidence.md come from this.

Usage: python benchmarks/choosing.py FOLDER [--data phantom,qata] [--strategy a,b] [--method a,b] [--seeds 3]
       [--rounds 4] [--per-round 15] [--steps 900] [--processes 2]
       [--margin 0.02] [--smoke]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from training.config import RunConfig, preset
from training.formats.phantom import read_phantom
from training.formats.qata import read_qata
from training.next_round import save_next_config
from training.phantom import PhantomConfig
from training.pool import IncomingCase, Project
from training.pool.importing import import_cases

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "qata"
# With one or two zones a film, 86 % of the pool's films name lower zones alone.
LOWER = (0.0225, 0.0225, 0.455) * 2
ZONES_A_FILM = (0.65, 0.35, 0.0, 0.0)
POOL, HELD_OUT, FIRST_LABELS = 600, 300, 20  # of the phantom; QaTa has its own pool and holdout
QATA_LABELS = 20
STRATEGIES = "zones,zones-random,entropy,diversity,foreground,random"
METHODS = "semi-medref,supervised"


def main() -> None:
    """Make, play, print."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.data.split(","):
        if name == "qata" and not (DATA / "table.csv").is_file():
            print(f"{DATA} holds no table.csv: the real films are left out.")
            continue
        project = options.folder / name
        if not (project / "project.sqlite").exists():
            _make(name, project, options.smoke)
        print(f"\n## {name}\n", flush=True)
        _simulate(name, project, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where projects, plays and pages are kept")
    parser.add_argument("--data", default="phantom,qata")
    parser.add_argument("--strategy", default=STRATEGIES)
    parser.add_argument("--method", default=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--per-round", type=int, default=15)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--margin", type=float, default=0.0, help="how far off a contour may stand")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--smoke", action="store_true", help="few films, few steps: does it run?")
    options = parser.parse_args()
    if options.smoke:
        options.strategy, options.method = "zones,random", "supervised"
        options.seeds, options.rounds, options.per_round, options.steps = 1, 2, 4, 10
    return options


def _make(name: str, folder: Path, smoke: bool) -> None:
    """A project whose network is small, with 20 labels and the masks of all other films withheld."""
    project = Project.create(folder)
    values = preset("default").model_dump()
    values["network"]["image_size"] = 64
    # The last model is scored: nothing is chosen by the holdout but what the gate refuses.
    values["training"] |= {"evaluate_every": 10_000, "evaluation_limit": 10}
    # Each round from random weights: rounds that go on from each other get better by their steps alone.
    values["training"]["warm_start"] = False
    save_next_config(project, RunConfig.parse(values))
    cases = _phantom(smoke) if name == "phantom" else _qata(smoke)
    report = import_cases(project, cases)
    print(f"{name}: {report.sentence()}")


def _phantom(smoke: bool) -> list[IncomingCase]:
    """A pool that is mostly lower zones, and a holdout in which all zones are equal."""
    pool, held_out = (40, 16) if smoke else (POOL, HELD_OUT)
    lopsided = PhantomConfig(size=64, zone_prior=LOWER, zones_per_case=ZONES_A_FILM)
    share = FIRST_LABELS / pool if not smoke else 0.2
    training = [replace(c, split="training") for c in read_phantom(lopsided, pool, 0, share)]
    balanced = PhantomConfig(size=64, zones_per_case=ZONES_A_FILM)
    even = read_phantom(balanced, held_out, 1, 1.0)
    return training + [
        replace(c, name=f"even_{c.name}", patient=f"even_{c.patient}", split="holdout")
        for c in even
    ]


def _qata(smoke: bool) -> list[IncomingCase]:
    """All films with masks withheld but 20 of the training ones."""
    found = [each for each in read_qata(DATA, labels=1.0) if isinstance(each, IncomingCase)]
    training = [case for case in found if case.split == "training"]
    others = [case for case in found if case.split != "training"]
    if smoke:
        training, others = training[:40], others[:16]
    step = max(1, len(training) // QATA_LABELS)
    labeled = {case.name for case in training[::step][:QATA_LABELS]}
    pool = []
    for case in training:
        mask = case.hidden_mask if case.mask is None else case.mask
        known = case.name in labeled
        pool.append(
            replace(case, mask=mask if known else None, hidden_mask=None if known else mask)
        )
    return pool + others


def _simulate(name: str, project: Path, options: argparse.Namespace) -> None:
    folder = options.folder
    command = [sys.executable, "-m", "training.cli", "simulate", str(project)]
    for option in (
        "strategy",
        "method",
        "seeds",
        "rounds",
        "per_round",
        "steps",
        "processes",
        "margin",
    ):
        command += [f"--{option.replace('_', '-')}", str(getattr(options, option))]
    command += ["--out", str(folder / f"{name}-plays"), "--report", str(folder / f"{name}-report")]
    command += ["--json", str(folder / f"{name}.json")]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
