"""The case pool at 100,000 cases: opening, planning, the next case, accepting, turning a page, and memory.

Each figure is also given as a ratio to the same at a hundredth of the cases: what does not grow with the pool stays
near 1. Memory is the resident size of a process that does what a window does, after each tenth of its cases.

Usage: python benchmarks/pool.py [--cases N] [--size PIXELS] [--rounds N] [--database URL] [--keep FOLDER] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import sqlalchemy as sa

from training.pool import IncomingCase, Project, schema
from training.pool.database import is_project
from training.pool.images import encode_gray
from training.pool.importing import import_cases
from training.pool.times import now
from training.report import ZONES, render
from training.review import ReviewDesk
from training.review_queue import plan_queue

DISTINCT = 64  # films and masks; a film that many cases share is one file
LABELED = 0.3
PAGE = 100


def films(folder: Path, cases: int, size: int) -> Iterator[IncomingCase]:
    """Cases whose words name each zone in turn; a share of them labeled, a tenth of that held out."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [folder / f"{number}.png" for number in range(DISTINCT)]
    shade = np.linspace(40, 200, size)[:, None] + np.linspace(0, 40, size)
    for path in pictures:
        noise = rng.integers(0, 12, (size, size))
        path.write_bytes(encode_gray((shade + noise).astype(np.uint8)))
    words = [render({zone}, "qata", 1) for zone in ZONES]
    for index in range(cases):
        mask = np.zeros((size, size), np.uint8)
        mask[index % DISTINCT :: 2, : size // 2] = 1
        yield IncomingCase(
            name=f"case_{index:06d}",
            image=pictures[index % DISTINCT],
            description=words[index % len(words)],
            patient=f"patient_{index // 2:06d}",
            split="gate" if index % 100 < 3 else "training",
            mask=mask if index % 100 < 100 * LABELED else None,
        )


def propose(project: Project, size: int) -> None:
    """Let a teacher have proposed something for every unlabeled case."""
    content = Path(project.folder / project.cases_page(count=1)[0].image).read_bytes()
    probability = project.probabilities.put(content, ".png")
    rng = np.random.default_rng(1)
    with project.writing() as connection:
        run = {"folder": "runs/0001", "labeled": 1, "unlabeled": 1, "created_at": now()}
        connection.execute(sa.insert(schema.runs).values(run))
        model = {"id": "teacher", "run_id": 1, "folder": "models/teacher", "scores": {}}
        connection.execute(sa.insert(schema.models).values(model | {"created_at": now()}))
        rows = [
            {
                "case_id": case.case_id,
                "model_id": "teacher",
                "probability": probability,
                "description": "",
                "entropy": rng.random(),
                "foreground": rng.random(),
            }
            for case in project.waiting()
            if case.pool == "unlabeled"
        ]
        connection.execute(sa.insert(schema.proposals), rows)
        connection.execute(
            sa.insert(schema.promotions).values(model_id="teacher", created_at=now())
        )


def milliseconds(act: Callable[[], object], times: int) -> dict[str, float]:
    """Median and 95th percentile of an action."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - start))
    return {"median_ms": float(np.median(spent)), "p95_ms": float(np.percentile(spent, 95))}


def resident_megabytes() -> float:
    """Of this process, after a collection."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def make(folder: Path, cases: int, size: int, database: str | None) -> dict[str, float]:
    """Build the project; how long a case's import took."""
    start = time.perf_counter()
    project = Project.create(folder, database_url=database)
    sources = folder.with_name(f"{folder.name}-films")
    import_cases(project, films(sources, cases, size), holdout_fraction=0.0)
    seconds = time.perf_counter() - start
    propose(project, size)
    project.close()
    return {"median_ms": 1000 * seconds / cases, "p95_ms": float("nan")}


def measure(folder: Path, rounds: int) -> tuple[dict[str, dict[str, float]], list[float]]:
    """Time everything a window does, and follow its memory while it goes from case to case."""
    rng = np.random.default_rng(0)

    def opened() -> None:
        Project.open(folder).close()

    figures = {"open": milliseconds(opened, 10)}
    project = Project.open(folder)
    figures["open and plan the queue"] = milliseconds(
        lambda: (Project.open(folder).close(), plan_queue(project, "zones", rng)), 5
    )
    figures["count pools and zones"] = milliseconds(
        lambda: (project.counts(), project.zone_counts()), 20
    )
    starts = [f"case_{at:06d}" for at in rng.integers(0, project.counts().total(), rounds)]
    at = iter(starts * 2)
    figures["queue page"] = milliseconds(
        lambda: project.cases_page("unlabeled", after=next(at), count=PAGE), rounds
    )
    figures["one case"] = milliseconds(lambda: project.case(next(at)), rounds)
    accepting, following, memory = work(project, rounds, rng)
    project.close()
    return figures | {"next case": following, "accept": accepting}, memory


def work(project: Project, rounds: int, rng: np.random.Generator) -> tuple[dict, dict, list[float]]:
    """Go through cases as a reader does: next, correct, accept."""
    desk = ReviewDesk(project, "benchmark")
    desk.set_queue([choice.case_id for choice in plan_queue(project, "zones", rng)][:rounds])
    desk.next()
    following, accepting, memory = [], [], []
    for number in range(rounds - 1):
        mask = desk.mask.copy()
        top, left = rng.integers(0, mask.shape[0] - 8, 2)
        mask[top : top + 8, left : left + 8] = 1
        desk.edit_mask(mask)
        accepting.append(_spent(desk.accept))
        following.append(_spent(desk.next))
        if number % max(1, rounds // 10) == 0:
            memory.append(resident_megabytes())
    desk.close()
    return _summary(accepting), _summary(following), memory


def _spent(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def _summary(spent: list[float]) -> dict[str, float]:
    return {"median_ms": float(np.median(spent)), "p95_ms": float(np.percentile(spent, 95))}


def at_size(folder: Path, cases: int, options: argparse.Namespace) -> dict:
    """All figures of a pool of so many cases."""
    imported = {}
    if not is_project(folder):
        database = options.database if cases == options.cases else None
        imported = {"import, per case": make(folder, cases, options.size, database)}
    figures, memory = measure(folder, options.rounds)
    return {"figures": imported | figures, "resident_mb": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=256, help="side of the films in pixels")
    parser.add_argument("--rounds", type=int, default=200, help="cases to go through")
    parser.add_argument("--database", help="an empty PostgreSQL database for the large pool")
    parser.add_argument(
        "--keep", type=Path, help="make the projects here, or use those that are here"
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    root = options.keep or Path(tempfile.mkdtemp(prefix="pool-benchmark-"))
    try:
        small = at_size(root / "small", max(1000, options.cases // 100), options)
        large = at_size(root / "large", options.cases, options)
    finally:
        if options.keep is None:
            shutil.rmtree(root, ignore_errors=True)
    for name, row in large["figures"].items():
        row["ratio_to_small"] = row["median_ms"] / small["figures"][name]["median_ms"]
        print(
            f"{name:<24} median {row['median_ms']:8.2f} ms  p95 {row['p95_ms']:8.2f} ms  "
            f"x{row['ratio_to_small']:.2f} of a hundredth of the cases"
        )
    memory = large["resident_mb"]
    print(f"resident memory          {memory[0]:.0f} MB at first, {memory[-1]:.0f} MB at last")
    if options.json:
        options.json.write_text(
            json.dumps(
                {"options": vars(options), "small": small, "large": large}, indent=1, default=str
            )
        )


if __name__ == "__main__":
    main()
