"""All benchmarks in one table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from together import BENCHMARKS, HERE

SCRIPT = Path(HERE) / "together.py"


def test_a_benchmark_is_run_and_its_figures_stand_in_the_table(tmp_path):
    told = tmp_path / "all.json"
    command = [sys.executable, str(SCRIPT), "--only", "phantom", "--quick", "--json", str(told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| phantom")]
    assert len(rows) == 3  # two figures, and how long it took
    ratio = json.loads(told.read_text())["phantom"]["sizes"]["1024"]["ratio_to_64"]
    assert any(f"{ratio:.1f} x" in row for row in rows)


def test_an_unknown_benchmark_is_named_with_those_there_are():
    command = [sys.executable, str(SCRIPT), "--only", "phantom,pol"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "There is no pol here: choose of phantom," in done.stderr


def test_every_benchmark_of_the_table_is_there_and_takes_its_options():
    for each in BENCHMARKS:
        source = (SCRIPT.parent / f"{each.script}.py").read_text("utf-8")
        for option in {*each.options, *each.quick, "--json"}:
            if option.startswith("--"):
                assert f'"{option}"' in source, f"{each.script} {option}"
