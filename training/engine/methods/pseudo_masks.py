"""What every semi-supervised method makes of pseudo-masks: which of their pixels count, and what is told of them. No
networks, no losses."""

from __future__ import annotations

import torch
from torch import Tensor

from training.config import MethodConfig
from training.engine.objectives import PseudoTargets, pseudo_targets
from training.engine.transfer import to_device
from training.engine.words import are_negative, consistent, zones_of_texts

LEAST_SHARE = 5e-4  # Share of an image's pixels that a pseudo-mask must fill not to be empty.


def least_mass(images: Tensor, method: MethodConfig) -> tuple[float, float]:
    """Pixels from which a pseudo-mask of images ``(B, C, H, W)`` is not empty, and from which it is taught."""
    least = LEAST_SHARE * images.shape[-2] * images.shape[-1]
    return least, least if method.skip_empty else 0.0


def silence_denied(probabilities: Tensor, texts: tuple[str, ...], method: MethodConfig) -> Tensor:
    """Maps in which films whose words deny lesions show none, ``(B, 1, H, W) float in [0, 1]``.

    Done before films are mixed: afterwards the words of a film that got a side or a patch deny nothing any more, and
    what the teacher had seen elsewhere in it would be taught. Where masks are cut, a value below the cut stays, so that
    it can still be told whether the teacher was sure of the background.

    Parameters
    ----------
    probabilities : (B, 1, H, W) float in [0, 1]
    """
    silent = to_device(are_negative(texts), probabilities.device)[:, None, None, None]
    most = 0.0 if method.targets == "soft" else method.threshold * (1 - 1e-3)
    return torch.where(silent, probabilities.clamp_max(most), probabilities)


def weighed_targets(
    probabilities: Tensor,
    texts: tuple[str, ...],
    own_texts: tuple[str, ...],
    method: MethodConfig,
    least: float,
) -> PseudoTargets:
    """Targets from probabilities ``(B, 1, H, W) float in [0, 1]`` by the settings and the words (METHOD §1b).

    Parameters
    ----------
    texts : tuple of str
        Words of the films as they are now; one that denies lesions has an empty target.
    own_texts : tuple of str
        Words of the films before anything was mixed; one that contradicts itself teaches nothing.
    least : float
        Pixels from which a pseudo-mask is not empty.
    """
    cut = method.targets, method.threshold, method.band
    pseudo = pseudo_targets(probabilities, *cut, are_negative(texts), least)
    agree = to_device(consistent(own_texts), probabilities.device)
    return PseudoTargets(pseudo.targets, pseudo.weight * agree)


def watch_pseudo_masks(
    probabilities: Tensor, texts: tuple[str, ...], least: float, threshold: float = 0.5
) -> dict[str, Tensor]:
    """Shares to tell, scalars on the device: sure pixels, positive descriptions whose pseudo-mask is empty, and
    films with a positive description.

    Parameters
    ----------
    probabilities : (B, 1, H, W) float in [0, 1]
    least : float
        Pixels from which a pseudo-mask is not empty.
    threshold : float
        Probability where its foreground begins.
    """
    sure = ((probabilities >= 0.9) | (probabilities <= 0.1)).float().mean()
    empty = (probabilities >= threshold).sum((1, 2, 3)) < least
    zones, known = zones_of_texts(texts)
    positive = to_device(known & (zones.sum(1) > 0), empty.device)
    share = (empty & positive).sum() / positive.sum().clamp_min(1)
    return {
        "confident_fraction": sure,
        "empty_fraction": share,
        "positive_fraction": positive.float().mean(),
    }
