"""A scripted reader plays the whole loop headless, once (`play`) or as strategies x methods x seeds (`bench`).

It sits at the same review desk as a person in the window (`training.review`) and starts the same rounds
(`training.round`). Together with the evaluation, this is the only place that reads hidden reference masks.
"""

from __future__ import annotations

from training.simulate.play import (
    Correction,
    RoundRecord,
    pool_pseudo_dice,
    review,
    simulate,
)
from training.simulate.reader import ScriptedReader, TimeModel

__all__ = [
    "Correction",
    "RoundRecord",
    "ScriptedReader",
    "TimeModel",
    "pool_pseudo_dice",
    "review",
    "simulate",
]
