"""Exponential pseudo-label iteration: a slowly moving map for every unlabeled case, and its files. No networks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.config import MethodConfig, TrainingConfig
from training.engine.films import Films
from training.engine.schedules import burn_in_steps
from training.engine.transfer import to_device
from training.errors import RunFolderError
from training.files import sentence_for

LONGEST_MOMENTUM = 0.99


def momentum_for(method: MethodConfig, training: TrainingConfig, unlabeled: int) -> float:
    """The momentum beta of a run; 0 without EPI.

    0 in the settings asks for ``1 - 2 / G``, within [0, 0.99], where G is the number of generations
    a case will see: the memory of ``1 / (1 - beta)`` generations then is half of the run. The
    published 0.99 remembers 100 generations; in a run of ten it would keep the first prediction.
    """
    if not method.epi:
        return 0.0
    if method.epi_momentum or unlabeled == 0:
        return method.epi_momentum
    steps = training.steps - burn_in_steps(training, method, unlabeled)
    generations = steps * training.batch_unlabeled / unlabeled
    return float(np.clip(1 - 2 / max(generations, 2), 0.0, LONGEST_MOMENTUM))


class EpiMaps:
    """P_t = beta * P_(t-1) + (1 - beta) * prediction, one generation an epoch (LViT, EPI).

    P_0 is the first prediction of a case after burn-in. Maps are kept as float16; on disk a map is
    a file that is never changed, named by its case and generation, so that a checkpoint's list of
    generations always finds the maps it was written with.

    Parameters
    ----------
    texts : mapping of str to str
        Descriptions of the unlabeled cases; only these have maps.
    side : int
        Side of the maps in pixels, the network's.
    momentum : float in [0, 1)
        Beta.
    folder : Path
        Where maps are written; made when needed.
    """

    def __init__(self, texts: Mapping[str, str], side: int, momentum: float, folder: Path) -> None:
        self.momentum = momentum
        self._texts = dict(texts)
        self._side = side
        self._folder = folder
        self._maps: dict[str, Tensor] = {}
        self._generations: dict[str, int] = {}
        self._written: set[str] = set()
        self._needed_before: set[str] = set()

    def __len__(self) -> int:
        return len(self._maps)

    def fold(self, films: Films, predictions: Tensor) -> Tensor:
        """Take a batch's predictions into its cases' maps and hand the maps out.

        A case that was already seen in the epoch of its key keeps its map.

        Parameters
        ----------
        films : Films
            The cases.
        predictions : (B, 1, S, S) float in [0, 1]
            In the films' own geometry.

        Returns
        -------
        (B, 1, S, S) float32 in [0, 1]
            On the predictions' device.
        """
        new = predictions[:, 0].detach().float().cpu()
        for key, prediction in zip(films.keys, new, strict=True):
            self._take(key.case_id, key.epoch, prediction)
        maps = torch.stack([self._maps[key.case_id] for key in films.keys])[:, None]
        return to_device(maps.float(), predictions.device)

    def write(self) -> dict[str, Any]:
        """Write the maps that changed and return the list that finds all of them again.

        Raises
        ------
        RunFolderError
            If the disk is full or the folder cannot be written.
        """
        index: dict[str, Any] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for case_id, generation in self._generations.items():
                name = _file_name(case_id, generation)
                if name not in self._written:
                    np.save(self._folder / name, self._maps[case_id].numpy(), allow_pickle=False)
                    self._written.add(name)
                index[case_id] = {"generation": generation, "text": _digest(self._texts[case_id])}
        except OSError as error:
            raise RunFolderError(sentence_for(error, self._folder)) from error
        return index

    def drop_old(self) -> None:
        """Delete files that neither the newest list nor the one before needs; only once the newest is safe."""
        names = {_file_name(*entry) for entry in self._generations.items()}
        self._written &= names
        for path in self._folder.glob("*.npy"):
            if path.name not in names | self._needed_before:
                path.unlink(missing_ok=True)
        self._needed_before = names

    def restore(self, index: Mapping[str, Any]) -> None:
        """Load what `write` wrote.

        Cases that left the pool are forgotten; a case whose description changed, or whose map has
        another size or cannot be read, starts over with its next prediction.
        """
        for case_id, entry in index.items():
            text = self._texts.get(case_id)
            if text is None or _digest(text) != entry["text"]:
                continue
            name = _file_name(case_id, entry["generation"])
            content = _load(self._folder / name)
            if content is not None and content.shape == (self._side, self._side):
                self._maps[case_id] = torch.from_numpy(content.astype(np.float16))
                self._generations[case_id] = entry["generation"]
                self._written.add(name)
        self._needed_before = set(self._written)

    def _take(self, case_id: str, epoch: int, prediction: Tensor) -> None:
        old = self._maps.get(case_id)
        if old is None:
            fresh = prediction
        elif epoch > self._generations[case_id]:
            fresh = self.momentum * old.float() + (1 - self.momentum) * prediction
        else:
            return
        # Rounded before anybody reads it, so that a resumed run reads the same.
        self._maps[case_id] = fresh.half()
        self._generations[case_id] = epoch


def _file_name(case_id: str, generation: int) -> str:
    return f"{case_id}.{generation}.npy"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _load(path: Path) -> NDArray[np.float16] | None:
    try:
        read: NDArray[np.float16] = np.load(path, allow_pickle=False)
        return read
    except (OSError, ValueError, EOFError):
        return None
