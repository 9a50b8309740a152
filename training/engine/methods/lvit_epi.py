"""The LViT step: unlabeled films learn from slowly moving maps of their own (EPI) and from masks of like texts (LV)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from training.config import RunConfig
from training.engine import contrast
from training.engine.contrast import ContrastSet
from training.engine.data import FilmPool
from training.engine.epi import EpiMaps, momentum_for
from training.engine.inputs import Films, labeled_student_films, strong_images, weak_views
from training.engine.methods.semi_medref import LEAST_SHARE, watch_pseudo_masks
from training.engine.methods.supervised import StepLoss
from training.engine.networks import Network, text_vectors
from training.engine.objectives import (
    PseudoTargets,
    consistency_loss,
    lv_loss,
    pseudo_targets,
    segmentation_loss,
)
from training.engine.views import draw_weak, move_maps, standardize
from training.engine.words import are_negative, consistent
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


def lvit_epi_step(
    student: nn.Module,
    network: Network,
    labeled: Films,
    unlabeled: Films,
    config: RunConfig,
    lambda_u: float,
    convention: Convention,
    memory: LvitMemory,
) -> StepLoss:
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
    """
    method, views = config.method, config.views
    predictions, chosen = _predict(student, network, unlabeled, config, memory)
    maps = memory.maps.fold(unlabeled, predictions)

    with_masks = labeled_student_films(weak_views(labeled, views), views, convention)
    weak = weak_views(unlabeled, views)
    draws = [draw_weak(key, views) for key in unlabeled.keys]
    images = standardize(torch.cat([with_masks.images, strong_images(weak, views)]))
    logits = student(images, with_masks.texts + weak.texts).logits
    ours, theirs = logits.split([len(with_masks.texts), len(weak.texts)])

    known = 0.5 * segmentation_loss(ours, with_masks.targets, method.dice_only)
    least = LEAST_SHARE * images[0].numel()
    cut = method.targets, method.threshold, method.band
    pseudo = pseudo_targets(move_maps(maps, draws), *cut, are_negative(weak.texts), least)
    agree = consistent(weak.texts).to(images.device)
    pseudo = PseudoTargets(pseudo.targets, pseudo.weight * agree)
    copied = 0.5 * consistency_loss(theirs, pseudo, method.dice_only, least)
    parts = {"loss_labeled": known.item(), "loss_unlabeled": copied.item()}
    if memory.contrasts is not None and chosen is not None:
        masks, counts = (each.to(theirs.device) for each in memory.contrasts.masks_for(chosen))
        unlike = lv_loss(torch.sigmoid(theirs.float()), move_maps(masks, draws), counts)
        copied = copied + method.lambda_lv * unlike
        parts["loss_lv"] = unlike.item()
    parts |= watch_pseudo_masks(maps, unlabeled.texts, least, method.threshold)
    return StepLoss(known + lambda_u * copied, parts)


@torch.no_grad()
def _predict(
    student: nn.Module, network: Network, films: Films, config: RunConfig, memory: LvitMemory
) -> tuple[Tensor, Tensor | None]:
    """Probabilities of the films as they are, and the numbers of their contrastive masks."""
    student.eval()
    logits = student(standardize(films.images), films.texts).logits
    chosen = None
    if memory.contrasts is not None:
        by_words = config.method.lv_match == "text"
        encode = partial(text_vectors, network.words) if by_words else None
        chosen = memory.contrasts.match(films.texts, encode)
    student.train()
    return torch.sigmoid(logits.float()), chosen
