"""Options that make the scripted reader of `semimedref simulate`; what the reader does is in `training.simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from training.simulate import TimeModel

PANEL = "The reader"
Tolerance = Annotated[
    float,
    typer.Option(
        min=0.5,
        max=1,
        help="Dice from which the reader lets a pseudo-mask stand.",
        rich_help_panel=PANEL,
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        min=0,
        max=0.2,
        help="How far off a contour may be and still stand, as a share of the film.",
        rich_help_panel=PANEL,
    ),
]
Jitter = Annotated[
    float,
    typer.Option(min=0, max=0.2, help="Trembling, as a share of the film.", rich_help_panel=PANEL),
]
Missed = Annotated[
    float, typer.Option(min=0, max=1, help="Chance to overlook a lesion.", rich_help_panel=PANEL)
]
WrongWords = Annotated[
    float,
    typer.Option(min=0, max=1, help="Chance to exchange left and right.", rich_help_panel=PANEL),
]
Anchoring = Annotated[
    float, typer.Option(min=0, max=1, help="Chance to leave a wrong region.", rich_help_panel=PANEL)
]
Seconds = Annotated[
    str,
    typer.Option(
        help="Time model: look, stroke, contour of a film's side, words.", rich_help_panel=PANEL
    ),
]


def time_model_of(text: str) -> TimeModel:
    """The time model of ``--seconds``.

    Raises
    ------
    BadParameter
        The text is not four numbers.
    """
    try:
        look, stroke, contour, words = map(float, text.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            "--seconds takes four numbers with commas: look, stroke, contour, words."
        ) from error
    return TimeModel(look, stroke, contour, words)
