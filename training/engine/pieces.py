"""A step's films cut into pieces that fit the memory; the gradients of the pieces add up to the step's.

What is drawn and mixed is drawn and mixed for the whole step before it is cut, so that pieces hold the same samples.
The segmentation losses are means over films (Dice) and over pixels (cross-entropy), and every piece counts by its share
of the films: their sum is the whole step's gradient up to rounding. Terms that look at a whole batch change: ITCL
compares only the films of one piece, cross-entropy and zone reading average over the counted pixels and texts of a
piece, batch norm takes a piece's statistics, and dropout draws anew for each piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from training.engine.films import StudentFilms


def cuts(counts: tuple[int, ...], pieces: int) -> Iterator[tuple[slice, ...]]:
    """Cut several batches into the same number of nearly equal pieces, some of which may be empty."""
    edges = [np.linspace(0, count, pieces + 1).round().astype(int).tolist() for count in counts]
    for number in range(pieces):
        yield tuple(slice(edge[number], edge[number + 1]) for edge in edges)


def share(part: slice, count: int) -> float:
    """The share of a batch that a piece holds."""
    held: int = part.stop - part.start
    return held / max(1, count)


def piece_of(films: StudentFilms, part: slice) -> StudentFilms:
    """The films of one piece, without the accounts of what was mixed."""
    return replace(
        films,
        images=films.images[part],
        targets=films.targets[part],
        texts=films.texts[part],
        full_texts=films.full_texts[part],
        plans=(),
        sides=(),
        sources=(),
        mirrored=(),
    )
