"""Where the blocks of T-PatchMix, or CutMix's rectangle, lie. Whether they are pasted is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.config import ViewsConfig
from training.engine.streams import Key
from training.engine.words import finding_of
from training.report.zones import Bands, Convention, zone_boxes

CUT_AREA = (0.02, 0.40)  # Smallest and largest share of the picture that CutMix takes.

Mode = Literal["position", "probability", "anywhere"]
Box = tuple[int, int, int, int]


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


def place_blocks(
    draw: PatchDraw,
    shape: tuple[int, ...],
    texts: tuple[str, str],
    there: NDArray[np.float32],
    views: ViewsConfig,
    convention: Convention,
    bands: Bands,
) -> NDArray[np.bool_]:
    """The pixels that a try would take from the partner; none where its mode finds no place.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    texts : (str, str)
        Own and the partner's.
    there : (H, W) float32 in [0, 1]
        Probability of the partner's lesions.
    bands : Bands
        Where the zones lie in the own film.

    Returns
    -------
    (H, W) bool
    """
    blocks = np.zeros(shape, bool)
    if draw.mode == "anywhere":
        top, left, bottom, right = _cut(draw, shape)
        blocks[top:bottom, left:right] = True
        return blocks
    size = max(2, round(views.patch_block * min(shape)))
    allowed = allowed_boxes(shape, texts, convention, bands) if draw.mode == "position" else []
    if draw.mode == "position" and not allowed:
        return blocks
    for place in draw.places:
        top, left = _inside(place, allowed, size) if allowed else _likely(place, there, size)
        blocks[top : top + size, left : left + size] = True
    return blocks


def allowed_boxes(
    shape: tuple[int, ...], texts: tuple[str, str], convention: Convention, bands: Bands
) -> list[Box]:
    """Zones of the own text on the sides that both texts name."""
    one, sides = finding_of(texts[0]).zones, common_sides(texts)
    boxes = zone_boxes((shape[0], shape[1]), bands, convention)
    return [boxes[zone] for zone in sorted(one) if zone[0] in sides]


def common_sides(texts: tuple[str, str]) -> set[str]:
    """The sides, of ``"L"`` and ``"R"``, that both texts name."""
    one, other = ({zone[0] for zone in finding_of(text).zones} for text in texts)
    return one & other


def _cut(draw: PatchDraw, shape: tuple[int, ...]) -> Box:
    """CutMix (Yun et al., 2019): one rectangle of any place."""
    area, down, right = draw.places[0]
    share = (CUT_AREA[0] + area * (CUT_AREA[1] - CUT_AREA[0])) ** 0.5
    height, width = (max(1, round(share * side)) for side in shape)
    top, left = round(down * (shape[0] - height)), round(right * (shape[1] - width))
    return top, left, top + height, left + width


def _inside(place: tuple[float, float, float], boxes: list[Box], size: int) -> tuple[int, int]:
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
