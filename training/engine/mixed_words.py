"""What the words of a film become when blocks of another are pasted into it. Where blocks lie is decided elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.engine.words import finding_of, is_certain, joined_text, text_with_zones
from training.report.zones import Bands, Convention, zone_boxes

LESION = 0.5


def mixed_text(
    own: tuple[NDArray[np.float32], str],
    partner: tuple[NDArray[np.float32], str],
    blocks: NDArray[np.bool_],
    rule: str,
    convention: Convention,
    bands: Bands,
) -> str | None:
    """Words of a film that got blocks of its partner (METHOD §1 and §1b).

    Parameters
    ----------
    own, partner : ((H, W) float32 in [0, 1], str)
        Teacher's probability and description of the two films.
    blocks : (H, W) bool
        Pixels of the partner.
    rule : {"zones", "conjunction", "replace"}
        ``zones``: z_i, with the zones the blocks bring, without those they cover; the paper's span mixing: all zones
        of both texts, or those of the partner's.
    bands : Bands
        Where the zones lie in the own film.

    Returns
    -------
    str or None
        The text unchanged where it fixes no zones; None where none would be left to name.
    """
    (here, text), (there, donor) = own, partner
    one, other = finding_of(text), finding_of(donor)
    if not is_certain(one):
        return text
    if rule != "zones":
        return joined_text(text, donor, rule)
    boxes = zone_boxes(here.shape, bands, convention)
    least = max(4, here.size // 2000)
    pasted = _zones_holding((there >= LESION) & blocks, boxes, other.zones, least)
    before = _zones_holding(here >= LESION, boxes, one.zones, 1)
    after = _zones_holding((here >= LESION) & ~blocks, boxes, one.zones, 1)
    zones = (one.zones - (before - after)) | pasted
    return text_with_zones(text, frozenset(zones)) if zones else None


def _zones_holding(
    lesions: NDArray[np.bool_],
    boxes: dict[str, tuple[int, int, int, int]],
    candidates: frozenset[str],
    least: int,
) -> frozenset[str]:
    counts = {}
    for zone in candidates:
        top, left, bottom, right = boxes[zone]
        counts[zone] = np.count_nonzero(lesions[top:bottom, left:right])
    return frozenset(zone for zone, count in counts.items() if count >= least)
