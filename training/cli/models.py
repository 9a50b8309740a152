"""Commands about models: list, show, compare, roll back, export and import, let serve, file the card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from training.cli.options import JsonFile, ProjectFolder, write_figures
from training.errors import PoolError
from training.files import write_atomically
from training.models.archive import export_model
from training.models.comparing import HalfComparison, compare
from training.models.listing import card_of, filed_card, history, model_rows
from training.models.measuring import measure_model
from training.models.unpacking import import_model
from training.pool import Project
from training.pool.registry import find_model, roll_back
from training.round import freeze
from training.serving import let_serve

FIRST_CASES = 10


class ListsByDefault(TyperGroup):
    """`semimedref models PROJECT` lists."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Take the first word for a project where it is no command."""
        known = not args or args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["list", *args])


app = typer.Typer(
    cls=ListsByDefault,
    no_args_is_help=True,
    help="Models of a project: `semimedref models list PROJECT` lists them.",
)
ModelName = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="Its id or the beginning of it, round-N, or serving."),
]


@app.command("list")
def list_models(project: ProjectFolder) -> None:
    """List all models, the newest first; the serving one is marked."""
    pool = Project.open(project)
    rows = model_rows(pool)
    if not rows:
        print("There is no model yet: do a round with `semimedref round`, or import one.")
        return
    print("   model             from        labels  Dice: all pixels, mean  half     state")
    for row in rows:
        mark = "*" if row.state == "serving" else " "
        labels = "-" if row.labeled is None else str(row.labeled)
        dice = "not measured here      "
        if row.scores is not None:
            dice = f"{row.scores.dice_global:>10.3f} {row.scores.dice_per_image:>12.3f}"
        print(
            f" {mark} {row.model.id:<17} {row.name:<11} {labels:>6}  {dice:<23} {row.half:<8} {row.state}"
        )
    print("* serves. Dice of the teacher on this project's holdout.")


@app.command()
def show(project: ProjectFolder, model: ModelName) -> None:
    """Tell what is known of a model, and when and why it served."""
    pool = Project.open(project)
    found = find_model(pool, model)
    print(filed_card(found))
    told = history(pool, found)
    print("## Service\n")
    for promotion in told:
        print(f"- {promotion.created_at[:19]} {promotion.reason or 'Promoted.'}")
    if not told:
        reasons = [row.reason for row in model_rows(pool) if row.model.id == found.id]
        print(f"- It never served. {reasons[0]}".rstrip())


@app.command("compare")
def compare_models(
    project: ProjectFolder, first: ModelName, second: ModelName, json_file: JsonFile = None
) -> None:
    """Compare two models case by case on both halves of the holdout (paired bootstrap over cases)."""
    pool = Project.open(project)
    one, two = find_model(pool, first), find_model(pool, second)
    with Console(stderr=True).status("Comparing"):
        halves = compare(pool, one, two, freeze(pool), measure_model)
    print(f"A = {one.id}, B = {two.id}")
    for half in halves:
        _print_half(half)
    if json_file is not None:
        content = {"first": one.id, "second": two.id, "halves": [asdict(half) for half in halves]}
        write_figures(json_file, content)


def _print_half(half: HalfComparison) -> None:
    if not half.cases:
        print(f"{half.half} half: no case was measured with both.")
        return
    print(f"{half.half} half, {len(half.cases)} cases ({half.missing} could not be measured):")
    for name in half.first:
        print(f"  {name:<15} A {half.first[name]:.3f}   B {half.second[name]:.3f}")
    print(
        f"  B - A, mean over cases: {half.difference:+.3f} (95 % interval {half.low:+.3f} to {half.high:+.3f}); "
        f"B is better in {half.better:.0%} of resamples"
    )
    print("  largest losses of B:")
    for pair in half.cases[:FIRST_CASES]:
        print(
            f"    {pair.case_id:<30} A {pair.first:.3f}  B {pair.second:.3f}  {pair.difference:+.3f}"
        )


@app.command("roll-back")
def roll_back_command(
    project: ProjectFolder,
    reader: Annotated[str, typer.Option(help="Who decides it.")],
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="One that served; the one before if left out."),
    ] = None,
) -> None:
    """Let an earlier model serve again, with its pseudo-masks. Accepted masks stay as they are."""
    pool = Project.open(project)
    target = roll_back(pool, reader, None if model is None else find_model(pool, model))
    print(f"Model {target.id} serves again. Accepted masks were not touched.")


@app.command("export")
def export_command(
    project: ProjectFolder,
    model: ModelName,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="A new file.")],
) -> None:
    """Write a model with its card to one file for another project."""
    pool = Project.open(project)
    found = find_model(pool, model)
    digest = export_model(found, card_of(found), file)
    print(f"{file} holds model {found.id}. SHA-256: {digest}")
    print("Its model.json lists the words of this project's descriptions: look through them first.")


@app.command("import")
def import_command(
    project: ProjectFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="Made by `models export`.")],
) -> None:
    """Bring in a model of another project; it serves once it has passed this project's gate."""
    found = import_model(Project.open(project), file)
    print(f"Model {found.id} is here, from {found.origin}.")
    print(f"Let it face the gate: semimedref models serve {project} {found.id}")


@app.command()
def serve(project: ProjectFolder, model: ModelName) -> None:
    """Measure a model on this project's holdout; no worse than the serving one, it serves."""
    pool = Project.open(project)
    found = find_model(pool, model)
    with Console(stderr=True).status("Measuring"):
        served = let_serve(pool, found)
    print(served.decision.sentence)
    if served.decision.promote:
        print(f"Model {found.id} serves; {served.proposals} pseudo-masks came in.")
    else:
        raise typer.Exit(1)


@app.command()
def card(
    project: ProjectFolder,
    model: ModelName,
    out: Annotated[Path | None, typer.Option(help="A Markdown file instead of the screen.")] = None,
) -> None:
    """Write a model's card as a document to be filed."""
    text = filed_card(find_model(Project.open(project), model))
    if out is None:
        print(text)
    elif out.exists():
        raise PoolError(f"{out} is there already: choose another name, or remove it first.")
    else:
        write_atomically(out, text, error_type=PoolError)
        print(f"{out} is written.")
