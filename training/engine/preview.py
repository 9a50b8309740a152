"""A case's views as the trainer makes them, by the trainer's own functions, with the sentences that tell of them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import ViewsConfig
from training.engine.inputs import (
    SIDE_MIX,
    SIDE_PASTE,
    Films,
    StudentFilms,
    drawn_sides,
    labeled_student_films,
    mirror_words,
    patch_films,
    strong_images,
    unlabeled_student_films,
)
from training.engine.mixing import SideDraw, draw_patch, side_masks
from training.engine.views import draw_strong, draw_weak
from training.engine.words import finding_of, hide_positions
from training.report.augment import posaug
from training.report.finding import Rewrite
from training.report.rewrite import rewrite_zones
from training.report.zones import Convention

Arrays = dict[str, NDArray[Any]]
Told = dict[str, Any]


def preview(
    weak: Films, labeled: tuple[bool, ...], views: ViewsConfig, convention: Convention
) -> tuple[Arrays, Told]:
    """What training would make of the first film.

    Parameters
    ----------
    weak : Films
        Weak views of the case, of its partner in mixing and, if there is one, of a labeled donor of sides;
        ``masks`` holds what is known of their lesions, masks or probabilities.
    labeled : tuple of bool
        Whether each of these has a reference mask.

    Returns
    -------
    arrays : dict
        ``weak``, ``strong``, ``mixed`` (images), ``mixed_mask``, ``block_mask``: one try of T-PatchMix, drawn whether
        or not the settings' chance allows it. ``student``, ``student_mask``, ``side_mask``: all of an unlabeled
        film's strong view, by the settings. ``labeled``, ``labeled_mask``: what a labeled film becomes, if it is one.
    told : dict
        Texts, edits, draws and words (docs/architecture.md).
    """
    pair = _some(weak, slice(0, 2))
    strong = strong_images(pair, views)
    tried = views.model_copy(update={"patch_probability": 1.0})
    assert pair.masks is not None
    own = StudentFilms(strong, pair.masks, pair.texts, pair.texts)
    mixed = patch_films(own, pair.keys, tried, convention)
    plan = mixed.plans[0]
    arrays: Arrays = {
        "weak": _picture(pair.images),
        "strong": _picture(strong),
        "mixed": _picture(mixed.images),
        "mixed_mask": _mask(mixed.targets),
        "block_mask": plan.blocks.astype(np.uint8),
    }
    told = _tell_parts(pair, tried, plan.text, plan.words)
    _add(arrays, told, _student(pair, _donor(weak, views, convention), views, convention))
    if labeled[0] and len(weak.keys) > 2:
        _add(arrays, told, _labeled(_some(weak, [0, 2]), views, convention))
    return arrays, told


def _student(
    pair: Films, donor: StudentFilms | None, views: ViewsConfig, convention: Convention
) -> tuple[Arrays, Told]:
    """An unlabeled film with everything that happens to it, in the trainer's order."""
    key, probabilities = pair.keys[0], pair.masks
    assert probabilities is not None
    if donor is None:  # Nobody is labeled yet: a film never takes a side of itself.
        views = views.model_copy(update={"side_paste_probability": 0.0})
    shown = donor or StudentFilms(
        pair.images[:1], probabilities[:1], pair.texts[:1], pair.texts[:1]
    )
    films = unlabeled_student_films(pair, probabilities, shown, views, convention)
    plan, donated = films.plans[0], shown.full_texts[:1]
    stream = SIDE_PASTE, views.side_paste_probability
    (side,), (text,) = drawn_sides((plan.text,), donated, (key,), stream, convention)
    mirrored = mirror_words(text, key, views) is not None
    taken = side_masks([side], *films.images.shape[2:])
    arrays: Arrays = {
        "student": _picture(films.images),
        "student_mask": _mask(films.targets),
        "side_mask": _mask((taken.flip(3) if mirrored else taken).float()),
    }
    draws = {"side": side.half, "mirrored": mirrored, "patched": plan.accepted}
    return arrays, {
        "texts": {"student": films.texts[0], "student_full": films.full_texts[0]},
        "draws": draws | {"text_change": views.text_change},
        "words": _student_words(side, mirrored, films.texts[0] != films.full_texts[0], views),
    }


