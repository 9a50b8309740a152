"""The Semi-MedRef step: labeled films with masks, unlabeled films with the teacher's pseudo-masks."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from training.config import MethodConfig, RunConfig
from training.engine.films import Films, StudentFilms
from training.engine.inputs import (
    labeled_student_films,
    unlabeled_student_films,
    weak_views,
)
from training.engine.methods.pseudo_masks import (
    least_mass,
    silence_denied,
    watch_pseudo_masks,
    weighed_targets,
)
from training.engine.methods.supervised import StepLoss, labeled_loss, read_back, text_contrast
from training.engine.networks import Output, Segment
from training.engine.objectives import PseudoTargets, consistency_loss
from training.engine.pieces import cuts, logits_in_pieces, piece_of, share
from training.engine.prior import ZonePrior
from training.engine.views import draw_weak, standardize
from training.report.zones import Convention


def semi_medref_pieces(
    student: Segment,
    teacher: Segment,
    labeled: Films,
    unlabeled: Films,
    config: RunConfig,
    lambda_u: float,
    convention: Convention,
    prior: ZonePrior | None = None,
    pieces: int = 1,
) -> Iterator[StepLoss]:
    """One step of the semi-supervised phase (Semi-MedRef; METHOD §1).

    L = L_seg(labeled) + lambda_l L_itcl + lambda_u [L_seg(strong, pseudo) + lambda L_itcl], one
    student pass over both pools, one teacher pass over the unlabeled weak views.

    Parameters
    ----------
    lambda_u : float
        The ramped weight of the unlabeled pool.
    prior : ZonePrior, optional
        Lowers the teacher's probabilities where the words speak against lesions.
    pieces : int
        How many losses to yield; each must be done with before the next is asked for.
    """
    method, views = config.method, config.views
    with_masks = labeled_student_films(weak_views(labeled, views), views, convention)
    weak = weak_views(unlabeled, views)
    probabilities = teacher_probabilities(teacher, weak, pieces)
    if prior is not None:
        draws = [draw_weak(key, views) for key in weak.keys]
        probabilities = prior.apply(probabilities, weak.texts, draws)
    seen = silence_denied(probabilities, weak.texts, method)
    without = unlabeled_student_films(weak, seen, with_masks, views, convention)

    least, taught = least_mass(without.images, method)
    pseudo = weighed_targets(without.targets, without.full_texts, weak.texts, method, taught)
    accepted = sum(plan.accepted for plan in without.plans) / max(1, len(without.plans))
    watched = watch_pseudo_masks(probabilities, weak.texts, least, method.threshold)
    about: dict[str, Tensor | float] = {"mix_accepted": accepted, **watched}
    for ours, theirs in cuts((len(with_masks.texts), len(without.texts)), pieces):
        shares = share(ours, len(with_masks.texts)), share(theirs, len(without.texts))
        films = piece_of(with_masks, ours), piece_of(without, theirs), pseudo.part(theirs)
        piece = _piece(student, films, shares, method, lambda_u, taught)
        yield StepLoss(piece.total, {**piece.parts, **about})
        about = {}  # of the whole step, and told once


def _piece(
    student: Segment,
    films: tuple[StudentFilms, StudentFilms, PseudoTargets],
    shares: tuple[float, float],
    method: MethodConfig,
    lambda_u: float,
    least: float,
) -> StepLoss:
    """The part of the loss that some labeled and some unlabeled films make up."""
    with_masks, without, pseudo = films
    images = standardize(torch.cat([with_masks.images, without.images]))
    output = student(images, with_masks.texts + without.texts)
    ours, theirs = _split(output, len(with_masks.texts))
    known = StepLoss(images.new_zeros(()))
    if with_masks.texts:
        known = labeled_loss(ours, with_masks, method).times(shares[0])
    if not without.texts:
        return known
    copied = consistency_loss(theirs.logits, pseudo, method.dice_only, least)
    learned = StepLoss(copied, {"loss_unlabeled": copied.detach()}).times(shares[1])
    total = known.total + lambda_u * learned.total
    if method.lambda_unlabeled_itcl:
        contrast = text_contrast(theirs, without.full_texts, method)
        ramp = lambda_u if method.itcl_u_inside_ramp else 1.0
        total = total + method.lambda_unlabeled_itcl * ramp * shares[1] * contrast
    if method.lambda_zones:
        total = total + method.lambda_zones * shares[1] * read_back(theirs, without)
    return StepLoss(total, {**known.parts, **learned.parts})


@torch.no_grad()
def teacher_probabilities(teacher: Segment, weak: Films, pieces: int = 1) -> Tensor:
    """The teacher's foreground probabilities of weak views, ``(B, 1, H, W) float in [0, 1]``."""
    logits = logits_in_pieces(teacher, standardize(weak.images), weak.texts, pieces)
    return torch.sigmoid(logits.float())


def _split(output: Output, count: int) -> tuple[Output, Output]:
    return Output(*(each[:count] for each in output)), Output(*(each[count:] for each in output))
