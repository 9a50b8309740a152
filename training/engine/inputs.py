"""What student and teacher get to see of a step's cases: keys in, tensors and words out. No networks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import ViewsConfig
from training.engine.mixing import (
    PatchDraw,
    PatchPlan,
    SideDraw,
    draw_patch,
    draw_side,
    plan_patch,
    side_masks,
    side_text,
)
from training.engine.streams import Key, derangement
from training.engine.views import apply_strong, apply_weak, draw_strong, draw_weak
from training.engine.words import change_words, hide_positions, mirrored_text
from training.report.zones import Convention

SIDE_MIX, SIDE_PASTE = "side mix", "side paste"  # Streams of whole sides: labeled, unlabeled films.


@dataclass(frozen=True)
class Films:
    """Cases of one step.

    Attributes
    ----------
    keys : tuple of Key
        Run, case and epoch of each.
    images : (B, 1, H, W) float in [0, 1]
    masks : (B, 1, H, W) float, or None
        Reference masks; for unlabeled films None.
    texts : tuple of str
        Descriptions.
    """

    keys: tuple[Key, ...]
    images: Tensor
    masks: Tensor | None
    texts: tuple[str, ...]


@dataclass(frozen=True)
class StudentFilms:
    """What the student learns from.

    Attributes
    ----------
    images : (B, 1, H, W) float in [0, 1]
        Not yet z-scored.
    targets : (B, 1, H, W) float in [0, 1]
        Masks or mixed probabilities.
    texts, full_texts : tuple of str
        Words as the student reads them, and the same before positions were hidden.
    plans : tuple of PatchPlan
        What T-PatchMix did.
    """

    images: Tensor
    targets: Tensor
    texts: tuple[str, ...]
    full_texts: tuple[str, ...]
    plans: tuple[PatchPlan, ...] = ()


def weak_views(films: Films, views: ViewsConfig) -> Films:
    """The films in the geometry of their weak views."""
    draws = [draw_weak(key, views) for key in films.keys]
    images, masks = apply_weak(films.images, films.masks, draws)
    return replace(films, images=images, masks=masks)


def strong_images(weak: Films, views: ViewsConfig) -> Tensor:
    """The photometric part of the strong views of films that are already weak views."""
    return apply_strong(weak.images, [draw_strong(key, views) for key in weak.keys])


def labeled_student_films(weak: Films, views: ViewsConfig, convention: Convention) -> StudentFilms:
    """Labeled films with whole lung sides swapped between them, masks and words moving along."""
    assert weak.masks is not None
    images = strong_images(weak, views) if views.labeled_photometry else weak.images
    partners = derangement(len(images), weak.keys[0].stream("labeled partners"))
    mixed = paste_sides(
        StudentFilms(images, weak.masks, weak.texts, weak.texts),
        StudentFilms(images[partners], weak.masks[partners], _pick(weak.texts, partners), ()),
        weak.keys,
        (SIDE_MIX, views.side_mix_probability),
        convention,
    )
    return mixed


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
    patched = patch_films(own, weak.keys, views, convention)
    rng = weak.keys[0].stream("labeled donors")
    donors = rng.permutation(len(weak.keys)) % len(labeled.texts)
    donated = StudentFilms(
        labeled.images[donors], labeled.targets[donors], _pick(labeled.full_texts, donors), ()
    )
    mixed = paste_sides(
        patched, donated, weak.keys, (SIDE_PASTE, views.side_paste_probability), convention
    )
    return _change_words(mirror_some(mixed, weak.keys, views), weak.keys, views)


def paste_sides(
    own: StudentFilms,
    donors: StudentFilms,
    keys: tuple[Key, ...],
    stream: tuple[str, float],
    convention: Convention,
) -> StudentFilms:
    """Replace a half of some films by their donor's; ``stream`` is its name and the probability."""
    draws, texts = drawn_sides(own.texts, donors.texts, keys, stream, convention)
    taken = side_masks(draws, *own.images.shape[2:]).to(own.images.device)
    return replace(
        own,
        images=torch.where(taken, donors.images, own.images),
        targets=torch.where(taken, donors.targets.to(own.targets.dtype), own.targets),
        texts=tuple(texts),
        full_texts=tuple(texts),
    )


def drawn_sides(
    texts: tuple[str, ...],
    donors: tuple[str, ...],
    keys: tuple[Key, ...],
    stream: tuple[str, float],
    convention: Convention,
) -> tuple[list[SideDraw], list[str]]:
    """Which half of each film comes from its donor, and the words then; none where words forbid it."""
    name, probability = stream
    draws, words = [draw_side(key, name, probability) for key in keys], list(texts)
    for number, draw in enumerate(draws):
        if draw.half is None:
            continue
        text = side_text(texts[number], donors[number], draw.half, convention)
        if text is None:
            draws[number] = replace(draw, half=None)
        else:
            words[number] = text
    return draws, words


def patch_films(
    own: StudentFilms, keys: tuple[Key, ...], views: ViewsConfig, convention: Convention
) -> StudentFilms:
    """T-PatchMix between the films of a batch; two films are each other's partners."""
    partners = derangement(len(keys), keys[0].stream("patch partners"))
    maps = own.targets[:, 0].float().cpu().numpy()
    plans = tuple(
        plan_patch(
            draw_patch(key, views) if i != j else PatchDraw(),
            (maps[i], own.texts[i]),
            (maps[j], own.texts[j]),
            views,
            convention,
        )
        for i, (key, j) in enumerate(zip(keys, partners, strict=True))
    )
    blocks = torch.stack([torch.from_numpy(plan.blocks) for plan in plans])[:, None]
    blocks = blocks.to(own.images.device)
    texts = tuple(plan.text for plan in plans)
    return StudentFilms(
        images=torch.where(blocks, own.images[partners], own.images),
        targets=torch.where(blocks, own.targets[partners], own.targets),
        texts=texts,
        full_texts=texts,
        plans=plans,
    )


def mirror_some(films: StudentFilms, keys: tuple[Key, ...], views: ViewsConfig) -> StudentFilms:
    """SPC: some films mirrored, left and right exchanged in their words (RESMatch; METHOD §1)."""
    if views.flip_probability == 0:
        return films
    pairs = zip(films.full_texts, keys, strict=True)
    texts = [mirror_words(text, key, views) for text, key in pairs]
    drawn = torch.tensor([text is not None for text in texts], device=films.images.device)
    turned = drawn[:, None, None, None]
    words = tuple(new or old for new, old in zip(texts, films.full_texts, strict=True))
    return replace(
        films,
        images=torch.where(turned, films.images.flip(3), films.images),
        targets=torch.where(turned, films.targets.flip(3), films.targets),
        texts=words,
        full_texts=words,
    )


def mirror_words(text: str, key: Key, views: ViewsConfig) -> str | None:
    """The words of a film that SPC mirrors; None if it stays as it is."""
    drawn = key.stream("mirror").random() < views.flip_probability
    return mirrored_text(text) if drawn else None


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


def _pick(texts: tuple[str, ...], numbers: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(texts[int(number)] for number in numbers)
