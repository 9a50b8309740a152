"""All benchmarks that take minutes, one after the other, and one table of what they measured: `make bench`.

Each runs as a program of its own with `--json`; the table keeps the figures that the documentation speaks of. What
trains for hours, or needs runs that did (evidence, choosing, counterfactual, uncertainty, warm_or_fresh,
atlas --valid), is named at the end and not run.

Usage: python benchmarks/together.py [--only phantom,pool] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LONG = ("evidence", "choosing", "counterfactual", "uncertainty", "warm_or_fresh")


@dataclass(frozen=True)
class Benchmark:
    """A script, its options, those of a quick look, and the figures to show: path in its JSON, meaning, format."""

    script: str
    options: tuple[str, ...]
    quick: tuple[str, ...]
    figures: tuple[tuple[str, str, str], ...]


BENCHMARKS = (
    Benchmark(
        "phantom", ("--films", "20"), ("--films", "2"),
        (
            ("sizes/256/median_ms", "a synthetic film of 256 pixels, median", "{:.0f} ms"),
            ("sizes/1024/ratio_to_64", "1024 pixels over 64 pixels", "{:.1f} x"),
        ),
    ),
    Benchmark(
        "report", (), (),
        (
            ("texts/reader_accuracy", "descriptions read right", "{:.1%}"),
            ("texts/expression_accuracy", "by a plain regular expression", "{:.1%}"),
            ("strings/p99_ms", "a random string, 99th percentile", "{:.1f} ms"),
        ),
    ),
    Benchmark(
        "pool", ("--cases", "20000"), ("--cases", "1000", "--rounds", "2"),
        (
            ("large/figures/next case/median_ms", "next case, database alone, median", "{:.0f} ms"),
            ("large/figures/next case/ratio_to_small", "with 100 times the cases", "{:.2f} x"),
            ("large/figures/accept/median_ms", "accept, database and mask, median", "{:.0f} ms"),
            ("large/figures/accept/ratio_to_small", "with 100 times the cases", "{:.2f} x"),
        ),
    ),
    Benchmark(
        "step_time", ("--sizes", "small"), ("--sizes", "small", "--repeats", "2"),
        (
            ("speedup_small", "semi-supervised step, release's way over ours (aim 3)", "{:.2f} x"),
            ("semi_over_supervised_small", "over a supervised step (aim 2.5)", "{:.2f} x"),
            ("share_of_floor_small", "share of the machine's arithmetic", "{:.0%}"),
        ),
    ),
    Benchmark(
        "gui_latency", (), ("--repeats", "4", "--cases", "24", "--shown", "20"),
        (
            ("idle/next_case_p95_ms", "next case shown, idle, p95 (aim 100)", "{:.0f} ms"),
            ("training/next_case_p95_ms", "while a round trains", "{:.0f} ms"),
            ("idle/accept_p95_ms", "accepted and next shown, idle, p95 (aim 120)", "{:.0f} ms"),
            ("idle/zone_click_p95_ms", "zone clicked, words changed, p95 (aim 30)", "{:.0f} ms"),
            ("idle/text_to_mask_p95_ms", "words changed, mask drawn, p95 (aim 300)", "{:.0f} ms"),
            ("idle/stroke_p95_ms", "brush stroke beyond napari's own, p95 (aim 16)", "{:.0f} ms"),
        ),
    ),
)  # fmt: skip


def main() -> int:
    """Run, print the table; 1 if a benchmark failed."""
    options = _options()
    wanted = options.only.split(",") if options.only else [each.script for each in BENCHMARKS]
    found: dict[str, Any] = {}
    rows, failed = [], []
    for each in BENCHMARKS:
        if each.script not in wanted:
            continue
        print(f"{each.script} ...", file=sys.stderr, flush=True)
        began = time.monotonic()
        figures = _run(each, options.quick)
        if figures is None:
            failed.append(each.script)
            continue
        found[each.script] = figures
        rows += list(_rows(each, figures, time.monotonic() - began))
    _print(rows)
    print(f"\nNot run, since they train for hours: {', '.join(LONG)}.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="names of benchmarks, with commas")
    parser.add_argument("--quick", action="store_true", help="does it run? figures mean nothing")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    options = parser.parse_args()
    known = [each.script for each in BENCHMARKS]
    if unknown := set(filter(None, options.only.split(","))) - set(known):
        parser.error(
            f"There is no {', '.join(sorted(unknown))} here: choose of {', '.join(known)}."
        )
    return options


def _run(benchmark: Benchmark, quick: bool) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="semimedref-") as folder:
        told = Path(folder) / "figures.json"
        command = [sys.executable, str(HERE / f"{benchmark.script}.py"), "--json", str(told)]
        command += benchmark.quick if quick else benchmark.options
        done = subprocess.run(command, stdout=sys.stderr)
        if done.returncode or not told.exists():
            return None
        content: dict[str, Any] = json.loads(told.read_text())
        return content


def _rows(
    benchmark: Benchmark, figures: dict[str, Any], seconds: float
) -> Iterator[tuple[str, str, str]]:
    for path, meaning, form in benchmark.figures:
        value: Any = figures
        for key in path.split("/"):
            value = value.get(key) if isinstance(value, dict) else None
        yield benchmark.script, meaning, "not measured" if value is None else form.format(value)
    yield benchmark.script, "seconds it took", f"{seconds:.0f} s"


def _print(rows: list[tuple[str, str, str]]) -> None:
    rows = [("benchmark", "figure", "measured"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for number, (script, meaning, value) in enumerate(rows):
        print(f"| {script:<{widths[0]}} | {meaning:<{widths[1]}} | {value:>{widths[2]}} |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


if __name__ == "__main__":
    sys.exit(main())
