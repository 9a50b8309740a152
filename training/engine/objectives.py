"""What training minimizes: segmentation, consistency, image-text agreement, zone reading. No networks, no data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.engine.transfer import to_device

SURE_BACKGROUND = 0.05  # Teacher's probability up to which an empty pseudo-mask is believed.


def dice_loss(logits: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """One minus Dice of each image, averaged; minimal exactly at ``sigmoid(logits) == targets``.

    Parameters
    ----------
    logits, targets : (B, 1, H, W) float
        Targets in [0, 1], soft ones included: the squared denominator of V-Net (Milletari et al.,
        2016) has its minimum at the target itself, the plain one pushes soft targets to 0 or 1.
    weight : (B, 1, H, W) float, optional
        0 where a pixel is ignored.
    """
    return dice_of_each(logits, targets, weight).mean()


def dice_of_each(logits: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """The `dice_loss` of every image, ``(B,) float``; shapes as there."""
    probabilities, targets = torch.sigmoid(logits.float()), targets.float()
    if weight is not None:
        probabilities, targets = probabilities * weight, targets * weight
    both = (probabilities * targets).sum((1, 2, 3))
    whole = probabilities.square().sum((1, 2, 3)) + targets.square().sum((1, 2, 3))
    return 1 - (2 * both + 1) / (whole + 1)


def cross_entropy(logits: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy of the pixels that count, a scalar; 0 if none does. Shapes as in `dice_loss`."""
    losses = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), reduction="none")
    if weight is None:
        return losses.mean()
    return (losses * weight).sum() / weight.sum().clamp_min(1)


def segmentation_loss(logits: Tensor, targets: Tensor, dice_only: bool = False) -> Tensor:
    """L_seg: Dice plus pixel-wise cross-entropy on logits (METHOD §1); shapes as in `dice_loss`."""
    dice = dice_loss(logits, targets)
    return dice if dice_only else dice + cross_entropy(logits, targets)


@dataclass(frozen=True)
class PseudoTargets:
    """What the student copies, ``(B, 1, H, W) float``: targets in [0, 1], and whether each pixel counts, 1 or 0."""

    targets: Tensor
    weight: Tensor

    def part(self, films: slice) -> PseudoTargets:
        """Those of some of the films, ``(b, 1, H, W)``."""
        return PseudoTargets(self.targets[films], self.weight[films])


def pseudo_targets(
    probabilities: Tensor,
    kind: str,
    threshold: float,
    band: float,
    negative: Tensor | None = None,
    least_mass: float = 0.0,
) -> PseudoTargets:
    """Targets from a teacher's probabilities ``(B, 1, H, W) in [0, 1]`` (METHOD §1b).

    Parameters
    ----------
    kind : {"soft", "hard", "banded"}
        The probabilities; a mask cut at ``threshold``; the same without pixels in (1 - band, band).
    negative : (B,) bool, optional
        Images whose words say that there is no lesion: their target is empty whatever the teacher
        sees.
    least_mass : float
        Pixels from which a pseudo-mask is not empty. An empty one, cut from probabilities, teaches
        nothing, except on a negative image where the teacher is sure of the background.
    """
    if negative is None:
        negative = torch.zeros(len(probabilities), dtype=torch.bool)
    silent = to_device(negative, probabilities.device)[:, None, None, None]
    everywhere = torch.ones_like(probabilities)
    if kind == "soft":
        return PseudoTargets(probabilities.masked_fill(silent, 0.0), everywhere)
    mask = (probabilities >= threshold).to(probabilities.dtype).masked_fill(silent, 0.0)
    counts = everywhere
    if kind == "banded":
        sure = (probabilities >= band) | (probabilities <= 1 - band)
        counts = sure.to(probabilities.dtype)
    empty = (mask * counts).sum((1, 2, 3), keepdim=True) < least_mass
    background = silent & (probabilities <= SURE_BACKGROUND)
    return PseudoTargets(mask, torch.where(empty, counts * background, counts))


