"""The LViT step: unlabeled films learn from slowly moving maps of their own (EPI) and from masks of like texts (LV)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from training.config import MethodConfig, RunConfig
from training.engine import contrast
from training.engine.contrast import ContrastSet
from training.engine.data import FilmPool
from training.engine.epi import EpiMaps, momentum_for
from training.engine.films import Films, StudentFilms
from training.engine.inputs import labeled_student_films, strong_images, weak_views
from training.engine.methods.pseudo_masks import least_mass, watch_pseudo_masks, weighed_targets
from training.engine.methods.supervised import StepLoss
from training.engine.networks import Network, text_vectors
from training.engine.objectives import (
    PseudoTargets,
    consistency_loss,
    lv_loss,
    segmentation_loss,
)
from training.engine.pieces import cuts, logits_in_pieces, piece_of, share
from training.engine.transfer import to_device
from training.engine.views import WeakDraw, draw_weak, move_maps, standardize
from training.report.zones import Convention
from training.rundir import RunFolder


@dataclass(frozen=True)
class LvitMemory:
    """What the method keeps between steps: the moving maps, and the masks of the LV loss if it counts."""

    maps: EpiMaps
    contrasts: ContrastSet | None


def open_memory(
    folder: RunFolder,
    config: RunConfig,
    labeled: FilmPool,
    unlabeled: FilmPool,
    convention: Convention,
) -> LvitMemory:
    """The memory of a run, its maps still empty.

    Raises
    ------
    EngineError
        If the contrastive masks cannot be read or made.
    """
    method, side = config.method, config.network.image_size
    momentum = momentum_for(method, config.training, len(unlabeled))
    texts = {case.case_id: case.description for case in unlabeled.cases}
    maps = EpiMaps(texts, side, momentum, folder.epi)
    if method.lambda_lv == 0:
        return LvitMemory(maps, None)
    if method.lv_folder is None:
        return LvitMemory(maps, contrast.from_films(labeled))
    return LvitMemory(maps, contrast.from_folder(Path(method.lv_folder), side, convention))


def lvit_epi_pieces(
    student: nn.Module,
    network: Network,
    labeled: Films,
    unlabeled: Films,
    config: RunConfig,
    lambda_u: float,
    convention: Convention,
    memory: LvitMemory,
    pieces: int = 1,
) -> Iterator[StepLoss]:
    """One step of the semi-supervised phase (LViT; METHOD §2).

    L = (Dice + CE) / 2 (labeled) + lambda_u [(Dice + CE) / 2 (view, P) + lambda_lv L_LV]. The student,
    in eval mode, first predicts the films as they are; that is a generation of their maps P. A film
    whose description contradicts itself keeps a map but teaches nothing by it.

    Parameters
    ----------
    student, network
        The network as wrapped for a device, and bare.
    lambda_u : float
        The ramped weight of the unlabeled pool.
    pieces : int
        How many losses to yield; each must be done with before the next is asked for.
    """
    method, views = config.method, config.views
    predictions, chosen = _predict(student, network, unlabeled, config, memory, pieces)
    maps = memory.maps.fold(unlabeled, predictions)

    with_masks = labeled_student_films(weak_views(labeled, views), views, convention)
    weak = weak_views(unlabeled, views)
    draws = [draw_weak(key, views) for key in unlabeled.keys]
    strong = strong_images(weak, views)
    least, taught = least_mass(strong, method)
    pseudo = weighed_targets(move_maps(maps, draws), weak.texts, weak.texts, method, taught)
    unlike = _contrasts(memory, chosen, draws, strong.device)
    about = watch_pseudo_masks(maps, unlabeled.texts, least, method.threshold)
    for ours, theirs in cuts((len(with_masks.texts), len(weak.texts)), pieces):
        shares = share(ours, len(with_masks.texts)), share(theirs, len(weak.texts))
        known = piece_of(with_masks, ours)
        images = standardize(torch.cat([known.images, strong[theirs]]))
        logits = student(images, known.texts + weak.texts[theirs]).logits
        seen, unseen = logits.split([len(known.texts), len(weak.texts[theirs])])
        contrasted = None if unlike is None else (unlike[0][theirs], unlike[1][theirs])
        losses = [
            _known_loss(seen, known, method).times(shares[0]),
            _copied_loss(unseen, pseudo.part(theirs), contrasted, method, taught).times(shares[1]),
        ]
        total = losses[0].total + lambda_u * losses[1].total
        yield StepLoss(total, {**losses[0].parts, **losses[1].parts, **about})
        about = {}  # of the whole step, and told once


def _contrasts(
    memory: LvitMemory, chosen: Tensor | None, draws: Sequence[WeakDraw], device: torch.device
) -> tuple[Tensor, Tensor] | None:
    """Contrastive masks in the geometry of the weak views, and whether each counts; None without the LV loss."""
    if memory.contrasts is None or chosen is None:
        return None
    masks, counts = (to_device(each, device) for each in memory.contrasts.masks_for(chosen))
    return move_maps(masks, draws), counts


def _known_loss(logits: Tensor, films: StudentFilms, method: MethodConfig) -> StepLoss:
    if not films.texts:
        return StepLoss(logits.new_zeros(()))
    known = 0.5 * segmentation_loss(logits, films.targets, method.dice_only)
    return StepLoss(known, {"loss_labeled": known.detach()})


def _copied_loss(
    logits: Tensor,
    pseudo: PseudoTargets,
    unlike: tuple[Tensor, Tensor] | None,
    method: MethodConfig,
    least: float,
) -> StepLoss:
    if not len(logits):
        return StepLoss(logits.new_zeros(()))
    copied = 0.5 * consistency_loss(logits, pseudo, method.dice_only, least)
    parts: dict[str, Tensor | float] = {"loss_unlabeled": copied.detach()}
    if unlike is not None:
        contrast = lv_loss(torch.sigmoid(logits.float()), *unlike)
        copied = copied + method.lambda_lv * contrast
        parts["loss_lv"] = contrast.detach()
    return StepLoss(copied, parts)


@torch.no_grad()
def _predict(
    student: nn.Module,
    network: Network,
    films: Films,
    config: RunConfig,
    memory: LvitMemory,
    pieces: int,
) -> tuple[Tensor, Tensor | None]:
    """Probabilities of the films as they are, and the numbers of their contrastive masks."""
    student.eval()
    logits = logits_in_pieces(student, standardize(films.images), films.texts, pieces)
    chosen = None
    if memory.contrasts is not None:
        by_words = config.method.lv_match == "text"
        encode = partial(text_vectors, network.words) if by_words else None
        chosen = memory.contrasts.match(films.texts, encode)
    student.train()
    return torch.sigmoid(logits.float()), chosen
