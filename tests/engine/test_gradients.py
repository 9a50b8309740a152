"""Every objective against slow sums in double precision: values, and gradients by central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from training.engine.objectives import (
    PseudoTargets,
    consistency_loss,
    cross_entropy,
    dice_loss,
    itcl_loss,
    lv_loss,
    pseudo_targets,
    segmentation_loss,
    zone_loss,
    zone_similarity,
)

THRESHOLD, BAND, SURE_BACKGROUND, TEMPERATURE = 0.625, 0.75, 0.05, 0.07
SHAPE = (3, 1, 4, 3)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def single(values: np.ndarray) -> np.ndarray:
    """Doubles that single precision holds exactly: both sides compute from the same numbers."""
    return values.astype(np.float32).astype(np.float64)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.bool if values.dtype == bool else torch.float32)


def differences(slow: Callable[..., float], arrays: tuple[np.ndarray, ...], step: float = 1e-5):
    """The gradient of a slow loss by each array."""
    gradients = [np.zeros_like(each) for each in arrays]
    for array, gradient in zip(arrays, gradients, strict=True):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = slow(*arrays)
            array[place] = kept - step
            gradient[place] = (above - slow(*arrays)) / (2 * step)
            array[place] = kept
    return gradients


def check(fast: Callable[..., torch.Tensor], slow: Callable[..., float], *arrays: np.ndarray):
    """Value and gradients by all arrays agree; returns the value and how steep it is by the flattest of them.

    Single precision gets to 2e-7 of the largest slope. Where that is 0, all are to be 0 exactly.
    """
    arrays = tuple(single(each) for each in arrays)
    tensors = [tensor(each).requires_grad_() for each in arrays]
    loss = fast(*tensors)
    loss.backward()
    assert loss.item() == pytest.approx(slow(*arrays), rel=1e-5, abs=1e-6)
    slopes = []
    for ours, theirs in zip(tensors, differences(slow, arrays), strict=True):
        slopes.append(np.abs(theirs).max())
        assert np.abs(ours.grad.numpy() - theirs).max() <= 1e-5 * slopes[-1]
    return loss.item(), min(slopes)


def slow_dice(logits, targets, weights):
    """One minus Dice of each film, with V-Net's denominator."""
    dice = []
    for x, target, weight in zip(logits, targets, weights, strict=True):
        p, t = sigmoid(x)[weight > 0], target[weight > 0]
        dice.append(1 - (2 * (p * t).sum() + 1) / ((p**2).sum() + (t**2).sum() + 1))
    return dice


def slow_entropy(logits, targets, weights):
    """Mean over the pixels that count, of all films together."""
    p, t = sigmoid(logits)[weights > 0], targets[weights > 0]
    losses = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    return losses.sum() / max(1, losses.size)


def pictures(kind: str = "soft") -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets."""
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, 2, SHAPE), single(rng.random(SHAPE))
    return logits, targets if kind == "soft" else (targets > 0.6).astype(np.float64)


@pytest.mark.parametrize("kind", ["soft", "hard"])
@pytest.mark.parametrize("counted", ["all", "some", "none"])
def test_dice_and_cross_entropy_agree_with_slow_sums(kind, counted):
    logits, targets = pictures(kind)
    share = {"all": 1.0, "some": 0.5, "none": 0.0}[counted]
    weights = (np.random.default_rng(1).random(SHAPE) < share).astype(np.float64)
    given = None if counted == "all" else tensor(weights)
    dice = check(
        lambda x: dice_loss(x, tensor(targets), given),
        lambda x: np.mean(slow_dice(x, targets, weights)),
        logits,
    )
    entropy = check(
        lambda x: cross_entropy(x, tensor(targets), given),
        lambda x: slow_entropy(x, targets, weights),
        logits,
    )
    if counted == "none":
        assert dice == entropy == (0, 0)
    else:
        assert min(*dice, *entropy) > 0.01


@pytest.mark.parametrize("dice_only", [False, True])
def test_the_segmentation_loss_is_dice_with_or_without_cross_entropy(dice_only):
    logits, targets = pictures("hard")
    ones = np.ones(SHAPE)

    def slow(x):
        entropy = 0.0 if dice_only else slow_entropy(x, targets, ones)
        return np.mean(slow_dice(x, targets, ones)) + entropy

    check(lambda x: segmentation_loss(x, tensor(targets), dice_only), slow, logits)


def slow_consistency(logits, teacher, kind, negative, heeded, least, dice_only):
    """METHOD's rule for pseudo-masks, film by film."""
    dice, x, t, w = [], [], [], []
    for x_, seen, denied, heed in zip(logits, teacher, negative, heeded, strict=True):
        target = seen if kind == "soft" else np.where(seen >= THRESHOLD, 1.0, 0.0)
        if denied:
            target = np.zeros_like(seen)
        counts = np.ones_like(seen)
        if kind == "banded":
            counts[(seen > 1 - BAND) & (seen < BAND)] = 0
        if kind != "soft" and target[counts > 0].sum() < least:
            counts[(seen > SURE_BACKGROUND) | (not denied)] = 0
        counts = counts * heed
        if target[counts > 0].sum() >= least:
            dice += slow_dice(x_[None], target[None], counts[None])
        x.append(x_), t.append(target), w.append(counts)
    entropy = slow_entropy(np.stack(x), np.stack(t), np.stack(w))
    return sum(dice) / len(logits) + (0.0 if dice_only else entropy)


