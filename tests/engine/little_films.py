"""Little films and tiny settings for the engine's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training.config import RunConfig
from training.engine.films import Films
from training.engine.streams import Key
from training.snapshot import SnapshotCase

SIDES = {"left": "lower left lung", "right": "upper right lung"}
TINY = {
    "device": "cpu",
    "network": {
        "image_size": 32,
        "widths": [16, 16, 24, 32],
        "depths": [1, 1, 1, 1],
        "text_width": 32,
        "text_layers": 1,
        "heads": 2,
        "bridge_feed_forward": 32,
        "projection": 16,
    },
    "training": {
        "steps": 12,
        "burn_in": 0.5,
        "burn_in_until": 0.0,
        "batch_labeled": 4,
        "batch_unlabeled": 4,
        "evaluate_every": 6,
        "checkpoint_seconds": 3600,
    },
}


def describe(side: str) -> str:
    return f"Unilateral pulmonary infection, one infected area, {SIDES[side]}."


def draw_film(number: int, size: int = 48) -> tuple[np.ndarray, np.ndarray, str]:
    """A film (uint8), its mask (0/1) and its words; two spots, only the named one is the lesion."""
    rng = np.random.default_rng(number)
    image = rng.normal(90, 6, (size, size))
    spots = {"left": (0.66, 0.28), "right": (0.25, 0.72)}
    side = ("left", "right")[number % 2]
    rows, columns = np.mgrid[:size, :size] / size
    masks = {}
    for name, (row, column) in spots.items():
        row, column = row + rng.uniform(-0.05, 0.05), column + rng.uniform(-0.05, 0.05)
        masks[name] = (rows - row) ** 2 + (columns - column) ** 2 < 0.12**2
        image[masks[name]] += 90
    return image.clip(0, 255).astype(np.uint8), masks[side].astype(np.uint8), describe(side)


def write_case(root: Path, number: int, with_mask: bool) -> SnapshotCase:
    image, mask, text = draw_film(number)
    name = f"film_{number:03d}"
    Image.fromarray(image).save(root / f"{name}.png")
    if with_mask:
        Image.fromarray(mask * 255).save(root / f"{name}_mask.png")
    return SnapshotCase(
        case_id=name,
        patient=name,
        image=f"{name}.png",
        description=text,
        mask=f"{name}_mask.png" if with_mask else None,
    )


def tiny_config(**sections) -> RunConfig:
    """The tiny settings with some changed, section by section."""
    content = dict(TINY)
    for name, change in sections.items():
        old = content.get(name)
        content[name] = {**old, **change} if isinstance(old, dict) else change
    return RunConfig.parse(content)


def films(numbers: list[int], seed: int = 0, epoch: int = 0) -> Films:
    """A batch of labeled little films."""
    drawn = [draw_film(number) for number in numbers]
    images = torch.stack([torch.from_numpy(image) for image, _, _ in drawn])[:, None].float() / 255
    masks = torch.stack([torch.from_numpy(mask) for _, mask, _ in drawn])[:, None].float()
    keys = tuple(Key(seed, f"film_{number}", epoch) for number in numbers)
    return Films(keys, images, masks, tuple(text for _, _, text in drawn))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are equal bit for bit."""
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)
