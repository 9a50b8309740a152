"""Sides and levels shared between the parts of one run of position words ("upper and lower left lung", "left and right
bases"). Works inside a run only; the rest of the sentence is `resolve`'s."""

from __future__ import annotations

from itertools import pairwise

from training.report.phrases import Part


def attach(parts: tuple[Part, ...]) -> None:
    """Share sides and levels between the parts of one run ("upper and lower left lung", "left and right bases")."""
    _drop_both_and(parts)
    _range_levels(parts)
    _levels_to_next_side(parts)
    for before, here in pairwise(parts):
        _level_after_side(before, here)
        _side_after_level(before, here)
    for here, after in zip(reversed(parts[:-1]), reversed(parts[1:]), strict=False):
        _side_before_level(here, after)
    _compared_sides(parts)


def _drop_both_and(parts: tuple[Part, ...]) -> None:
    """ "both upper and lower left lung": both counts the levels, not the lungs."""
    if len(parts) < 2 or not parts[0].both or parts[0].tokens[0].word != "both":
        return
    one, other = parts[0], parts[1]
    if other.joint != "and" or one.noun:
        return
    if one.levels and not one.undecided and other.levels and not other.both:
        one.both, one.sides, one.order = False, "", "L"
        if not other.sides:
            one.undecided = other.undecided = "both sides or both levels"


def _range_levels(parts: tuple[Part, ...]) -> None:
    for one, other in pairwise(parts):
        if other.joint == "to" and {one.levels, other.levels} == {"u", "l"}:
            one.levels = "um" if one.levels == "u" else "ml"


def _levels_to_next_side(parts: tuple[Part, ...]) -> None:
    for at in range(len(parts) - 2, -1, -1):
        here, after = parts[at], parts[at + 1]
        if (
            here.sides
            or not here.levels
            or here.noun
            or here.undecided
            or after.undecided
            or not after.sides
        ):
            continue
        if after.joint not in ("and", "comma", "to", "none") or (
            len(after.sides) > 1 and not after.both
        ):
            continue
        here.sides = after.sides
        if after.levels and after.order.startswith("S"):
            here.undecided = "a level before the other side's phrase"
            here.sides = ""
        elif not after.levels:
            after.levels = here.levels
            after.notes.append("shared levels")
        here.notes.append("shared side")


def _level_after_side(before: Part, here: Part) -> None:
    if here.sides or not here.levels or here.undecided or not before.sides or before.undecided:
        return
    side_first = before.order.startswith("S")
    if (
        side_first
        and before.levels
        and before.tokens[-1].kind == "level"
        and here.joint in ("and", "comma", "to", "none")
    ):
        here.sides, here.order = before.sides, "SL"
    elif not before.levels and before.noun and here.joint == "comma" and not before.both:
        before.levels = here.levels
        here.sides, here.order, here.repaired = before.sides, "SL", True


def _side_after_level(before: Part, here: Part) -> None:
    """ "lower zones of the left and right lungs" shares the level; "all left lung and right lung" shares "all"."""
    if (
        not here.sides
        or here.levels
        or here.undecided
        or before.undecided
        or here.joint != "and"
        or here.both
    ):
        return
    if not before.levels or before.sides == here.sides:
        return
    of_both = (
        before.inner_prep and before.order.startswith("L") and before.tokens[-1].kind != "noun"
    )
    if before.whole or of_both:
        here.levels = before.levels
        here.repaired |= before.whole and not of_both
        if before.whole:
            here.filled = "all"


def _side_before_level(here: Part, after: Part) -> None:
    if here.levels or not here.sides or here.noun or here.undecided or after.undecided or here.both:
        return
    if (
        after.joint in ("and", "cmp")
        and after.levels
        and after.order.startswith("S")
        and after.sides != here.sides
    ):
        here.levels = after.levels
        here.notes.append("shared levels")


def _compared_sides(parts: tuple[Part, ...]) -> None:
    """ "left > right lower zones" names both sides; "left > right" alone compares and names no level."""
    for one, other in pairwise(parts):
        if other.joint == "cmp" and not one.levels and not other.levels:
            one.notes.append("compared")
            other.notes.append("compared")
