"""The code base in figures: how large its files and functions are, how much of it is typed, tested and documented, and
whether its imports keep their direction. They are counted, not timed; a test keeps the docstrings full.

Usage: python benchmarks/code_figures.py [--json FILE] [--list]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from source.docstrings import Offender, offenders
from source.reading import Module, read_modules

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("training", "napari_semimedref")
LONG_FUNCTION = 30
BROKEN = re.compile(r"(\d+) kept, (\d+) broken")


@dataclass(frozen=True)
class Figures:
    """What is counted; lines of functions run from ``def`` to the last line, shares lie in [0, 1].

    Attributes
    ----------
    files, lines : int
        Python files of the two packages, and their lines.
    biggest_file, biggest_file_lines : str, int
    functions, function_lines_median, function_lines_p90 : int
        Functions and methods, nested ones too, and the lines of the median one and of the 90th of 100.
    long_functions : int
        Those of more than `LONG_FUNCTION` lines.
    annotated_arguments : float
        Share of arguments, apart from ``self`` and ``cls``, that have a type.
    tests, test_lines_per_line : int, float
        Functions named ``test_...``, and lines under tests/ for each line of the packages.
    without_full_docstring : int
        Public definitions, see `source.docstrings`.
    broken_contracts : int or None
        Contracts between modules that an import breaks; None where they could not be checked.
    """

    files: int
    lines: int
    biggest_file: str
    biggest_file_lines: int
    functions: int
    function_lines_median: int
    function_lines_p90: int
    long_functions: int
    annotated_arguments: float
    tests: int
    test_lines_per_line: float
    without_full_docstring: int
    broken_contracts: int | None


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", action="store_true", help="also name every offender")
    options = parser.parse_args()
    modules, tests = read_modules(ROOT, SOURCE), read_modules(ROOT, ["tests"])
    poor = offenders(modules)
    figures = figures_of(modules, tests, poor, broken_contracts())
    print(table(figures))
    if options.list:
        print("\n".join(["", *long_functions(modules), *map(str, poor)]))
    if options.json:
        content = asdict(figures) | {"offenders": [asdict(each) for each in poor]}
        options.json.write_text(json.dumps(content, indent=2))


def figures_of(
    modules: list[Module], tests: list[Module], poor: list[Offender], broken: int | None
) -> Figures:
    """Count everything; ``poor`` and ``broken`` as `offenders` and `broken_contracts` find them."""
    functions = [function for module in modules for function in module.functions]
    lengths = sorted(function.lines for function in functions)
    arguments = [argument for function in functions for argument in function.arguments]
    biggest = max(modules, key=lambda module: module.lines)
    lines = sum(module.lines for module in modules)
    names = (f.node.name for module in tests for f in module.functions)
    return Figures(
        files=len(modules),
        lines=lines,
        biggest_file=biggest.path,
        biggest_file_lines=biggest.lines,
        functions=len(functions),
        function_lines_median=int(statistics.median_low(lengths)),
        function_lines_p90=lengths[9 * len(lengths) // 10],
        long_functions=sum(length > LONG_FUNCTION for length in lengths),
        annotated_arguments=sum(a.annotation is not None for a in arguments) / len(arguments),
        tests=sum(name.startswith("test_") for name in names),
        test_lines_per_line=sum(module.lines for module in tests) / lines,
        without_full_docstring=len({(each.place, each.name) for each in poor}),
        broken_contracts=broken,
    )


def broken_contracts() -> int | None:
    """How many contracts between modules are broken (`lint-imports`); None where it did not get to counting."""
    tool = Path(sys.executable).with_name("lint-imports")
    command = [str(tool), "--config", "setup.cfg"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    counted = BROKEN.search(told)
    return None if counted is None else int(counted[2])


def long_functions(modules: list[Module]) -> list[str]:
    """The functions of more than `LONG_FUNCTION` lines, the longest first."""
    every = [(f.lines, m.path, f) for m in modules for f in m.functions if f.lines > LONG_FUNCTION]
    every.sort(key=lambda each: (-each[0], each[1]))
    return [f"{path}:{f.node.lineno} {f.name}: {lines} lines" for lines, path, f in every]


def table(figures: Figures) -> str:
    """The figures as a Markdown table."""
    broken = figures.broken_contracts
    rows = {
        "files": f"{figures.files}",
        "lines": f"{figures.lines:,}",
        "biggest file": f"{figures.biggest_file}, {figures.biggest_file_lines} lines",
        "functions": f"{figures.functions:,}",
        "lines of a function, median": f"{figures.function_lines_median}",
        "lines of a function, 90th percentile": f"{figures.function_lines_p90}",
        f"functions over {LONG_FUNCTION} lines": f"{figures.long_functions}",
        "arguments with a type": f"{100 * figures.annotated_arguments:.1f} %",
        "tests": f"{figures.tests:,}",
        "lines of tests for a line of source": f"{figures.test_lines_per_line:.2f}",
        "public without a full docstring": f"{figures.without_full_docstring}",
        "contracts that imports break": "not checked" if broken is None else f"{broken}",
    }
    lines = ["| figure | value |", "|---|---|", *(f"| {name} | {v} |" for name, v in rows.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
