"""Hypothesis strategies for findings, written texts and typing errors."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from training.report import STYLES, ZONES, render

ALL_FINDINGS = [
    frozenset(z for bit, z in enumerate(ZONES) if code >> bit & 1) for code in range(64)
]
findings = st.sampled_from(ALL_FINDINGS)
named_findings = st.sampled_from(ALL_FINDINGS[1:])
styles = st.sampled_from(STYLES)
written = st.builds(lambda zones, style: (zones, render(zones, style)), named_findings, styles)

MESSY = st.text(
    st.one_of(st.sampled_from("leftrighupmdwoangRL ,.;-[]_/"), st.characters()), max_size=120
)
WORDS = [
    "left", "right", "upper", "middle", "lower", "lung", "lungs", "lobe", "all", "both", "and", "or", "no", "not",
    "clear", "bilateral", "unilateral", "base", "zone", "of", "the", "effusion", "opacity", "in", ",", ".", ";",
    ">", "RUL", "lingula", "sparing", "without", "infection", "one", "two", "areas", "lft", "uper", "[UNK_POS]",
    "except",
]  # fmt: skip
jumbled = st.lists(st.sampled_from(WORDS), max_size=18).map(" ".join)
any_text = st.one_of(MESSY, jumbled, written.map(lambda pair: pair[1]))


@st.composite
def mistyped(draw: st.DrawFn, most: int = 2) -> tuple[frozenset[str], str, str]:
    """Zones, their text, and the text with one or two typing errors."""
    zones, text = draw(written)
    typed = text
    for _ in range(draw(st.integers(1, most))):
        typed = _slip(draw, typed)
    return zones, text, typed


def _slip(draw: st.DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase + " "))
    return draw(
        st.sampled_from(
            [
                text[:at] + text[at + 1 :],
                text[:at] + letter + text[at:],
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
            ]
        )
    )
