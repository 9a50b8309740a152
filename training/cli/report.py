"""``semimedref report``: what descriptions mean, and what is wrong with a data set's descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.errors import FormatError
from training.formats.names import PICTURES, key_of
from training.formats.pairs import files_below, is_mask
from training.formats.tables import read_table
from training.formats.texts import KEYS, TEXTS, column_of
from training.report import ZONES, Finding, Problem
from training.report import parse as read

if TYPE_CHECKING:  # brings in scipy, which takes half a second
    from training.report.survey import Described, Survey

app = typer.Typer(no_args_is_help=True, help="Read and check descriptions.")


class Output(StrEnum):
    """How a check is printed."""

    table = "table"
    json = "json"


@app.callback()
def _group() -> None:
    """Read and check descriptions."""


@app.command()
def parse(
    texts: Annotated[list[str], typer.Argument(help="Descriptions, each in quotes.")],
) -> None:
    """Print what each text means, one JSON object a line."""
    for text in texts:
        print(json.dumps(as_json(read(text)), ensure_ascii=False))


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="Table with a column of names and one of descriptions.")
    ],
    masks: Annotated[
        Path | None, typer.Option(help="Folder of the masks, to compare the words with.")
    ] = None,
    output: Annotated[
        Output, typer.Option("--format", help="A table for people or JSON lines.")
    ] = Output.table,
    column: Annotated[str | None, typer.Option(help="Column of the descriptions.")] = None,
    most: Annotated[int, typer.Option(min=0, help="Rows of the table at most.")] = 60,
) -> None:
    """Print what is wrong with a data set's descriptions, worst first."""
    # Imported here: reading a single text should not wait for what only masks need.
    from training.report.survey import survey

    found = survey(_described(file, masks, column))
    if output is Output.json:
        _print_json(found)
    else:
        _print_table(found, most)


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain values, zones as six 0/1 in the order Lu Lm Ll Ru Rm Rl."""
    return {
        "text": finding.text,
        "zones": _bits(finding.zones),
        "laterality": finding.laterality,
        "count": finding.count,
        "reading": finding.reading,
        "negative": finding.is_negative,
        "conflict": finding.conflict,
        "problems": [_problem(problem) for problem in finding.problems],
        "phrases": [
            {
                "start": p.start,
                "end": p.end,
                "text": p.text,
                "zones": _bits(p.zones),
                "role": p.role,
            }
            for p in finding.phrases
        ],
        "possible": [_bits(zones) for zones in finding.possible],
    }


def _bits(zones: frozenset[str]) -> list[int]:
    return [int(zone in zones) for zone in ZONES]


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "sentence": problem.sentence,
        "start": problem.start,
        "end": problem.end,
        "fix": problem.fix,
        "weight": problem.weight,
    }


def _described(file: Path, masks: Path | None, column: str | None) -> Iterator[Described]:
    from training.formats.pictures import load_mask
    from training.report.survey import Described

    rows = read_table(file)
    columns = set().union(*rows) if rows else set()
    text = column_of(columns, TEXTS, column, file, "holds the description", way="give --column one")
    name = next((key for key in KEYS if key in columns), None)
    paths = _mask_paths(masks)
    for at, row in enumerate(rows, start=2):
        label = row.get(name, "") if name else ""
        path = paths.get(key_of(label)) or paths.get(key_of(row.get("mask", ""))) if label else None
        yield Described(
            label or f"row {at}", row.get(text, ""), load_mask(path, None) if path else None
        )


def _mask_paths(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise FormatError(
            f"{folder} is no folder of masks: give the folder that holds the mask files."
        )
    found: dict[str, Path] = {}
    for relative in sorted(files_below(folder, PICTURES), key=is_mask):
        found[key_of(relative)] = folder / relative
    if not found:
        raise FormatError(f"{folder} holds no picture: give the folder that holds the mask files.")
    return found


def _print_json(found: Survey) -> None:
    for row in found.doubtful:
        against = [
            {
                **_problem(d.problem),
                "missing": _bits(d.missing),
                "extra": _bits(d.extra),
                "boxes": d.boxes,
            }
            for d in row.disagreements
        ]
        print(
            json.dumps(
                {"image": row.name, **as_json(row.finding), "mask_problems": against},
                ensure_ascii=False,
            )
        )
    check = found.convention
    summary = {
        "rows": found.rows,
        "distinct_texts": found.distinct,
        "rows_with_mask": found.with_mask,
        "readings": found.readings,
        "problems": found.codes,
        "convention": check.convention if check else None,
        "convention_sentence": check.sentence if check else None,
    }
    print(json.dumps({"summary": summary}))


def _print_table(found: Survey, most: int) -> None:
    print(f"{found.rows} rows, {found.distinct} different texts, {found.with_mask} with a mask")
    print(
        "read as: " + ", ".join(f"{count} {reading}" for reading, count in found.readings.items())
    )
    if found.convention:
        print(f"left: {found.convention.sentence}")
    if found.with_mask:
        cuts = ", ".join(f"{low:.2f}-{high:.2f}" for low, high in found.bands.levels)
        print(f"levels of masks by the bands {cuts} of the height")
    print()
    width = max((len(code) for code in found.codes), default=0)
    for code, count in found.codes.items():
        print(f"{code:<{width}}  {count:>6}")
    print()
    names = max((len(row.name) for row in found.doubtful[:most]), default=0)
    for row in found.doubtful[:most]:
        worst = max(
            [*row.problems, *(d.problem for d in row.disagreements)], key=lambda p: p.weight
        )
        print(f"{row.weight}  {row.name:<{names}}  {worst.sentence}  |  {row.finding.text}")
    if len(found.doubtful) > most:
        print(
            f"… and {len(found.doubtful) - most} more rows; --most {len(found.doubtful)} shows all."
        )
