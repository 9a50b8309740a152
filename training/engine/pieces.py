"""A step's films cut into pieces that fit the memory; the gradients of the pieces add up to the step's.

What is drawn and mixed is drawn and mixed for the whole step before it is cut, so that pieces hold the same films.
The segmentation losses are means over films (Dice) and over pixels (cross-entropy), and every piece counts by its share
of the films: their sum is the whole step's gradient up to rounding. Terms that look at a whole batch change: ITCL
compares only the films of one piece, LV, cross-entropy and zone reading average over the counted films, pixels and
texts of a piece, and dropout draws anew for each piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from training.engine.films import StudentFilms
from training.engine.networks import Segment


def cuts(counts: tuple[int, ...], pieces: int) -> Iterator[tuple[slice, ...]]:
    """Cut several batches into the same number of nearly equal pieces, some of which may be empty."""
    edges = [np.linspace(0, count, pieces + 1).round().astype(int).tolist() for count in counts]
    for number in range(pieces):
        yield tuple(slice(edge[number], edge[number + 1]) for edge in edges)


def share(part: slice, count: int) -> float:
    """The share of a batch that a piece holds."""
    held: int = part.stop - part.start
    return held / max(1, count)


def logits_in_pieces(network: Segment, images: Tensor, texts: Sequence[str], pieces: int) -> Tensor:
    """Logits ``(B, 1, H, W)`` of images ``(B, 1, H, W)`` that a network is shown in so many pieces."""
    parts = [part for (part,) in cuts((len(texts),), pieces) if part.stop > part.start]
    logits = [network(images[part], texts[part]).logits for part in parts]
    return logits[0] if len(logits) == 1 else torch.cat(logits)


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
