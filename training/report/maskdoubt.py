"""Doubt between a text and its mask: sides, zones and the number of areas, each with the words that would fit the mask
and the places where the mask would have to change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.report.describe import count_parts, mask_zones
from training.report.finding import SIDE_WORD, ZONES, Finding, Problem, laterality_of, sides_of
from training.report.parse import parse
from training.report.rewrite import rewrite_zones
from training.report.write import side_phrases
from training.report.zonereader import ZoneReader
from training.report.zones import THIRDS, Bands, Convention, zone_boxes


@dataclass(frozen=True)
class Disagreement:
    """A text and a mask that say different things, with both ways out.

    Attributes
    ----------
    problem : Problem
        The doubt; its span and fix cover the whole text: applying the fix makes the words fit the mask. Weight 2 for
        sides, 1 for levels and counts: those are often a matter of taste.
    missing : frozenset of str
        Zones the text names and the mask leaves empty.
    extra : frozenset of str
        Zones the mask touches and the text does not name.
    boxes : tuple of (y0, x0, y1, x1)
        Where to look at the mask: the boxes of those zones.
    """

    problem: Problem
    missing: frozenset[str]
    extra: frozenset[str]
    boxes: tuple[tuple[int, int, int, int], ...]


def check_mask(
    text: str | Finding,
    mask: NDArray[np.integer],
    bands: Bands | ZoneReader = THIRDS,
    convention: Convention = "image",
    image: NDArray[np.floating] | None = None,
) -> tuple[Disagreement, ...]:
    """Compare a description with a mask.

    Parameters
    ----------
    text : str or Finding
        Description.
    mask : ndarray, shape (H, W)
        Nonzero where there is a finding.
    bands : Bands or ZoneReader
        How the mask's zones are found.
    convention : {"image", "patient"}
        Which side of the picture the text calls left.
    image : ndarray, shape (H, W), optional
        The film, for a reader that places zones by the lungs.

    Returns
    -------
    tuple of Disagreement
        Sides first, then levels, then the count. Empty where the text has no readable position.
    """
    finding = text if isinstance(text, Finding) else parse(text)
    if finding.reading not in ("clear", "repaired"):
        return ()
    seen = mask_zones(mask, bands, convention, image)
    boxes = zone_boxes(mask.shape, bands if isinstance(bands, Bands) else THIRDS, convention)
    found = [_sides(finding, seen), _levels(finding, seen), _count(finding, count_parts(mask))]
    return tuple(replace(doubt, boxes=_boxes(doubt, boxes)) for doubt in found if doubt is not None)


def _boxes(
    doubt: Disagreement, boxes: dict[str, tuple[int, int, int, int]]
) -> tuple[tuple[int, int, int, int], ...]:
    return tuple(boxes[zone] for zone in ZONES if zone in doubt.missing | doubt.extra)


def _doubt(
    finding: Finding, code: str, sentence: str, fix: str, seen: frozenset[str], weight: int
) -> Disagreement:
    problem = Problem(code, sentence, 0, len(finding.text), fix, weight)
    return Disagreement(problem, finding.zones - seen, seen - finding.zones, ())


def _sides(finding: Finding, seen: frozenset[str]) -> Disagreement | None:
    said, shown = sides_of(finding.zones), sides_of(seen)
    if said == shown:
        return None
    if len(said) == len(shown) == 1:
        sentence = f"The text names the {_names(said)}, the mask lies on the {_names(shown)}."
        code = "mask-other-side"
    else:
        sentence = (
            f"The text is {laterality_of(finding.zones)} ({_names(said)}), "
            f"the mask {laterality_of(seen)} ({_names(shown)})."
        )
        code = "mask-laterality"
    return _doubt(finding, code, sentence, rewrite_zones(finding.text, seen).text, seen, 2)


def _levels(finding: Finding, seen: frozenset[str]) -> Disagreement | None:
    shared = sides_of(finding.zones) & sides_of(seen)
    said = frozenset(zone for zone in finding.zones if zone[0] in shared)
    shown = frozenset(zone for zone in seen if zone[0] in shared)
    if said == shown:
        return None
    sentence = f"The text says {side_phrases(said)}, the mask touches {side_phrases(shown)}."
    other = frozenset(zone for zone in finding.zones if zone[0] not in shared)
    fix = rewrite_zones(finding.text, shown | other).text
    doubt = _doubt(finding, "mask-levels", sentence, fix, seen, 1)
    return replace(doubt, missing=said - shown, extra=shown - said)


def _count(finding: Finding, parts: int) -> Disagreement | None:
    if finding.count is None or finding.count == parts or not finding.zones:
        return None
    sentence = f"The text counts {finding.count}, the mask has {parts} separate parts."
    count = max(parts, len(sides_of(finding.zones)))
    fix = rewrite_zones(finding.text, finding.zones, count=count).text
    return Disagreement(
        Problem("mask-count", sentence, 0, len(finding.text), fix, 1), frozenset(), frozenset(), ()
    )


def _names(sides: frozenset[str]) -> str:
    return " and ".join(SIDE_WORD[side] for side in sorted(sides)) or "neither side"
