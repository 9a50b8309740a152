"""A case's views as the trainer makes them, by the trainer's own functions, with the sentences that tell of them. No
requests, no files."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import ViewsConfig
from training.engine.blocks import draw_patch
from training.engine.films import Films, StudentFilms
from training.engine.inputs import (
    labeled_student_films,
    patch_films,
    patch_partners,
    plan_patches,
    strong_images,
    unlabeled_student_films,
)
from training.engine.mixing import PatchPlan, SideDraw, side_masks
from training.engine.views import draw_strong, draw_weak
from training.engine.words import finding_of, hide_positions
from training.report.augment import posaug
from training.report.finding import Rewrite
from training.report.rewrite import rewrite_zones
from training.report.zones import Convention

Arrays = dict[str, NDArray[Any]]
Told = dict[str, Any]


def preview(
    pair: Films, donors: Films | None, labeled: bool, views: ViewsConfig, convention: Convention
) -> tuple[Arrays, Told]:
    """What training would make of the first film.

    Parameters
    ----------
    pair : Films
        Weak views of the case and, unless it is alone, of its partner in mixing; ``masks`` holds what is known of
        their lesions, masks or probabilities.
    donors : Films or None
        Weak views of the labeled film whose side may be pasted and, if there is one, of the labeled film that is
        mixed into that one before.
    labeled : bool
        Whether the case has a reference mask.

    Returns
    -------
    arrays : dict
        ``weak``, ``strong``, ``mixed`` (images), ``mixed_mask``, ``block_mask``: one try of T-PatchMix, drawn whether
        or not the settings' chance allows it; ``tried_mask``: its blocks, pasted or refused. ``student``,
        ``student_mask``, ``side_mask``: all of an unlabeled film's strong view, by the settings. ``labeled``,
        ``labeled_mask``: what a labeled film becomes, if it is one.
    told : dict
        Texts, edits, draws, gate and words (docs/architecture.md).
    """
    strong = strong_images(pair, views)
    assert pair.masks is not None
    own = StudentFilms(strong, pair.masks, pair.texts, pair.texts)
    mixed = patch_films(own, pair, always_tried(views), convention)
    plan = mixed.plans[0]
    arrays: Arrays = {
        "weak": _picture(pair.images),
        "strong": _picture(strong),
        "mixed": _picture(mixed.images),
        "mixed_mask": _mask(mixed.targets),
        "block_mask": plan.blocks.astype(np.uint8),
        "tried_mask": (plan.blocks if plan.tried is None else plan.tried).astype(np.uint8),
    }
    told = _tell_parts(pair, always_tried(views), plan.text, plan.words)
    told["gate"] = _tell_gate(pair, plan, views)
    _add(arrays, told, _student(pair, donors, views, convention))
    if labeled and donors is not None:
        _add(arrays, told, _labeled(pair, donors, views, convention))
    return arrays, told


def always_tried(views: ViewsConfig) -> ViewsConfig:
    """The settings with a try of T-PatchMix in every view, to look at."""
    return views.model_copy(update={"patch_probability": 1.0})


def plan_of(pair: Films, views: ViewsConfig, convention: Convention) -> PatchPlan:
    """The try of T-PatchMix that `preview` shows of the first film, without its pictures."""
    assert pair.masks is not None
    tried = always_tried(views)
    partners = patch_partners(pair.keys)
    return plan_patches(pair.masks, pair.texts, pair, tried, convention, partners)[0]


def _tell_gate(pair: Films, plan: PatchPlan, views: ViewsConfig) -> Told:
    return {
        "value": plan.rate,
        "threshold": views.patch_gate,
        "accepted": plan.accepted,
        "sentence": plan.words,
        "tried_in_training": draw_patch(pair.keys[0], views).mode is not None,
    }


def _student(
    pair: Films, donors: Films | None, views: ViewsConfig, convention: Convention
) -> tuple[Arrays, Told]:
    """An unlabeled film with everything that happens to it, in the trainer's order."""
    assert pair.masks is not None
    if donors is None:  # Nobody is labeled yet: a film never takes a side of itself.
        views = views.model_copy(update={"side_paste_probability": 0.0})
    shown = _first(labeled_student_films(donors or pair, views, convention))
    films = unlabeled_student_films(pair, pair.masks, shown, views, convention)
    plan, side, mirrored = films.plans[0], films.sides[0], any(films.mirrored[:1])
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
    if not side.may_meet:
        sentences.append(f"A half of a labeled film: {_lower(side.words())}")
    if side.half is not None:
        sentences.append(f"The {side.half} half of a labeled film is pasted in, words included.")
    if mirrored:
        sentences.append("The film is mirrored, left and right exchanged in its words.")
    if views.text_change == "textstrong" and changed:
        sentences.append("TextStrong drops, replaces or swaps words, whatever they mean.")
    return sentences


def _labeled(
    pair: Films, donors: Films, views: ViewsConfig, convention: Convention
) -> tuple[Arrays, Told]:
    """The case as one of the labeled pool: perhaps with patches and a side of another labeled film."""
    films = labeled_student_films(_joined(pair, donors), views, convention)
    side, plan = films.sides[0], films.plans[0]
    arrays: Arrays = {"labeled": _picture(films.images), "labeled_mask": _mask(films.targets)}
    said = [plan.words] if plan.accepted else []
    if side.half is not None or not side.may_meet:
        said.append(side.words())
    return arrays, {
        "texts": {"labeled": films.texts[0]},
        "draws": {"labeled_side": side.half, "labeled_patched": plan.accepted},
        "words": [f"As a labeled film: {_lower(sentence)}" for sentence in said],
    }


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


def _joined(pair: Films, donors: Films) -> Films:
    """The case and the labeled film that is mixed into it."""
    assert pair.masks is not None
    assert donors.masks is not None
    return replace(
        pair,
        keys=(pair.keys[0], donors.keys[0]),
        images=torch.cat([pair.images[:1], donors.images[:1]]),
        masks=torch.cat([pair.masks[:1], donors.masks[:1]]),
        texts=(pair.texts[0], donors.texts[0]),
    )


def _first(films: StudentFilms) -> StudentFilms:
    return StudentFilms(
        films.images[:1],
        films.targets[:1],
        films.texts[:1],
        films.full_texts[:1],
        sources=films.sources[:1],
    )


def _edits(rewrite: Rewrite) -> list[dict[str, Any]]:
    return [asdict(edit) for edit in rewrite.edits]


def _picture(images: Tensor) -> NDArray[np.float32]:
    return images[0, 0].numpy()


def _mask(targets: Tensor) -> NDArray[np.uint8]:
    return (targets[0, 0] >= 0.5).to(torch.uint8).numpy()


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
