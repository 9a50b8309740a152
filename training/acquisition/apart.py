"""Near-duplicates kept apart: of films that show the same moment, one teaches what the other would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.acquisition.candidates import Choice
from training.embedding import SAME_FILM


def keep_apart(
    choices: Sequence[Choice], points: Mapping[str, NDArray[np.float32]]
) -> list[Choice]:
    """The same choices; whatever is a near-duplicate of an earlier one comes behind all others.

    Parameters
    ----------
    points : mapping of case id to (D,) float32
        Film points (`training.embedding.film_point`), as far as they are known.
    """
    known = [choice for choice in choices if choice.case_id in points]
    if len(known) < 2:
        return list(choices)
    stacked = np.stack([points[choice.case_id] for choice in known])
    like = stacked @ stacked.T >= SAME_FILM
    kept = np.zeros(len(known), bool)
    later: set[str] = set()
    for number, choice in enumerate(known):
        if (like[number] & kept).any():
            later.add(choice.case_id)
        else:
            kept[number] = True
    first = [choice for choice in choices if choice.case_id not in later]
    return first + [choice for choice in choices if choice.case_id in later]