def _student_words(side: SideDraw, mirrored: bool, changed: bool, views: ViewsConfig) -> list[str]:
    sentences = []
    if side.half is not None:
        sentences.append(f"The {side.half} half of a labeled film is pasted in, words included.")
    if mirrored:
        sentences.append("The film is mirrored, left and right exchanged in its words.")
    if views.text_change == "textstrong" and changed:
        sentences.append("TextStrong drops, replaces or swaps words, whatever they mean.")
    return sentences


def _labeled(pair: Films, views: ViewsConfig, convention: Convention) -> tuple[Arrays, Told]:
    """The case as one of the labeled pool: perhaps with a side of another labeled film."""
    films = labeled_student_films(pair, views, convention)
    donors, stream = pair.texts[1:], (SIDE_MIX, views.side_mix_probability)
    (side,), _ = drawn_sides(pair.texts[:1], donors, pair.keys[:1], stream, convention)
    arrays: Arrays = {"labeled": _picture(films.images), "labeled_mask": _mask(films.targets)}
    words = [] if side.half is None else [f"As a labeled film: {_lower(side.words())}"]
    return arrays, {
        "texts": {"labeled": films.texts[0]},
        "draws": {"labeled_side": side.half},
        "words": words,
    }


def _donor(weak: Films, views: ViewsConfig, convention: Convention) -> StudentFilms | None:
    if len(weak.keys) < 3:
        return None
    return labeled_student_films(_some(weak, slice(2, 3)), views, convention)


def _tell_parts(pair: Films, views: ViewsConfig, mixed: str, what: str) -> Told:
    key, text = pair.keys[0], pair.texts[0]
    weak, strong, patch = draw_weak(key, views), draw_strong(key, views), draw_patch(key, views)
    chances = views.posaug_probability, views.posaug_fuzz_share
    hidden, actions = hide_positions(text, key.stream("posaug"), *chances)
    edits = {
        "posaug": _edits(posaug(text, actions)),
        "mixed": _edits(rewrite_zones(text, finding_of(mixed).zones)) if mixed != text else [],
    }
    draws = {
        "weak": asdict(weak),
        "strong": asdict(strong),
        "patch": asdict(patch),
        "posaug": list(actions),
    }
    count = sum(action != "keep" for action in actions)
    words = [weak.words(), strong.words(), f"Hidden positions: {count} of {len(actions)}.", what]
    texts = {"posaug": hidden, "mixed": mixed}
    return {"texts": texts, "edits": edits, "draws": draws, "words": words}


def _add(arrays: Arrays, told: Told, more: tuple[Arrays, Told]) -> None:
    arrays.update(more[0])
    told["texts"] |= more[1]["texts"]
    told["draws"] |= more[1]["draws"]
    told["words"] += more[1]["words"]


def _some(films: Films, which: slice | list[int]) -> Films:
    numbers = list(range(len(films.keys)))[which] if isinstance(which, slice) else which
    return replace(
        films,
        keys=tuple(films.keys[number] for number in numbers),
        images=films.images[numbers],
        masks=None if films.masks is None else films.masks[numbers],
        texts=tuple(films.texts[number] for number in numbers),
    )


def _edits(rewrite: Rewrite) -> list[dict[str, Any]]:
    return [asdict(edit) for edit in rewrite.edits]


def _picture(images: Tensor) -> NDArray[np.float32]:
    return images[0, 0].numpy()


def _mask(targets: Tensor) -> NDArray[np.uint8]:
    return (targets[0, 0] >= 0.5).to(torch.uint8).numpy()


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
