"""New zones for words that name each place in a sentence of its own."""

from __future__ import annotations

import pytest

from training.report import parse, rewrite_zones

SPREAD = (
    "Patchy opacity in the left lower lobe and, less marked, consolidation in the right upper lobe."
)


@pytest.mark.parametrize(
    ("before", "zones", "after"),
    [
        (
            SPREAD,
            ("Lu", "Ru"),
            "Patchy opacity in the upper left lung and, less marked, consolidation in the right upper lobe.",
        ),
        (
            SPREAD,
            ("Ll",),
            "Patchy opacity in the left lower lobe and, less marked, consolidation in the same region.",
        ),
        (
            "LEFT LOWER LUNG OPACITY, RIGHT UPPER LUNG NODULE.",
            ("Ll",),
            "LEFT LOWER LUNG OPACITY, THE SAME REGION NODULE.",
        ),
        (
            "Opacity in the left lower lobe. Another opacity in the right upper zone.",
            ("Lm", "Ru"),
            "Opacity in the middle left lung. Another opacity in the right upper zone.",
        ),
    ],
)
def test_each_place_changes_where_it_stands(before, zones, after):
    assert rewrite_zones(before, zones).text == after
    assert parse(after).zones == frozenset(zones)


def test_a_side_that_no_phrase_has_room_for_is_not_forced_in():
    text = rewrite_zones(
        "Opacity in the left lower lobe. Another one in the left upper zone.", ("Ll", "Rl")
    ).text
    assert parse(text).zones == frozenset({"Ll", "Rl"})
