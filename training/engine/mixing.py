"""Mixing two films with their words: whole lung sides, and T-PatchMix with its gate. Pixels are mixed by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import ViewsConfig
from training.engine.apart import NONSENSE
from training.engine.blocks import PatchDraw, common_sides, place_blocks
from training.engine.mixed_words import mixed_text
from training.engine.streams import Key
from training.engine.words import finding_of, is_certain, text_with_zones
from training.engine.zone_bands import CHEST
from training.report.zones import Bands, Convention

Half = Literal["left", "right"]


@dataclass(frozen=True)
class SideDraw:
    """Which half of the picture comes from the partner, if any."""

    half: Half | None = None
    may_meet: bool = True  # False: drawn, and refused because a reader called the pair nonsense.

    def words(self) -> str:
        """The draw as a sentence for a reader."""
        if not self.may_meet:
            return NONSENSE
        if self.half is None:
            return "No lung side is taken from another film."
        return f"The {self.half} half of the picture comes from the partner, words included."


@dataclass(frozen=True)
class PatchPlan:
    """What became of a try.

    Attributes
    ----------
    blocks : (H, W) bool
        Pixels that come from the partner; all False if the try was refused.
    text : str
        The words of the mixed film.
    words : str
        What happened, for a reader.
    tried : (H, W) bool, or None
        The blocks M that the try chose, pasted or refused; None without a try.
    rate : float in [0, 1], or None
        What the gate compares with ``patch_gate``: the mean probability of the partner's lesion inside the blocks;
        None where no gate is asked.
    """

    blocks: NDArray[np.bool_]
    text: str
    words: str
    tried: NDArray[np.bool_] | None = None
    rate: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether anything is pasted."""
        return bool(self.blocks.any())


def draw_side(key: Key, name: str, probability: float) -> SideDraw:
    """Draw a half from the stream ``name``."""
    chance, half = key.stream(name).random(2)
    if chance >= probability:
        return SideDraw()
    return SideDraw("left" if half < 0.5 else "right")


def side_text(own: str, partner: str, half: Half, convention: Convention) -> str | None:
    """Words of a film whose ``half`` comes from the partner.

    Returns
    -------
    str or None
        None where the words of either film do not fix their zones, or nothing would be left.
    """
    one, other = finding_of(own), finding_of(partner)
    if not is_certain(one) or not is_certain(other):
        return None
    side = "L" if (half == "left") == (convention == "image") else "R"
    kept = {zone for zone in one.zones if zone[0] != side}
    zones = frozenset(kept | {zone for zone in other.zones if zone[0] == side})
    return text_with_zones(own, zones) if zones else None


def side_masks(draws: Sequence[SideDraw], height: int, width: int) -> Tensor:
    """Pixels that come from the partner: ``(B, 1, H, W) bool``."""
    masks = torch.zeros(len(draws), 1, height, width, dtype=torch.bool)
    middle = width // 2
    for number, draw in enumerate(draws):
        if draw.half == "left":
            masks[number, :, :, :middle] = True
        elif draw.half == "right":
            masks[number, :, :, middle:] = True
    return masks


def nothing_pasted(shape: Sequence[int], text: str) -> PatchPlan:
    """The plan of a film ``(H, W)`` that gets nothing from its partner."""
    return PatchPlan(np.zeros(tuple(shape), bool), text, "Nothing is pasted from another film.")


def plan_patch(
    draw: PatchDraw,
    own: tuple[NDArray[np.float32], str],
    partner: tuple[NDArray[np.float32], str],
    views: ViewsConfig,
    convention: Convention,
    may_meet: bool = True,
    bands: Bands = CHEST,
) -> PatchPlan:
    """Decide what T-PatchMix pastes and what the words become (METHOD §1 and §1b).

    The gate is asked before anything is mixed, so a refused patch leaves image, target and words
    alone.

    Parameters
    ----------
    own, partner : ((H, W) float32 in [0, 1], str)
        Teacher's probability and description of the two films, in the same geometry as the pixels.
    may_meet : bool
        False where a reader called the pair nonsense: nothing is pasted, of whatever kind.
    bands : Bands
        Where the zones lie in the own film's view.
    """
    (here, text), (there, donor) = own, partner
    nothing = nothing_pasted(here.shape, text)
    if draw.mode is None:
        return nothing
    blocks = place_blocks(draw, here.shape, (text, donor), there, views, convention, bands)
    gated = draw.mode != "anywhere" and bool(blocks.any())
    rate = float(there[blocks].mean()) if gated else None
    tried = replace(nothing, tried=blocks, rate=rate)
    if not may_meet:
        return replace(tried, words=NONSENSE)
    if draw.mode == "anywhere":  # CutMix asks no gate and changes no words.
        sentence = f"Pasted a rectangle of {blocks.mean():.0%} of the picture."
        return PatchPlan(blocks, text, sentence, blocks)
    refusal = _refusal(draw, (text, donor), rate, views)
    if refusal:
        return replace(tried, words=refusal)
    mixed = mixed_text((here, text), (there, donor), blocks, views.patch_text, convention, bands)
    if mixed is None:
        return replace(tried, words="Refused: the words of the mixed film would name no zone.")
    sentence = (
        f"Pasted {len(draw.places)} block(s) by {draw.mode}; lesion fills {rate:.0%} of them."
    )
    return PatchPlan(blocks, mixed, sentence, blocks, rate)


def _refusal(
    draw: PatchDraw, texts: tuple[str, str], rate: float | None, views: ViewsConfig
) -> str:
    """Why nothing is pasted; empty if words and gate let the blocks pass."""
    one, other = (finding_of(text) for text in texts)
    if not is_certain(other):
        return "Refused: the partner's words do not fix where its lesions are."
    if other.is_negative:
        return "Refused: the partner's words say that it has no lesion."
    if draw.mode == "position" and not (is_certain(one) and common_sides(texts)):
        return "Refused: the two texts name no common side."
    if rate is None or rate < views.patch_gate:
        found = rate or 0.0
        return (
            f"Refused: the partner's lesion fills {found:.0%} of the blocks, "
            f"{views.patch_gate:.0%} needed."
        )
    return ""
