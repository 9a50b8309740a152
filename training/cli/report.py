"""Commands on descriptions."""

from __future__ import annotations

import json

import typer

from training.report import ZONES
from training.report import parse as read

app = typer.Typer(no_args_is_help=True, help="Read and check descriptions.")


@app.callback()
def _group() -> None:
    """Read and check descriptions."""


@app.command()
def parse(texts: list[str]) -> None:
    """Print what each text means, a JSON object a line."""
    for text in texts:
        finding = read(text)
        print(json.dumps({"text": text, "zones": [int(zone in finding.zones) for zone in ZONES]}))
