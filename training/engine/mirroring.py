"""SPC: films of the strong view mirrored, with left and right exchanged in their words. What else happens to films is
elsewhere (`inputs`)."""

from __future__ import annotations

from dataclasses import replace

import torch

from training.config import ViewsConfig
from training.engine.films import StudentFilms
from training.engine.streams import Key
from training.engine.transfer import to_device
from training.engine.words import mirrored_text


def mirror_some(films: StudentFilms, keys: tuple[Key, ...], views: ViewsConfig) -> StudentFilms:
    """SPC: some films mirrored, left and right exchanged in their words (RESMatch; METHOD §1)."""
    if views.flip_probability == 0:
        return films
    pairs = zip(films.full_texts, keys, strict=True)
    texts = [mirror_words(text, key, views) for text, key in pairs]
    drawn = to_device(torch.tensor([text is not None for text in texts]), films.images.device)
    turned = drawn[:, None, None, None]
    words = tuple(new or old for new, old in zip(texts, films.full_texts, strict=True))
    return replace(
        films,
        images=torch.where(turned, films.images.flip(3), films.images),
        targets=torch.where(turned, films.targets.flip(3), films.targets),
        texts=words,
        full_texts=words,
        mirrored=tuple(text is not None for text in texts),
    )


def mirror_words(text: str, key: Key, views: ViewsConfig) -> str | None:
    """The words of a film that SPC mirrors; None if it stays as it is."""
    drawn = key.stream("mirror").random() < views.flip_probability
    return mirrored_text(text) if drawn else None
