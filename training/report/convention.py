"""Which side is called left: conversion of texts between the picture's and the patient's left, and a check which of
the two a set of labeled cases follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.report.finding import Finding, ReportError, Rewrite, sides_of
from training.report.parse import parse
from training.report.swap import swap_sides
from training.report.zones import Convention, refuse_unknown

LEAST_CASES = 20
LEAST_PIXELS = 20
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class ConventionCheck:
    """What labeled cases say about the meaning of "left".

    Attributes
    ----------
    convention : {"image", "patient"} or None
        The convention the texts follow; None where the cases do not decide it.
    agreement : float
        Share in [0, 1] of the usable cases that fit the better convention.
    low, high : float
        95 % interval of that share (Wilson).
    cases : int
        One-sided texts with a mask.
    against : tuple of int
        Positions, in the input, of usable cases that do not fit: wrong words or a mirrored film.
    sentence : str
        The result for a reader.
    """

    convention: Convention | None
    agreement: float
    low: float
    high: float
    cases: int
    against: tuple[int, ...]
    sentence: str


def convert_sides(text: str, source: Convention, target: Convention) -> Rewrite:
    """Write a text of one convention in the other; nothing changes where both are the same.

    Raises
    ------
    ReportError
        If a convention is unknown.
    """
    for name in (source, target):
        refuse_unknown(name)
    return Rewrite(text) if source == target else swap_sides(text)


def check_convention(
    texts: Sequence[str | Finding], masks: Sequence[NDArray[np.integer]]
) -> ConventionCheck:
    """Find the convention that labeled cases follow.

    A case is usable where its text names exactly one side and its mask has more than 20 pixels; the half of the picture
    that holds most of them counts.

    Parameters
    ----------
    texts : sequence of str or Finding
        Descriptions.
    masks : sequence of ndarray, shape (H, W)
        Their masks.

    Returns
    -------
    ConventionCheck

    Raises
    ------
    ReportError
        If the sequences differ in length.
    """
    if len(texts) != len(masks):
        raise ReportError(
            f"{len(texts)} texts and {len(masks)} masks cannot be compared: give one mask for each text."
        )
    fits = {}
    for at, (text, mask) in enumerate(zip(texts, masks, strict=True)):
        finding = text if isinstance(text, Finding) else parse(text)
        sides, half = sides_of(finding.zones), _half(mask)
        if len(sides) == 1 and half:
            fits[at] = half in sides
    return _judged(fits)


def _half(mask: NDArray[np.integer]) -> str:
    """ "L" or "R": the half of the picture that holds most of the mask; empty for a mask of 20 pixels or fewer."""
    left = np.count_nonzero(mask[:, : mask.shape[1] // 2])
    total = np.count_nonzero(mask)
    if total <= LEAST_PIXELS:
        return ""
    return "L" if 2 * left > total else "R"


def _judged(fits: dict[int, bool]) -> ConventionCheck:
    cases, image = len(fits), sum(fits.values())
    if cases < LEAST_CASES:
        sentence = f"Only {cases} one-sided cases: image-left or patient-left is told from {LEAST_CASES} or more."
        return ConventionCheck(None, 0.0, 0.0, 1.0, cases, (), sentence)
    convention: Convention = "image" if 2 * image >= cases else "patient"
    right = max(image, cases - image)
    low, high = _wilson(right, cases)
    against = tuple(at for at, fit in fits.items() if fit != (convention == "image"))
    share = right / cases
    words = f"{100 * share:.1f} % of {cases} one-sided texts fit {convention}-left"
    bounds = f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
    if low <= 0.5:
        sentence = f"{words} {bounds}: the cases do not decide the convention."
        return ConventionCheck(None, share, low, high, cases, against, sentence)
    warning = "" if share >= 0.8 else " That is low: many texts or masks are mirrored."
    sentence = f"{words} {bounds}.{warning}"
    return ConventionCheck(convention, share, low, high, cases, against, sentence)


def _wilson(right: int, cases: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); written out, since importing scipy.stats takes half a second."""
    share, z2 = right / cases, NORMAL_95**2
    center = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = NORMAL_95 / (1 + z2 / cases) * (share * (1 - share) / cases + z2 / (4 * cases**2)) ** 0.5
    return center - half, center + half