def consistency_loss(
    logits: Tensor, pseudo: PseudoTargets, dice_only: bool, least_mass: float
) -> Tensor:
    """L_seg against pseudo-masks, without the Dice of images whose pseudo-mask is all but empty.

    An empty target's Dice pushes everything to background and is how hard pseudo-masks collapse.

    Parameters
    ----------
    logits : (B, 1, H, W) float
    least_mass : float
        Least sum of target probabilities, in pixels, for an image's Dice to count.
    """
    # Weighed by 0 instead of left out, here and below: to know how many are left, the host would wait for the device.
    kept = (pseudo.targets * pseudo.weight).sum((1, 2, 3)) >= least_mass
    dice = (dice_of_each(logits, pseudo.targets, pseudo.weight) * kept).mean()
    return dice if dice_only else dice + cross_entropy(logits, pseudo.targets, pseudo.weight)


def zone_similarity(zones: Tensor, known: Tensor) -> Tensor:
    """Jaccard overlap of zone sets; two negatives agree fully.

    Parameters
    ----------
    zones : (B, 6) float, 0 or 1
    known : (B,) bool
        False where the text fixes no position: such rows and columns are 0.

    Returns
    -------
    (B, B) float in [0, 1]
    """
    both = zones @ zones.T
    sizes = zones.sum(1)
    either = sizes[:, None] + sizes[None] - both
    similarity = torch.where(either > 0, both / either.clamp_min(1), torch.ones_like(both))
    return similarity * (known[:, None] & known[None])


def itcl_loss(
    image_vectors: Tensor,
    text_vectors: Tensor,
    similarity: Tensor,
    known: Tensor,
    temperature: float,
) -> Tensor:
    """Image-text contrast with soft positives (METHOD §1, ITCL), in float32.

    Parameters
    ----------
    image_vectors, text_vectors : (B, P) float
        Normalized here.
    similarity : (B, B) float
        Soft positives w; the diagonal counts as 1. The identity gives plain CLIP.
    known : (B,) bool
        Cases without a position are left out.

    Returns
    -------
    () float
        0 with fewer than two known cases.
    """
    images = F.normalize(image_vectors.float(), dim=1)
    texts = F.normalize(text_vectors.float(), dim=1)
    scores = images @ texts.T / temperature
    own = torch.eye(len(known), dtype=torch.bool, device=known.device)
    positives = similarity.float().masked_fill(own, 1.0)
    return 0.5 * (
        _soft_contrast(scores, positives, known) + _soft_contrast(scores.T, positives.T, known)
    )


def _soft_contrast(scores: Tensor, positives: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of the known rows over the known columns, averaged; 0 if there are fewer than two."""
    both = known[:, None] & known[None]
    shares = positives * both
    shares = shares / shares.sum(1, keepdim=True).clamp_min(1)  # a known row sums to at least 1
    logs = scores.masked_fill(~both, torch.finfo(scores.dtype).min).log_softmax(1)
    return -(shares * logs).sum() / known.sum().clamp_min(1)


def zone_loss(zone_logits: Tensor, zones: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of reading the six zones from the words; 0 if no text names a position.

    Parameters
    ----------
    zone_logits, zones : (B, 6) float
        Zones are 0 or 1.
    known : (B,) bool
        Whose words fix the zones; the others do not count.
    """
    losses = F.binary_cross_entropy_with_logits(zone_logits.float(), zones, reduction="none")
    return (losses.mean(1) * known).sum() / known.sum().clamp_min(1)


def lv_loss(probabilities: Tensor, contrasts: Tensor, weight: Tensor) -> Tensor:
    """One minus the cosine of a prediction and its contrastive mask (LViT, LV loss), averaged.

    Parameters
    ----------
    probabilities : (B, 1, H, W) float in [0, 1]
        Gradients flow into these.
    contrasts : (B, 1, H, W) float in [0, 1]
    weight : (B,) float
        0 for images without a contrastive mask; if there is no other, the loss is 0.
    """
    own, other = probabilities.flatten(1), contrasts.to(probabilities.dtype).flatten(1)
    lengths = torch.linalg.vector_norm(own, dim=1) * torch.linalg.vector_norm(other, dim=1)
    cosine = (own * other).sum(1) / lengths.clamp_min(1e-8)
    loss: Tensor = ((1 - cosine) * weight).sum() / weight.sum().clamp_min(1)
    return loss
