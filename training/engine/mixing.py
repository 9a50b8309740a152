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
from training.engine.mixed_words import BANDS, mixed_text
from training.engine.streams import Key
from training.engine.words import finding_of, is_certain, text_with_zones
from training.report.zones import Convention, zone_boxes

CUT_AREA = (0.02, 0.40)  # Smallest and largest share of the picture that CutMix takes.

Half = Literal["left", "right"]
Mode = Literal["position", "probability", "anywhere"]


@dataclass(frozen=True)
class SideDraw:
    """Which half of the picture comes from the partner, if any."""

    half: Half | None = None

    def words(self) -> str:
        """The draw as a sentence for a reader."""
        if self.half is None:
            return "No lung side is taken from another film."
        return f"The {self.half} half of the picture comes from the partner, words included."


@dataclass(frozen=True)
class PatchDraw:
    """One try of T-PatchMix, or of CutMix.

    Attributes
    ----------
    mode : {"position", "probability", "anywhere"} or None
        Where blocks may lie: in the zones the text names, where the partner's lesions are
        likely, or anywhere (CutMix); None: no try.
    places : tuple of (float, float, float)
        For each block three numbers in [0, 1) that choose its place among those allowed.
    """

    mode: Mode | None = None
    places: tuple[tuple[float, float, float], ...] = ()


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
    """

    blocks: NDArray[np.bool_]
    text: str
    words: str

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


def draw_patch(key: Key, views: ViewsConfig) -> PatchDraw:
    """Draw a try of T-PatchMix."""
    rng = key.stream("patch")
    chance, mode = rng.random(2)
    count = int(rng.integers(1, views.patch_blocks + 1))
    places = rng.random((count, 3)).round(6)
    if chance >= views.patch_probability:
        return PatchDraw()
    chosen: Mode = "position" if mode < views.patch_position_share else "probability"
    if views.patch_kind == "cutmix":
        chosen, places = "anywhere", places[:1]
    return PatchDraw(chosen, tuple((float(a), float(b), float(c)) for a, b, c in places))


def plan_patch(
    draw: PatchDraw,
    own: tuple[NDArray[np.float32], str],
    partner: tuple[NDArray[np.float32], str],
    views: ViewsConfig,
    convention: Convention,
) -> PatchPlan:
    """Decide what T-PatchMix pastes and what the words become (METHOD §1 and §1b).

    The gate is asked before anything is mixed, so a refused patch leaves image, target and words
    alone.

    Parameters
    ----------
    own, partner : ((H, W) float32 in [0, 1], str)
        Teacher's probability and description of the two films, in the same geometry as the pixels.
    """
    (here, text), (there, donor) = own, partner
    nothing = PatchPlan(np.zeros(here.shape, bool), text, "Nothing is pasted from another film.")
    if draw.mode is None:
        return nothing
    if draw.mode == "anywhere":
        return _cut(draw, here.shape, text)
    blocks, refusal = _place_blocks(draw, here.shape, (text, donor), there, views, convention)
    if refusal:
        return replace(nothing, words=refusal)
    rate = float(there[blocks].mean())
    if rate < views.patch_gate:
        sentence = f"Refused: the partner's lesion fills {rate:.0%} of the blocks, {views.patch_gate:.0%} needed."
        return replace(nothing, words=sentence)
    mixed = mixed_text((here, text), (there, donor), blocks, views.patch_text, convention)
    if mixed is None:
        return replace(nothing, words="Refused: the words of the mixed film would name no zone.")
    sentence = (
        f"Pasted {len(draw.places)} block(s) by {draw.mode}; lesion fills {rate:.0%} of them."
    )
    return PatchPlan(blocks, mixed, sentence)


def _cut(draw: PatchDraw, shape: tuple[int, ...], text: str) -> PatchPlan:
    """CutMix (Yun et al., 2019): one rectangle of any place, no gate, words unchanged."""
    area, down, right = draw.places[0]
    share = (CUT_AREA[0] + area * (CUT_AREA[1] - CUT_AREA[0])) ** 0.5
    height, width = (max(1, round(share * side)) for side in shape)
    top, left = round(down * (shape[0] - height)), round(right * (shape[1] - width))
    blocks = np.zeros(shape, bool)
    blocks[top : top + height, left : left + width] = True
    return PatchPlan(blocks, text, f"Pasted a rectangle of {share**2:.0%} of the picture.")


def _place_blocks(
    draw: PatchDraw,
    shape: tuple[int, int],
    texts: tuple[str, str],
    there: NDArray[np.float32],
    views: ViewsConfig,
    convention: Convention,
) -> tuple[NDArray[np.bool_], str]:
    one, other = (finding_of(text) for text in texts)
    blocks = np.zeros(shape, bool)
    if not is_certain(other):
        return blocks, "Refused: the partner's words do not fix where its lesions are."
    if other.is_negative:
        return blocks, "Refused: the partner's words say that it has no lesion."
    size = max(2, round(views.patch_block * min(shape)))
    allowed: list[tuple[int, int, int, int]] = []
    if draw.mode == "position":
        sides = {zone[0] for zone in one.zones} & {zone[0] for zone in other.zones}
        boxes = zone_boxes(shape, BANDS, convention)
        allowed = [boxes[zone] for zone in sorted(one.zones) if zone[0] in sides]
        if not is_certain(one) or not allowed:
            return blocks, "Refused: the two texts name no common side."
    for place in draw.places:
        top, left = _inside(place, allowed, size) if allowed else _likely(place, there, size)
        blocks[top : top + size, left : left + size] = True
    return blocks, ""


def _inside(
    place: tuple[float, float, float], boxes: list[tuple[int, int, int, int]], size: int
) -> tuple[int, int]:
    top, left, bottom, right = boxes[int(place[0] * len(boxes))]
    row = top + place[1] * max(0, bottom - top - size)
    return round(row), round(left + place[2] * max(0, right - left - size))


def _likely(
    place: tuple[float, float, float], there: NDArray[np.float32], size: int
) -> tuple[int, int]:
    total = np.cumsum(there.ravel(), dtype=np.float64)
    if total[-1] <= 0:
        return 0, 0
    pixel = int(np.searchsorted(total, place[0] * total[-1], side="right"))
    row, column = divmod(min(pixel, there.size - 1), there.shape[1])
    top = np.clip(row - round(place[1] * size), 0, there.shape[0] - size)
    left = np.clip(column - round(place[2] * size), 0, there.shape[1] - size)
    return int(top), int(left)
