"""The command that shows why the serving teacher draws a mask where it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import ProjectFolder
from training.errors import EngineError
from training.pool import Project
from training.pool.rounds import serving_model


def explain_command(
    project: ProjectFolder,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Identifier of the case.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures.")],
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Layer to look at (repeat for more); all that are named by default."),
    ] = None,
    description: Annotated[
        str | None, typer.Option(help="Other words than the case's own.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "cpu",
) -> None:
    """Write Grad-CAM of the network's layers, and what changes without words or with sides exchanged."""
    pool = Project.open(project)
    model = serving_model(pool)
    if model is None:
        raise EngineError("No teacher yet: start a round first.")
    words = pool.case(case).description if description is None else description
    # The engine takes seconds to import: not for a wrong case or a project without a teacher.
    from training.config import TrainingConfig
    from training.engine.explain import explain
    from training.engine.pictures import write_pictures
    from training.engine.predict import Predictor
    from training.engine.setup import make_fabric

    where = make_fabric(device, TrainingConfig()).device
    predictor = Predictor.load(model.folder, where)
    said = explain(predictor, pool.read_image(case), words, layer)
    for path in write_pictures(out, said, {"description": words}):
        print(path)
