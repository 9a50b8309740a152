"""Contrastive masks of the LV loss: where they come from and which one a description gets. No loss, no networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.engine.data import FilmPool, shrink_mask
from training.engine.objectives import zone_similarity
from training.engine.words import zones_of_texts
from training.errors import EngineError, FormatError
from training.pool.images import read_mask
from training.report.zones import Convention

TABLE = "LV_loss.xlsx"
# Descriptions to vectors, (N, D) float.
Encode = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class ContrastSet:
    """Texts and the masks they stand for.

    Attributes
    ----------
    texts : tuple of str
        K texts whose zones are certain.
    masks : (K, 1, S, S) float in [0, 1]
        On the CPU.
    """

    texts: tuple[str, ...]
    masks: Tensor

    def match(self, descriptions: Sequence[str], encode: Encode | None = None) -> Tensor:
        """The number of the text most like each description; -1 where none may serve.

        Only texts that name the same sides compete, so that a left lesion is never drawn to a mask
        of the right; a description without certain zones, or of no finding, gets none.

        Parameters
        ----------
        encode : callable, optional
            Given, texts are compared by the cosine of their vectors; else by the overlap (Jaccard)
            of the named zones, 1 where these are the same.

        Returns
        -------
        (B,) int64
        """
        count = len(descriptions)
        zones, known = zones_of_texts([*descriptions, *self.texts])
        sides = zones.view(-1, 2, 3).amax(2)
        serves = known & (sides.sum(1) > 0)
        same = (sides[:count, None] == sides[None, count:]).all(2)
        same &= serves[:count, None] & serves[None, count:]
        if encode is None:
            likeness = zone_similarity(zones, known)[:count, count:]
        else:
            vectors = F.normalize(encode([*descriptions, *self.texts]).float().cpu(), dim=1)
            likeness = vectors[:count] @ vectors[count:].T
        best, chosen = likeness.masked_fill(~same, float("-inf")).max(1)
        return torch.where(best > (0 if encode is None else float("-inf")), chosen, -1)

    def masks_for(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Masks ``(B, 1, S, S)`` and whether each counts, ``(B,) float``; zeros for number -1."""
        found = numbers >= 0
        masks = self.masks[numbers.clamp_min(0)]
        return masks * found[:, None, None, None], found.float()


def from_films(pool: FilmPool) -> ContrastSet:
    """One entry for each set of zones in a labeled pool: the mean of its masks.

    Raises
    ------
    EngineError
        No labeled description fixes its zones.
    """
    assert pool.masks is not None
    texts = pool.texts(list(range(len(pool))))
    zones, known = zones_of_texts(texts)
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, code in enumerate(zones.tolist()):
        if known[number] and any(code):
            groups.setdefault(tuple(code), []).append(number)
    if not groups:
        raise EngineError(
            "No labeled description names the zones of its lesions, so the LV loss has no masks "
            "to compare with: give lv_folder, or set lambda_lv to 0."
        )
    masks = [pool.masks[numbers].float().mean(0, keepdim=True) for numbers in groups.values()]
    return ContrastSet(tuple(texts[numbers[0]] for numbers in groups.values()), torch.stack(masks))


def from_folder(folder: Path, side: int, convention: Convention) -> ContrastSet:
    """Read a folder with ``LV_loss.xlsx`` (columns Image and Description) and the figures it names.

    The figures are cut at 127. Their texts mean the sides of the picture; in a project where left is
    the patient's, the figures are mirrored.

    Raises
    ------
    EngineError
        If the table or a figure cannot be used; the sentence names it.
    """
    from training.formats.tables import read_table  # Readers of other formats come along.

    try:
        rows = read_table(folder / TABLE)
        masks = [read_mask(folder / row["image"]) for row in rows]
        texts = tuple(row["description"] for row in rows)
    except KeyError as error:
        raise EngineError(
            f"{folder / TABLE} lacks the column {error}: add it, or give another lv_folder."
        ) from error
    except FormatError as error:
        raise EngineError(f"The contrastive masks cannot be read: {error}") from error
    if not masks:
        raise EngineError(f"{folder / TABLE} names no figures: give another lv_folder.")
    turned = [mask if convention == "image" else mask[:, ::-1] for mask in masks]
    small = np.stack([shrink_mask(np.ascontiguousarray(mask), side) for mask in turned])
    return ContrastSet(texts, torch.from_numpy(small)[:, None].float())
