"""What student and teacher get to see of a step's cases: keys in, tensors and words out. No networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import ViewsConfig
from training.engine.apart import NOBODY, Apart, may_meet
from training.engine.blocks import PatchDraw, draw_patch
from training.engine.films import Films, StudentFilms
from training.engine.mirroring import mirror_some
from training.engine.mixing import (
    PatchPlan,
    SideDraw,
    draw_side,
    nothing_pasted,
    plan_patch,
    side_masks,
    side_text,
)
from training.engine.streams import Key, derangement
from training.engine.transfer import to_device
from training.engine.views import apply_strong, apply_weak, draw_strong, draw_weak
from training.engine.words import change_words, hide_positions
from training.engine.zone_bands import moved
from training.report.zones import Convention

SIDE_MIX, SIDE_PASTE = "side mix", "side paste"  # Streams of whole sides: labeled, unlabeled films.
T = TypeVar("T")


def weak_views(films: Films, views: ViewsConfig) -> Films:
    """The films in the geometry of their weak views."""
    draws = [draw_weak(key, views) for key in films.keys]
    images, masks = apply_weak(films.images, films.masks, draws)
    known = None if films.known is None else apply_weak(films.known, films.known, draws)[1]
    return replace(films, images=images, masks=masks, known=known)


def strong_images(weak: Films, views: ViewsConfig) -> Tensor:
    """The strong views' photometric part, ``(B, 1, H, W) float in [0, 1]``, of films that are already weak views."""
    return apply_strong(weak.images, [draw_strong(key, views) for key in weak.keys])


def labeled_student_films(weak: Films, views: ViewsConfig, convention: Convention) -> StudentFilms:
    """Labeled films with patches and whole lung sides of each other, masks and words moving along."""
    assert weak.masks is not None
    images = strong_images(weak, views) if views.labeled_photometry else weak.images
    partners, sources = labeled_partners(weak.keys), _ids(weak.keys)
    texts, theirs = _pick(weak.texts, partners), _pick(sources, partners)
    rows = to_device(torch.from_numpy(partners), images.device)
    own = StudentFilms(images, weak.masks, weak.texts, weak.texts, sources=sources)
    tried = views.model_copy(update={"patch_probability": views.labeled_patch_probability})
    return paste_sides(
        patch_films(own, weak, tried, convention, partners),
        StudentFilms(images[rows], weak.masks[rows], texts, (), sources=theirs),
        weak.keys,
        (SIDE_MIX, views.side_mix_probability),
        convention,
        weak.apart,
    )


def labeled_partners(keys: tuple[Key, ...]) -> NDArray[np.int64]:
    """For each labeled film of a batch the one whose side it may get, ``(B,) int64``."""
    return derangement(len(keys), keys[0].stream("labeled partners"))


def patch_partners(keys: tuple[Key, ...]) -> NDArray[np.int64]:
    """For each unlabeled film of a batch its partner in T-PatchMix, ``(B,) int64``."""
    return derangement(len(keys), keys[0].stream("patch partners"))


def side_donors(keys: tuple[Key, ...], labeled: int) -> NDArray[np.int64]:
    """For each unlabeled film of a batch the one of ``labeled`` films whose side it may get, ``(B,) int64``."""
    return keys[0].stream("labeled donors").permutation(len(keys)) % labeled


def unlabeled_student_films(
    weak: Films,
    probabilities: Tensor,
    labeled: StudentFilms,
    views: ViewsConfig,
    convention: Convention,
) -> StudentFilms:
    """Strong views of unlabeled films: patches, sides of labeled films, mirrored ones, changed words.

    Parameters
    ----------
    weak : Films
        Weak views, with the full descriptions.
    probabilities : (B, 1, H, W) float in [0, 1]
        The teacher's, of the same weak views.
    labeled : StudentFilms
        Donors of whole sides with exact masks.
    """
    own = StudentFilms(strong_images(weak, views), probabilities, weak.texts, weak.texts)
    patched = patch_films(own, weak, views, convention)
    donors = side_donors(weak.keys, len(labeled.texts))
    texts, theirs = _pick(labeled.full_texts, donors), _pick(_accounted(labeled), donors)
    rows = to_device(torch.from_numpy(donors), labeled.images.device)
    donated = StudentFilms(labeled.images[rows], labeled.targets[rows], texts, (), sources=theirs)
    stream = SIDE_PASTE, views.side_paste_probability
    mixed = paste_sides(patched, donated, weak.keys, stream, convention, weak.apart)
    return _change_words(mirror_some(mixed, weak.keys, views), weak.keys, views)


