"""Text changes of the strong view: PosAug, span mixing, left/right swap, the generic TextStrong. Pure functions of a
text and drawn parameters; drawing is separate, so that a window can show and replay it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from training.report.finding import (
    ANY_REGION,
    UNKNOWN_POSITION,
    Edit,
    Finding,
    ReportError,
    Rewrite,
    apply_edits,
    edit_of,
)
from training.report.parse import parse
from training.report.rewrite import closed_up, rewrite_zones, style_of
from training.report.write import usual_count

Action = Literal["keep", "drop", "fuzz"]
HIDDEN = {"drop": UNKNOWN_POSITION, "fuzz": ANY_REGION}
JOINT = re.compile(r"[\s,;&/+]*(?:\b(?:and|or|with|of|in|the|at|on)\b[\s,;&/+]*)*", re.IGNORECASE)


def draw_posaug(
    rng: np.random.Generator, num_phrases: int, probability: float, fuzz_share: float
) -> tuple[Action, ...]:
    """Draw what happens to each positional phrase (METHOD §1, PosAug).

    Parameters
    ----------
    rng : numpy.random.Generator
        Two numbers are drawn per phrase, whatever the outcome.
    num_phrases : int
        Number of phrases, >= 0.
    probability : float
        Chance in [0, 1] that a phrase is hidden, independent of the others.
    fuzz_share : float
        Share in [0, 1] of the hidden phrases that become "a region of the lung" instead of `UNKNOWN_POSITION`.

    Returns
    -------
    tuple of {"keep", "drop", "fuzz"}, one per phrase

    Raises
    ------
    ReportError
        If a chance is outside [0, 1].
    """
    for name, value in (("probability", probability), ("fuzz_share", fuzz_share)):
        if not 0 <= value <= 1:
            raise ReportError(f"PosAug's {name} is {value}: give a number from 0 to 1.")
    draws = rng.random((num_phrases, 2))
    return tuple(
        "keep" if hide >= probability else "fuzz" if kind < fuzz_share else "drop"
        for hide, kind in draws
    )


def posaug(text: str, actions: Sequence[str]) -> Rewrite:
    """Hide positional phrases.

    Parameters
    ----------
    text : str
        Description.
    actions : sequence of {"keep", "drop", "fuzz"}
        One per phrase of ``parse(text).phrases``.

    Returns
    -------
    Rewrite
        Hidden phrases stand as `UNKNOWN_POSITION` (``drop``) or "a region of the lung" (``fuzz``); once one is
        hidden, the laterality word and the number go too, since they would betray it or contradict what is left.
        Where all are hidden, neighbors joined by "and" or a comma become one marker: two would say "both sides".

    Raises
    ------
    ReportError
        If the actions do not fit the phrases.
    """
    finding = parse(text)
    _check_actions(finding, actions)
    hidden = [i for i, action in enumerate(actions) if action != "keep"]
    if not hidden:
        return Rewrite(text)
    merge = len(hidden) == len(actions)
    edits = _neutral_edits(finding)
    for i in hidden:
        phrase, before = finding.phrases[i], finding.phrases[i - 1] if i else None
        if merge and before and JOINT.fullmatch(text, before.end, phrase.start):
            edits.append(edit_of(text, before.end, phrase.end, "", actions[i]))
        else:
            edits.append(edit_of(text, phrase.start, phrase.end, HIDDEN[actions[i]], actions[i]))
    hiding = apply_edits(text, edits)
    if merge and (left := parse(hiding.text)) and (left.phrases or left.zones):
        whole = f"Pulmonary infection, infected areas, {HIDDEN[actions[0]]}."
        return apply_edits(text, [edit_of(text, 0, len(text), whole, "whole")])
    return hiding


def mix_spans(
    text_i: str, text_j: str, mode: Literal["replace", "conjunction"] = "replace"
) -> Rewrite:
    """T-PatchMix's span mixing (METHOD §1): the positional phrases of ``i`` become those of ``j``, or both.

    Parameters
    ----------
    text_i, text_j : str
        Target and donor description.
    mode : {"replace", "conjunction"}
        ``replace``: the zones of ``j``; ``conjunction``: those of ``i`` and ``j``.

    Returns
    -------
    Rewrite
        Of ``text_i``, with laterality word and count made to fit. Without edits where either text has no readable
        position (METHOD §1b: then no text edit), or where the donor is negative.

    Raises
    ------
    ReportError
        If the mode is unknown.
    """
    if mode not in ("replace", "conjunction"):
        raise ReportError(f"'{mode}' is no way of mixing: choose replace or conjunction.")
    one, other = parse(text_i), parse(text_j)
    if not other.zones or not (one.zones or one.is_negative):
        return Rewrite(text_i)
    if mode == "replace":
        return rewrite_zones(text_i, other.zones, count=other.count)
    both, style = one.zones | other.zones, style_of(one)
    counted = (
        []
        if style == "sgseg"
        else [count for count in (one.count, other.count) if count is not None]
    )
    return rewrite_zones(text_i, both, count=max([usual_count(both, style), *counted]))


def _check_actions(finding: Finding, actions: Sequence[str]) -> None:
    if len(actions) != len(finding.phrases):
        raise ReportError(
            f"The text has {len(finding.phrases)} positional phrases but {len(actions)} actions were given: "
            "draw one per phrase."
        )
    if unknown := [action for action in actions if action not in ("keep", "drop", "fuzz")]:
        raise ReportError(f"'{unknown[0]}' is no action of PosAug: choose keep, drop or fuzz.")


def _neutral_edits(finding: Finding) -> list[Edit]:
    edits = []
    if finding.laterality_span and not finding.is_negative:
        edits.append(closed_up(finding, finding.laterality_span, "hide laterality"))
    if finding.count_span:
        edits.append(edit_of(finding.text, *finding.count_span, "infected areas", "hide count"))
    spans = [(phrase.start, phrase.end) for phrase in finding.phrases]
    return [
        edit
        for edit in edits
        if all(edit.end <= start or end <= edit.start for start, end in spans)
    ]