def teachers_view() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a teacher sees of eight films, whether words deny lesions, and which pixels are heeded at all."""
    rng = np.random.default_rng(2)
    seen = rng.random((8, 1, 6, 5))
    heeded = (rng.random(seen.shape) > 0.2).astype(np.float64)
    seen[0, 0, 0, :4] = THRESHOLD, BAND, 1 - BAND, 0.7  # On the edges, and between them.
    heeded[0, 0, 0] = 1
    seen[1] *= 0.05  # All but empty, though the words name a lesion.
    seen[1, 0, 2, 2] = 0.9
    seen[2] *= 0.1  # Nothing seen, some of it surely, and the words deny lesions.
    seen[3, :, :2] *= 0.04  # A lesion seen that the words deny.
    heeded[4] = 0  # The words contradict themselves.
    seen[5] *= 0.5  # A lesion most of which lies in the band.
    seen[5, 0, 2, :4] = 0.7, 0.7, 0.7, 0.9
    seen[6] *= 0.2  # A lesion as small as one may be.
    seen[6, 0, 2, :2] = 0.9
    heeded[6] = 1
    seen[7] *= 0.05  # A lesion that is not heeded.
    seen[7, 0, 2] = 0.9
    heeded[7, 0, 2] = 0
    negative = np.array([number in (2, 3) for number in range(8)])
    return single(seen), negative, heeded


@pytest.mark.parametrize("least", [2.0, 0.0], ids=["", "empty ones teach"])
@pytest.mark.parametrize("dice_only", [False, True], ids=["both", "dice"])
@pytest.mark.parametrize("kind", ["soft", "hard", "banded"])
def test_consistency_with_pseudo_masks_agrees_with_slow_sums(kind, dice_only, least):
    seen, negative, heeded = teachers_view()
    made = pseudo_targets(tensor(seen), kind, THRESHOLD, BAND, tensor(negative), least)
    pseudo = PseudoTargets(made.targets, made.weight * tensor(heeded))
    logits = np.random.default_rng(3).normal(0, 2, seen.shape)
    value, slope = check(
        lambda x: consistency_loss(x, pseudo, dice_only, least),
        lambda x: slow_consistency(x, seen, kind, negative, heeded, least, dice_only),
        logits,
    )
    assert min(value, slope) > 1e-3


def slow_itcl(images, texts, zones, known, soft=True):
    """METHOD's ITCL, row by row over the known cases; with ``soft`` off, CLIP, whose only positive is a case's own."""
    cases = np.flatnonzero(known)
    total = 0.0
    for v, u in ((images, texts), (texts, images)):
        for a in cases:
            exps, positives = [], []
            for b in cases:
                cosine = v[a] @ u[b] / (np.linalg.norm(v[a]) * np.linalg.norm(u[b]))
                both, either = (zones[a] * zones[b]).sum(), ((zones[a] + zones[b]) > 0).sum()
                alike = 1.0 if either == 0 else both / either
                exps.append(np.exp(cosine / TEMPERATURE))
                positives.append(1.0 if a == b else alike * soft)
            shares = np.array(positives) / sum(positives)
            total -= 0.5 * (shares * np.log(np.array(exps) / sum(exps))).sum() / len(cases)
    return total


KNOWN = {
    "all known": [True] * 6,
    "some known": [True, True, False, True, True, False],
    "two known": [False, True, False, False, True, False],
    "one known": [False, True, False, False, False, False],
    "none known": [False] * 6,
}


@pytest.mark.parametrize("soft", [True, False], ids=["jaccard", "identity"])
@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_itcl_agrees_with_slow_sums(known, soft):
    rng, known = np.random.default_rng(0), np.array(known)
    images, texts = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    zones = np.array([[1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0] * 6, [0] * 6,
                      [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0]], float)  # fmt: skip
    similarity = zone_similarity(tensor(zones), tensor(known)) if soft else torch.zeros(6, 6)
    value, slope = check(
        lambda v, u: itcl_loss(v, u, similarity, tensor(known), TEMPERATURE),
        lambda v, u: slow_itcl(v, u, zones, known, soft),
        images,
        texts,
    )
    if known.sum() < 2:
        assert value == slope == 0
    else:
        assert min(value, slope) > 0.1


@pytest.mark.parametrize("known", [[True, False, True, True], [False] * 4], ids=["some", "none"])
def test_reading_zones_agrees_with_slow_sums(known):
    rng = np.random.default_rng(0)
    logits, zones = rng.normal(0, 2, (4, 6)), (rng.random((4, 6)) > 0.5).astype(np.float64)

    def slow(x):
        rows = [row for row in range(4) if known[row]]
        return np.mean([slow_entropy(x[r], zones[r], np.ones(6)) for r in rows]) if rows else 0.0

    value, slope = check(lambda x: zone_loss(x, tensor(zones), torch.tensor(known)), slow, logits)
    assert (value > 0.1 and slope > 0.01) if any(known) else value == slope == 0


@pytest.mark.parametrize("weights", [[1.0, 0.0, 1.0], [0.0] * 3], ids=["some", "none"])
def test_the_lv_loss_agrees_with_slow_sums(weights):
    logits, masks = pictures()

    def slow(x):
        losses = []
        for p, mask, weight in zip(sigmoid(x), masks, weights, strict=True):
            if weight:
                losses.append(1 - (p * mask).sum() / np.sqrt((p**2).sum() * (mask**2).sum()))
        return np.mean(losses) if losses else 0.0

    value, slope = check(
        lambda x: lv_loss(torch.sigmoid(x), tensor(masks), torch.tensor(weights)), slow, logits
    )
    assert (value > 0.1 and slope > 0.01) if any(weights) else value == slope == 0
