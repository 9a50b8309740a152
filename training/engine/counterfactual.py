"""How a network follows its words: films with lesions that nobody mentions, descriptions changed against the truth, and
what the masks then cover. It trains nothing and prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.engine.data import shrink_image, shrink_mask
from training.engine.predict import Predictor
from training.engine.streams import derangement
from training.engine.words import finding_of, text_with_zones, without_position
from training.metrics import Overlap, Scores, overlap, summarize
from training.phantom import PhantomCase, PhantomConfig, make_case
from training.report import ZONES, swap_sides

SMALLEST_FILM = 64  # The phantom draws nothing smaller.
BATCH = 32
VARIANTS = {
    "true": "the true description",
    "distractors": "rewritten to name the distractors",
    "hidden": "every position hidden ([UNK_POS])",
    "flipped": "left and right exchanged",
    "none": "no description",
    "shuffled": "the description of another film",
    "constant": "one description for all films",
}


@dataclass(frozen=True)
class ReferringFilms:
    """Phantom films at a network's size, with the lesions that are meant and those that are not.

    Attributes
    ----------
    images : (N, S, S) uint8
    targets, distractors : (N, S, S) uint8, 0 or 1
    zone_maps : (N, S, S) uint8
        Number of the zone in `ZONES` as descriptions name it, from 1; 0 outside the lungs.
    descriptions : tuple of str
    distractor_zones : tuple of frozenset of str
    """

    images: Tensor
    targets: NDArray[np.uint8]
    distractors: NDArray[np.uint8]
    zone_maps: NDArray[np.uint8]
    descriptions: tuple[str, ...]
    distractor_zones: tuple[frozenset[str], ...]

    @property
    def with_distractors(self) -> NDArray[np.bool_]:
        """Films that show a lesion that nobody mentions, ``(N,)``."""
        return np.asarray(self.distractors.any((1, 2)), bool)


@dataclass(frozen=True)
class Coverage:
    """What the masks of one kind of description cover, over a set of films; shares in [0, 1].

    Attributes
    ----------
    films : int
    targets : Scores
        Against the lesions that are meant.
    distractors : Scores or None
        Against those that nobody mentions; None where some of the films have none.
    inside_shown, inside_true : float or None
        Share of all predicted foreground inside the zones that the shown, and the true, description
        names; None where it names none, or nothing is predicted.
    """

    films: int
    targets: Scores
    distractors: Scores | None
    inside_shown: float | None
    inside_true: float | None


def phantom_films(config: PhantomConfig, seed: int, count: int, side: int) -> ReferringFilms:
    """Draw ``count`` films for a network of ``side`` pixels; the size in ``config`` is not used."""
    size = max(SMALLEST_FILM, side)
    sized = config.model_copy(update={"size": size})
    cases = [make_case(sized, seed, index) for index in range(count)]
    images = [shrink_image(np.divide(case.image, 255, dtype=np.float32), side) for case in cases]
    rows = (np.arange(side) * 2 + 1) * size // (2 * side)
    maps = [_named_map(case, sized)[np.ix_(rows, rows)] for case in cases]
    return ReferringFilms(
        torch.from_numpy(np.stack(images)),
        np.stack([shrink_mask(case.mask, side) for case in cases]),
        np.stack([shrink_mask(case.distractors, side) for case in cases]),
        np.stack(maps),
        tuple(case.description for case in cases),
        tuple(case.distractor_zones for case in cases),
    )


def changed_texts(
    films: ReferringFilms, variant: str, rng: np.random.Generator
) -> tuple[str | None, ...]:
    """The descriptions to show; None for a film that has none of the variant (no distractors).

    Parameters
    ----------
    variant : str
        A name of `VARIANTS`. The constant description is the most frequent one.
    rng : numpy.random.Generator
        Chooses who gets whose words.
    """
    texts = films.descriptions
    if variant == "distractors":
        pairs = zip(texts, films.distractor_zones, films.with_distractors, strict=True)
        return tuple(
            text_with_zones(text, zones) if shown else None for text, zones, shown in pairs
        )
    if variant == "hidden":
        return tuple(without_position(text) for text in texts)
    if variant == "flipped":
        return tuple(swap_sides(text).text for text in texts)
    if variant == "none":
        return ("",) * len(texts)
    if variant == "shuffled":
        return tuple(texts[number] for number in derangement(len(texts), rng))
    if variant == "constant":
        return (Counter(texts).most_common(1)[0][0],) * len(texts)
    return texts


def measure(
    predictor: Predictor,
    films: ReferringFilms,
    texts: Sequence[str | None],
    threshold: float = 0.5,
) -> dict[str, Coverage]:
    """Coverage over the films ``with distractors`` and over ``all`` films; a set without films is left out.

    Films whose text is None are not looked at, and then ``all`` is left out too.
    """
    masks = _predict(predictor, films, texts, threshold)
    shown = np.array([text is not None for text in texts])
    sets = {"with distractors": films.with_distractors & shown, "all": shown}
    if not shown.all():
        del sets["all"]
    return {
        name: _cover(films, masks, texts, np.flatnonzero(chosen))
        for name, chosen in sets.items()
        if chosen.any()
    }


def _predict(
    predictor: Predictor, films: ReferringFilms, texts: Sequence[str | None], threshold: float
) -> NDArray[np.bool_]:
    masks = []
    for start in range(0, len(texts), BATCH):
        words = tuple(text or "" for text in texts[start : start + BATCH])
        masks.append(predictor.batch(films.images[start : start + BATCH], words) >= threshold)
    return np.concatenate(masks)


def _cover(
    films: ReferringFilms,
    masks: NDArray[np.bool_],
    texts: Sequence[str | None],
    numbers: NDArray[np.int64],
) -> Coverage:
    def against(references: NDArray[np.uint8]) -> list[Overlap]:
        return [overlap(masks[number], references[number]) for number in numbers]

    every = films.with_distractors[numbers].all()
    shown = [texts[number] or "" for number in numbers]
    true = [films.descriptions[number] for number in numbers]
    return Coverage(
        len(numbers),
        summarize(against(films.targets)),
        summarize(against(films.distractors)) if every else None,
        _inside(films.zone_maps[numbers], masks[numbers], shown),
        _inside(films.zone_maps[numbers], masks[numbers], true),
    )


def _inside(
    zone_maps: NDArray[np.uint8], masks: NDArray[np.bool_], texts: Sequence[str]
) -> float | None:
    inside = whole = 0
    for zone_map, mask, text in zip(zone_maps, masks, texts, strict=True):
        zones = finding_of(text).zones
        if zones:
            named = np.isin(zone_map, [ZONES.index(zone) + 1 for zone in zones])
            inside += int(np.count_nonzero(mask & named))
            whole += int(np.count_nonzero(mask))
    return inside / whole if whole else None


def _named_map(case: PhantomCase, config: PhantomConfig) -> NDArray[np.uint8]:
    if config.laterality == "image":
        return case.zone_map
    # The first half of the zones is left, and the picture's right is now left.
    half = len(ZONES) // 2
    renamed = np.array([0, *range(half + 1, 2 * half + 1), *range(1, half + 1)], np.uint8)
    return renamed[case.zone_map]
