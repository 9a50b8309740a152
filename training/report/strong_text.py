"""TextStrong, the generic text augmentation of the ablation (METHOD §1, table 3): words dropped, replaced by synonyms
or swapped with their neighbor, blind to what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from training.report.finding import Edit, ReportError, Rewrite, apply_edits, edit_of

WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*")
ACTIONS = ("keep", "drop", "synonym", "swap")
SYNONYMS = {
    "pulmonary": "lung",
    "infection": "disease",
    "infected": "affected",
    "area": "region",
    "areas": "regions",
    "opacity": "density",
    "opacities": "densities",
    "consolidation": "opacification",
    "patchy": "spotty",
    "bilateral": "two-sided",
    "unilateral": "one-sided",
    "upper": "superior",
    "middle": "mid",
    "lower": "inferior",
    "all": "entire",
    "lung": "lobe",
    "lobe": "lung",
}


def draw_strong_text(
    rng: np.random.Generator,
    text: str,
    drop: float = 0.1,
    synonym: float = 0.1,
    swap: float = 0.1,
) -> tuple[str, ...]:
    """Draw one action per word.

    Parameters
    ----------
    rng : numpy.random.Generator
        One number is drawn per word.
    text : str
        Description.
    drop, synonym, swap : float
        Chances in [0, 1] whose sum is at most 1.

    Returns
    -------
    tuple of {"keep", "drop", "synonym", "swap"}, one per word of the text

    Raises
    ------
    ReportError
        If the chances are impossible.
    """
    if min(drop, synonym, swap) < 0 or drop + synonym + swap > 1:
        raise ReportError(
            f"TextStrong's chances are {drop}, {synonym}, {swap}: give 0 or more each, together at most 1."
        )
    limits = np.cumsum([drop, synonym, swap])
    names = ("drop", "synonym", "swap", "keep")
    draws = rng.random(len(WORD.findall(text)))
    return tuple(names[int(np.searchsorted(limits, draw, side="right"))] for draw in draws)


def strong_text(text: str, draws: np.random.Generator | Sequence[str]) -> Rewrite:
    """Drop, replace and swap words without regard to their meaning.

    Parameters
    ----------
    text : str
        Description.
    draws : numpy.random.Generator or sequence of str
        Actions from `draw_strong_text`, or a generator to draw them with the default chances.

    Returns
    -------
    Rewrite
        ``swap`` exchanges a word with the next one (which then ignores its own action), ``synonym`` leaves a word
        without a synonym as it is, and a text never loses its last word.

    Raises
    ------
    ReportError
        If the actions do not fit the words.
    """
    actions = (
        draw_strong_text(draws, text) if isinstance(draws, np.random.Generator) else tuple(draws)
    )
    words = list(WORD.finditer(text))
    if len(actions) != len(words) or set(actions).difference(ACTIONS):
        raise ReportError(
            f"The text has {len(words)} words: give one of {', '.join(ACTIONS)} for each, not {actions}."
        )
    if words and all(action == "drop" for action in actions):
        actions = ("keep", *actions[1:])
    return apply_edits(text, _edits(text, words, actions))


def _edits(text: str, words: list[re.Match[str]], actions: tuple[str, ...]) -> list[Edit]:
    edits: list[Edit] = []
    at = 0
    while at < len(words):
        word, action = words[at], actions[at]
        if action == "swap" and at + 1 < len(words):
            after = words[at + 1]
            between = text[word.end() : after.start()]
            edits.append(
                edit_of(text, word.start(), after.end(), after[0] + between + word[0], "swap")
            )
            at += 2
            continue
        if action == "drop":
            end = word.end() + (text[word.end() : word.end() + 1] == " ")
            edits.append(edit_of(text, word.start(), end, "", "drop"))
        elif action == "synonym" and (other := SYNONYMS.get(word[0].lower())):
            edits.append(edit_of(text, *word.span(), _like(word[0], other), "synonym"))
        at += 1
    return edits


def _like(model: str, word: str) -> str:
    return word.capitalize() if model[:1].isupper() else word
