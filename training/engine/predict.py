"""Probabilities from a trained network, for one film or many. No files but the model's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.engine.checkpoint import Role, read_network
from training.engine.data import FilmPool, as_network_input, shrink_image
from training.engine.networks import Network
from training.engine.room import give_back_memory, is_out_of_memory
from training.engine.views import standardize


@dataclass(frozen=True)
class Predictor:
    """A network ready to answer.

    Attributes
    ----------
    network : Network
        In eval mode on ``device``.
    device : torch.device
    """

    network: Network
    device: torch.device

    @classmethod
    def load(cls, folder: Path, device: torch.device, role: Role = "teacher") -> Predictor:
        """The teacher, or the student, of a model folder; EngineError if it cannot be used."""
        return cls(read_network(folder, role).to(device), device)

    def probability(self, image: NDArray[np.float32], description: str) -> NDArray[np.float32]:
        """Foreground probability of one film.

        Parameters
        ----------
        image : (H, W) float32 in [0, 1]
        description : str

        Returns
        -------
        (S, S) float32 in [0, 1]
            At the network's resolution.
        """
        side = self.network.config.image_size
        small = torch.from_numpy(shrink_image(image, side))[None]
        only: NDArray[np.float32] = self.batch(small, (description,))[0]
        return only

    def batch(self, images: torch.Tensor, texts: tuple[str, ...]) -> NDArray[np.float32]:
        """Probabilities ``(B, S, S) float32`` of bytes ``(B, S, S)`` with one text each."""
        return self.said(images, texts)[0]

    def said(
        self, images: torch.Tensor, texts: tuple[str, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities ``(B, S, S) float32``, and the films as vectors ``(B, P) float32``.

        In halves where memory does not suffice for all at once.
        """
        try:
            return self._said_at_once(images, texts)
        except Exception as error:
            if len(texts) == 1 or not is_out_of_memory(error):
                raise
        give_back_memory()  # not sooner: the error holds on to what was computed
        half = len(texts) // 2
        first, rest = self.said(images[:half], texts[:half]), self.said(images[half:], texts[half:])
        return np.concatenate([first[0], rest[0]]), np.concatenate([first[1], rest[1]])

    @torch.inference_mode()
    def _said_at_once(
        self, images: torch.Tensor, texts: tuple[str, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.network.eval()
        output = self.network(standardize(as_network_input(images, self.device)), texts)
        probability = torch.sigmoid(output.logits[:, 0].float()).cpu().numpy()
        return probability, output.image_vector.float().cpu().numpy()

    def pool(
        self, pool: FilmPool, size: int = 16
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Numbers and probabilities ``(B, S, S) float32 in [0, 1]`` of a pool's cases, batch by batch."""
        for numbers in in_batches(len(pool), size):
            yield numbers, self.batch(pool.images[numbers], pool.texts(numbers))


def in_batches(count: int, size: int = 16) -> Iterator[list[int]]:
    """The numbers below ``count``, ``size`` at a time."""
    for start in range(0, count, size):
        yield list(range(start, min(start + size, count)))


def entropy(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Binary entropy of every pixel in nats, [0, 0.693], of probabilities of any shape; float32."""
    p = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
    return (-(p * np.log(p) + (1 - p) * np.log(1 - p))).astype(np.float32)
