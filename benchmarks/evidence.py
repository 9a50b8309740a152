"""What each part of the method adds over supervised training: the tables of docs/evidence.md, from nothing.

Makes a phantom project and imports the real films, trains every row of `semimedref ablate --table gain` (or `lvit`) on
each, and prints one table a data set. Finished runs are reused, an interrupted call goes on. On two cores `gain` takes
a day, `lvit` two hours; on a GPU, with several trainers side by side, less than an hour.

Usage: python benchmarks/evidence.py FOLDER [--table gain] [--data phantom,qata] [--labels 57,114,286] [--seeds 3]
       [--steps 2400] [--rows plain,mixing,ours] [--processes 2] [--device auto] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "qata"
# How many labels each table is made for: numbers, or shares of the pool.
LABELS = {"gain": "57,114,286", "lvit": "0.25,0.5"}
SIDES = {"phantom": 64, "qata": 96}  # Side of the network's square, in pixels.
SETTINGS = """seed = 0
device = "{device}"
[network]
image_size = {side}
[training]
steps = {steps}
evaluate_every = {steps}   # The last model is scored: nothing is chosen by the holdout.
evaluation_limit = 10
checkpoint_seconds = 120
"""


def main() -> None:
    """Prepare, train, print."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    figures = {}
    for name in options.data.split(","):
        if name == "qata" and not (DATA / "table.csv").is_file():
            print(f"{DATA} holds no table.csv: the real films are left out.")
            continue
        project = options.folder / name
        if not (project / "project.sqlite").exists():
            _make(name, project, options)
        print(f"\n## {name}\n", flush=True)
        figures[name] = _tabulate(name, project, options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where projects and runs are kept")
    parser.add_argument("--data", default="phantom,qata")
    parser.add_argument("--table", choices=tuple(LABELS), default="gain")
    parser.add_argument("--labels", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2400, help="of `gain`; `lvit` has its own")
    parser.add_argument("--rows", default="", help="only these rows of the table")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.labels = options.labels or LABELS[options.table]
    return options


def _make(name: str, project: Path, options: argparse.Namespace) -> None:
    """A project with enough accepted masks in its training part."""
    if name == "qata" and options.table == "lvit":
        _call("import", "qata", str(DATA), str(project), "--labels", "0.15")
    elif name == "qata":
        # The official nested subsets hold 57, 114, 286 and 857 of the films that are there.
        most = max(int(each) for each in options.labels.split(","))
        known = (0.01, 57), (0.02, 114), (0.05, 286), (0.15, 857)
        share = next(share for share, count in known if count >= most)
        _call("import", "qata", str(DATA), str(project), "--labels", str(share))
    elif options.table == "lvit":
        _phantom(project, 640, 12, 0.6)
    else:
        most = max(int(each) for each in options.labels.split(","))
        _phantom(project, 1500, 11, min(1.0, 1.1 * most / 1200))


def _phantom(project: Path, cases: int, seed: int, labels: float) -> None:
    numbers = ["--cases", str(cases), "--seed", str(seed), "--labels", f"{labels:.2f}"]
    size = ["--size", str(SIDES["phantom"]), "--preset", "default"]
    _call("phantom", str(project), *numbers, *size)


def _tabulate(name: str, project: Path, options: argparse.Namespace) -> dict[str, object]:
    told = project.with_name(f"{name}-{options.table}.json")
    rows = ["--rows", options.rows] if options.rows else []
    _call(
        *("ablate", str(project), "--table", options.table, "--labels", options.labels, *rows),
        *("--seeds", str(options.seeds), *_settings(name, project, options), "--role", "teacher"),
        *("--processes", str(options.processes), "--json", str(told)),
    )
    return json.loads(told.read_text())


def _settings(name: str, project: Path, options: argparse.Namespace) -> list[str]:
    """Options that name the settings of all rows."""
    if options.table == "lvit":
        return ["--preset", "lvit-small"]
    file = project.with_name(f"{name}-{options.steps}.toml")
    numbers = {"side": SIDES[name], "device": options.device, "steps": options.steps}
    file.write_text(SETTINGS.format(**numbers))
    return ["--config", str(file)]


def _call(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "training.cli", *words], check=True)


if __name__ == "__main__":
    main()
