"""Films and words of the plain step: films changed one by one on the CPU with MONAI, words by regular expressions."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.transforms import (
    Compose,
    NormalizeIntensity,
    RandGaussianSmooth,
    RandScaleIntensity,
    RandScaleIntensityFixedMean,
    RandZoom,
    Resize,
)
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from training.config import ViewsConfig
from training.snapshot import SnapshotCase

POSITION = re.compile(r"\b(upper|middle|lower|all) (left|right) lung\b")
ROWS = {"upper": (0.0, 1 / 3), "middle": (1 / 3, 2 / 3), "lower": (2 / 3, 1.0), "all": (0.0, 1.0)}


class PlainFilms(Dataset):
    """Weak view, mask and words of each film, and for unlabeled ones the strong view; read from disk each time."""

    def __init__(
        self, root: Path, cases: tuple[SnapshotCase, ...], side: int, views: ViewsConfig
    ) -> None:
        self.root, self.cases = root, cases
        self.shrink = Resize((side, side), mode="bicubic")
        self.shrink_mask = Resize((side, side), mode="nearest")
        self.zoom = RandZoom(views.zoom_probability, views.zoom_min, views.zoom_max, mode="bicubic")
        self.normalize = NormalizeIntensity()
        chance, sigma = views.jitter_probability, (0.1, views.blur_sigma * side)
        self.change = Compose(
            [
                RandScaleIntensity(views.brightness, prob=chance),
                RandScaleIntensityFixedMean(prob=chance, factors=views.contrast),
                RandGaussianSmooth(sigma, sigma, prob=views.blur_probability),
            ]
        )

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, number: int) -> dict[str, Tensor | str]:
        case = self.cases[number]
        film = self.zoom(self.shrink(_decode(self.root / case.image) / 255))
        item: dict[str, Tensor | str] = {"text": case.description}
        item["weak"] = _tensor(self.normalize(film))
        if case.mask is None:
            item["strong"] = _tensor(self.normalize(self.change(film)))
        else:
            mask = self.shrink_mask((_decode(self.root / case.mask) > 127).float())
            item["mask"] = _tensor(self.zoom(mask, mode="nearest", randomize=False))
        return item


def _decode(path: Path) -> Tensor:
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert("L"), np.float32))[None]


def _tensor(film: Tensor) -> Tensor:
    return torch.as_tensor(np.asarray(film))


@dataclass(frozen=True)
class Patched:
    """Strong views after T-PatchMix: films, the teacher's probabilities, words."""

    films: Tensor
    probabilities: Tensor
    texts: list[str]


def mix_patches(
    films: Tensor,
    probabilities: tuple[Tensor, Tensor],
    texts: list[str],
    partners: list[int],
    views: ViewsConfig,
) -> Patched:
    """T-PatchMix film by film: block in the zone of the first phrase, gate asked with ``.item()``.

    Parameters
    ----------
    films : (B, 1, H, W) float
    probabilities : two (B, 1, H, W) float in [0, 1]
        The teacher's, of the films and of their partners.
    """
    own, theirs = probabilities
    mixed, targets, words = films.clone(), own.clone(), list(texts)
    side = films.shape[-1]
    block = max(2, round(views.patch_block * side))
    for i, j in enumerate(partners):
        here, there = POSITION.search(texts[i]), POSITION.search(texts[j])
        if random.random() >= views.patch_probability or here is None or there is None:
            continue
        if here[2] != there[2]:
            continue
        top, bottom = (round(share * side) for share in ROWS[here[1]])
        row = random.randint(top, max(top, bottom - block))
        half = 0 if here[2] == "left" else side // 2
        column = random.randint(half, max(half, half + side // 2 - block))
        where = slice(row, row + block), slice(column, column + block)
        if theirs[i, 0][where].mean().item() < views.patch_gate:
            continue
        mixed[i, 0][where] = films[j, 0][where]
        targets[i, 0][where] = theirs[i, 0][where]
        words[i] = texts[i].replace(here[0], f"{here[0]} and {there[0]}", 1)
    return Patched(mixed, targets, words)


def hide_positions(text: str, views: ViewsConfig) -> str:
    """PosAug: each position phrase dropped or made vague by chance."""

    def change(found: re.Match[str]) -> str:
        if random.random() >= views.posaug_probability:
            return found[0]
        return "a region of the lung" if random.random() < views.posaug_fuzz_share else "[UNK_POS]"

    return POSITION.sub(change, text)


def zones_of(text: str) -> list[float]:
    """The six zones that a text names, 0 or 1 each."""
    named = {(row, side) for row, side in POSITION.findall(text)}
    rows = ("upper", "middle", "lower")
    return [
        float((row, side) in named or ("all", side) in named)
        for side in ("left", "right")
        for row in rows
    ]
