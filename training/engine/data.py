"""Films in memory: decoded once to the network's size, kept as bytes, handed out as batches. No augmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from training.engine.apart import NOBODY, Apart
from training.engine.films import Films
from training.engine.streams import Key
from training.engine.transfer import to_device
from training.engine.zone_bands import CHEST
from training.errors import FormatError
from training.pool.images import read_image, read_mask
from training.report.zones import Bands
from training.snapshot import SnapshotCase

ROOM = 0.2  # Share of a device's free memory that a pool of films may take.


@dataclass(frozen=True)
class FilmPool:
    """Resident films.

    Attributes
    ----------
    cases : tuple of SnapshotCase
    images : (N, S, S) uint8
    masks : (N, S, S) uint8, 0 or 1; or None
    apart : frozenset of pairs
        Cases that are never mixed with each other.
    bands : Bands
        Where the zones lie in films of this data set.
    host_masks : (N, S, S) uint8, or None
        The masks in the host's memory, where ``masks`` lie on a device.
    """

    cases: tuple[SnapshotCase, ...]
    images: Tensor
    masks: Tensor | None
    apart: Apart = NOBODY
    bands: Bands = CHEST
    host_masks: Tensor | None = None

    def __len__(self) -> int:
        return len(self.cases)

    def on(self, device: torch.device) -> FilmPool:
        """The same films, kept on the device if they fill at most `ROOM` of its free memory; else as they are."""
        tensors = [self.images] if self.masks is None else [self.images, self.masks]
        needed = sum(each.nbytes for each in tensors)
        if device.type != "cuda" or needed > ROOM * torch.cuda.mem_get_info(device)[0]:
            return self
        moved = [each.to(device) for each in tensors]
        masks = moved[1] if len(moved) > 1 else None
        return replace(self, images=moved[0], masks=masks, host_masks=self.masks)

    def texts(self, numbers: list[int]) -> tuple[str, ...]:
        """Descriptions of the numbered cases."""
        return tuple(self.cases[number].description for number in numbers)

    def films(self, picks: list[tuple[int, int]], seed: int, device: torch.device) -> Films:
        """A batch of (number, epoch) picks, on the device."""
        numbers = [number for number, _ in picks]
        rows = to_device(torch.tensor(numbers), self.images.device)
        masks = None if self.masks is None else to_device(self.masks[rows][:, None], device).float()
        known = self.masks if self.host_masks is None else self.host_masks
        here = known is None or known.device.type == device.type
        return Films(
            keys=tuple(Key(seed, self.cases[number].case_id, epoch) for number, epoch in picks),
            images=as_network_input(self.images[rows], device),
            masks=masks,
            texts=self.texts(numbers),
            apart=self.apart,
            bands=self.bands,
            known=None if here or known is None else known[numbers][:, None].float(),
        )


@dataclass(frozen=True)
class CaseOrder:
    """Endless reshuffled passes over a pool; any batch can be told without the ones before it.

    Attributes
    ----------
    count : int
        Cases in the pool, >= 1; a pool smaller than a batch is passed more than once.
    seed : int
        The run's seed.
    name : str
        The pool's name.
    """

    count: int
    seed: int
    name: str

    def batch(self, number: int, size: int) -> list[tuple[int, int]]:
        """(case number, epoch) of batch ``number`` (from 0)."""
        places = [
            divmod(position, self.count) for position in range(number * size, number * size + size)
        ]
        passes = {epoch: self._pass(epoch) for epoch in {epoch for epoch, _ in places}}
        return [(int(passes[epoch][place]), epoch) for epoch, place in places]

    def batch_of(self, pick: tuple[int, int], size: int) -> int:
        """Number of the batch that holds a (case number, epoch)."""
        number, epoch = pick
        (place,) = np.flatnonzero(self._pass(epoch) == number)
        return (epoch * self.count + int(place)) // size

    def _pass(self, epoch: int) -> NDArray[np.int64]:
        return Key(self.seed, self.name, epoch).stream("order").permutation(self.count)


def load_films(
    root: Path,
    cases: tuple[SnapshotCase, ...],
    side: int,
    warn: Callable[[str], None],
    need_masks: bool,
    apart: Apart = NOBODY,
) -> FilmPool:
    """Decode films to ``side`` x ``side``.

    A case whose files cannot be used is left out with a warning; nothing is raised.
    """
    kept: list[SnapshotCase] = []
    images: list[NDArray[np.uint8]] = []
    masks: list[NDArray[np.uint8]] = []
    for case in cases:
        try:
            image, mask = _read(root, case, side, need_masks)
        except FormatError as error:
            warn(f"Case {case.case_id} is left out: {error}")
            continue
        kept.append(case)
        images.append(image)
        if mask is not None:
            masks.append(mask)
    empty = torch.zeros(0, side, side, dtype=torch.uint8)
    return FilmPool(
        tuple(kept),
        torch.from_numpy(np.stack(images)) if images else empty,
        (torch.from_numpy(np.stack(masks)) if masks else empty) if need_masks else None,
        apart,
    )


def shrink_image(image: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """An image ``(H, W) float32 in [0, 1]`` at the network's size, ``(side, side) uint8``."""
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    small = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))
    return (small.clip(0, 1) * 255).round().astype(np.uint8)


def shrink_mask(mask: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A mask ``(H, W), 0 or 1`` at the network's size: 1 where at least half of the area is."""
    picture = Image.fromarray(mask.astype(np.float32))
    small = np.asarray(picture.resize((side, side), Image.Resampling.BOX))
    return (small >= 0.5).astype(np.uint8)


def as_network_input(images: Tensor, device: torch.device) -> Tensor:
    """Bytes ``(B, S, S)`` to ``(B, 1, S, S) float in [0, 1]``."""
    return to_device(images[:, None], device).float() / 255


def _read(
    root: Path, case: SnapshotCase, side: int, need_mask: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    image = read_image(root / case.image)
    if not need_mask:
        return shrink_image(image, side), None
    if case.mask is None:
        raise FormatError("it has no mask.")
    mask = read_mask(root / case.mask)
    if mask.shape != image.shape:
        raise FormatError(
            f"its mask is {mask.shape[1]} x {mask.shape[0]} pixels but its image "
            f"{image.shape[1]} x {image.shape[0]}; both must have one size."
        )
    return shrink_image(image, side), shrink_mask(mask, side)