def paste_sides(
    own: StudentFilms,
    donors: StudentFilms,
    keys: tuple[Key, ...],
    stream: tuple[str, float],
    convention: Convention,
    apart: Apart = NOBODY,
) -> StudentFilms:
    """Replace a half of some films by their donor's; ``stream`` is its name and the probability."""
    pairs = tuple(zip(_accounted(own), _accounted(donors), strict=True))
    allowed = [may_meet(apart, ours, theirs) for ours, theirs in pairs]
    draws, texts = _drawn_sides(own.texts, donors.texts, keys, stream, convention, allowed)
    taken = to_device(side_masks(draws, *own.images.shape[2:]), own.images.device)
    return replace(
        own,
        images=torch.where(taken, donors.images, own.images),
        targets=torch.where(taken, donors.targets.to(own.targets.dtype), own.targets),
        texts=tuple(texts),
        full_texts=tuple(texts),
        sides=tuple(draws),
        sources=tuple(
            ours | theirs if draw.half else ours
            for (ours, theirs), draw in zip(pairs, draws, strict=True)
        ),
    )


def _drawn_sides(
    texts: tuple[str, ...],
    donors: tuple[str, ...],
    keys: tuple[Key, ...],
    stream: tuple[str, float],
    convention: Convention,
    allowed: list[bool],
) -> tuple[list[SideDraw], list[str]]:
    """Which half of each film comes from its donor, and the words then; none where words or readers forbid it."""
    name, probability = stream
    draws, words = [draw_side(key, name, probability) for key in keys], list(texts)
    for number, draw in enumerate(draws):
        if draw.half is None:
            continue
        if not allowed[number]:
            draws[number] = SideDraw(may_meet=False)
            continue
        text = side_text(texts[number], donors[number], draw.half, convention)
        if text is None:
            draws[number] = replace(draw, half=None)
        else:
            words[number] = text
    return draws, words


def patch_films(
    own: StudentFilms,
    weak: Films,
    views: ViewsConfig,
    convention: Convention,
    partners: NDArray[np.int64] | None = None,
) -> StudentFilms:
    """T-PatchMix between the films of a batch.

    Parameters
    ----------
    weak : Films
        The same films as weak views.
    partners : (B,) int64, optional
        Numbers of the films that blocks come from; else drawn so that two films are each other's partners.
    """
    partners = patch_partners(weak.keys) if partners is None else partners
    targets = own.targets if weak.known is None else weak.known
    plans = plan_patches(targets, own.texts, weak, views, convention, partners)
    blocks = torch.stack([torch.from_numpy(plan.blocks) for plan in plans])[:, None]
    blocks, rows = (
        to_device(each, own.images.device) for each in (blocks, torch.from_numpy(partners))
    )
    texts, sources = tuple(plan.text for plan in plans), own.sources or _ids(weak.keys)
    return StudentFilms(
        images=torch.where(blocks, own.images[rows], own.images),
        targets=torch.where(blocks, own.targets[rows], own.targets),
        texts=texts,
        full_texts=texts,
        plans=plans,
        sources=tuple(
            sources[i] | sources[j] if plans[i].accepted else sources[i]
            for i, j in enumerate(partners)
        ),
    )


def plan_patches(
    targets: Tensor,
    texts: tuple[str, ...],
    weak: Films,
    views: ViewsConfig,
    convention: Convention,
    partners: NDArray[np.int64],
) -> tuple[PatchPlan, ...]:
    """What T-PatchMix does with each film of a batch.

    Parameters
    ----------
    targets : (B, 1, H, W) float in [0, 1]
        Masks or the teacher's probabilities of the weak views.
    texts : tuple of str
        Their words as they are now.
    weak : Films
        Keys, readers' objections and zones of the films.
    partners : (B,) int64
        Numbers of the films that blocks come from.
    """
    keys = weak.keys
    draws = [
        draw_patch(key, views) if i != j else PatchDraw()
        for i, (key, j) in enumerate(zip(keys, partners, strict=True))
    ]
    if all(draw.mode is None for draw in draws):  # then nobody needs to wait for the teacher
        return tuple(nothing_pasted(targets.shape[2:], text) for text in texts)
    maps = targets[:, 0].float().cpu().numpy()
    return tuple(
        plan_patch(
            draws[i],
            (maps[i], texts[i]),
            (maps[j], texts[j]),
            views,
            convention,
            may_meet(weak.apart, (key.case_id,), (keys[j].case_id,)),
            moved(weak.bands, draw_weak(key, views)),
        )
        for i, (key, j) in enumerate(zip(keys, partners, strict=True))
    )


def _change_words(films: StudentFilms, keys: tuple[Key, ...], views: ViewsConfig) -> StudentFilms:
    if views.text_change == "textstrong":
        pairs = zip(films.texts, keys, strict=True)
        changed = tuple(change_words(text, key.stream("textstrong")) for text, key in pairs)
        return replace(films, texts=changed)
    hidden = tuple(
        hide_positions(
            text, key.stream("posaug"), views.posaug_probability, views.posaug_fuzz_share
        )[0]
        for text, key in zip(films.texts, keys, strict=True)
    )
    return replace(films, texts=hidden)


def _pick(values: Sequence[T], numbers: NDArray[np.int64]) -> tuple[T, ...]:
    return tuple(values[int(number)] for number in numbers)


def _ids(keys: tuple[Key, ...]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset((key.case_id,)) for key in keys)


def _accounted(films: StudentFilms) -> tuple[frozenset[str], ...]:
    return films.sources or (frozenset(),) * len(films.texts)
