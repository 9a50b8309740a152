"""The ``semimedref`` command. Each file here is a group of commands; the work is done elsewhere, and only these
modules print. A known error ends a command with one sentence and exit status 2, without a traceback; a round or a
measurement that failed ends with 1, one that was asked to stop with 3, an interruption with 130."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from typing import Annotated

import typer

from training.cli.ablate import ablate
from training.cli.curves import arms, curves, strategies
from training.cli.describe import describe
from training.cli.explain import explain_command
from training.cli.exports import app as export_app
from training.cli.imports import app as import_app
from training.cli.living import register as register_living
from training.cli.models import app as models_app
from training.cli.pairs import pairs
from training.cli.pool import register as register_pool
from training.cli.project import phantom
from training.cli.report import app as report_app
from training.cli.rounds import round_command
from training.cli.simulate import simulate
from training.errors import SemiMedRefError


def _say_version(asked: bool) -> None:
    if asked:
        print(f"napari-semimedref {installed('napari-semimedref')}")
        raise typer.Exit


app = typer.Typer(
    name="semimedref",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _whole(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say it and end."),
    ] = False,
) -> None:
    """Annotate medical images with words and masks, and train on both."""


app.command()(phantom)
app.add_typer(import_app, name="import")
app.add_typer(export_app, name="export")
register_living(app)
app.command("round")(round_command)
app.command()(simulate)
app.command()(curves)
app.command()(arms)
app.command()(strategies)
app.command()(ablate)
app.command()(describe)
app.command("explain")(explain_command)
app.add_typer(report_app, name="report")
register_pool(app)
app.command()(pairs)
app.add_typer(models_app, name="models")


def main() -> None:
    """Run the command line.

    Raises
    ------
    SystemExit
        With 2 after a known error, whose sentence is on stderr, and 130 after an interruption.
    """
    try:
        app()
    except SemiMedRefError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("Interrupted: everything accepted is saved.", file=sys.stderr)
        raise SystemExit(130) from None
