"""What each part of the method adds over supervised training: the tables of docs/evidence.md, from nothing.

Makes a phantom project and imports the real films, trains every row of `semimedref ablate --table gain` on each, and
writes one Markdown table a data set. Finished runs are reused, an interrupted call goes on. On two cores this takes a
day; on a GPU, with several trainers side by side, less than an hour.

Usage: python benchmarks/evidence.py FOLDER [--data phantom,qata] [--labels 57,114,286] [--seeds 3] [--steps 1200]
       [--rows plain,mixing,ours] [--processes 2] [--device auto] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "qata"
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
            _make(name, project, max(int(each) for each in options.labels.split(",")))
        print(f"\n## {name}\n", flush=True)
        figures[name] = _tabulate(name, project, options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where projects and runs are kept")
    parser.add_argument("--data", default="phantom,qata")
    parser.add_argument("--labels", default="57,114,286")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rows", default="", help="only these rows of the table")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _make(name: str, project: Path, labels: int) -> None:
    """A project with at least ``labels`` accepted masks in its training part."""
    if name == "phantom":
        share = min(1.0, 1.1 * labels / 1200)
        sizes = ["--cases", "1500", "--size", str(SIDES[name]), "--seed", "11"]
        _call("phantom", str(project), *sizes, "--labels", f"{share:.2f}", "--preset", "default")
    else:
        # The official nested subsets hold 57, 114, 286 and 857 of the films that are there.
        share = next(
            s for s, n in ((0.01, 57), (0.02, 114), (0.05, 286), (0.15, 857)) if n >= labels
        )
        _call("import", "qata", str(DATA), str(project), "--labels", str(share))


def _tabulate(name: str, project: Path, options: argparse.Namespace) -> dict[str, object]:
    settings = project.with_name(f"{name}-{options.steps}.toml")
    side, device = SIDES[name], options.device
    settings.write_text(SETTINGS.format(side=side, device=device, steps=options.steps))
    told = project.with_name(f"{name}-{options.steps}.json")
    rows = ["--rows", options.rows] if options.rows else []
    _call(
        *("ablate", str(project), "--table", "gain", "--labels", options.labels, *rows),
        *("--seeds", str(options.seeds), "--config", str(settings), "--role", "teacher"),
        *("--processes", str(options.processes), "--json", str(told)),
    )
    return json.loads(told.read_text())


def _call(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "training.cli", *words], check=True)


if __name__ == "__main__":
    main()
