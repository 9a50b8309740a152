from __future__ import annotations

import numpy as np
import pytest
import torch

from training.engine.objectives import (
    consistency_loss,
    cross_entropy,
    dice_loss,
    itcl_loss,
    pseudo_targets,
    zone_loss,
    zone_similarity,
)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 7, 5, generator=generator) * 2
    targets = torch.rand(3, 1, 7, 5, generator=generator)
    return logits, targets


def test_dice_of_soft_targets_is_smallest_at_the_targets_themselves(batch):
    _, targets = batch
    at_target = torch.logit(targets.clamp(1e-4, 1 - 1e-4))
    best = dice_loss(at_target, targets)
    assert best.item() == pytest.approx(0, abs=1e-3)
    for change in (0.5, -0.5):
        assert dice_loss(at_target + change, targets) > best


def test_ignored_pixels_do_not_matter(batch):
    logits, targets = batch
    weight = (torch.rand(targets.shape, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    other = torch.where(weight > 0, logits, torch.full_like(logits, 9.0))
    for loss in (dice_loss, cross_entropy):
        assert torch.allclose(loss(logits, targets, weight), loss(other, targets, weight))
    assert cross_entropy(logits, targets, torch.zeros_like(weight)) == 0


def test_pseudo_targets_are_soft_hard_or_without_their_unsure_band():
    probability = torch.tensor([0.1, 0.45, 0.55, 0.9]).view(1, 1, 2, 2)
    soft = pseudo_targets(probability, "soft", 0.5, 0.7)
    hard = pseudo_targets(probability, "hard", 0.5, 0.7)
    banded = pseudo_targets(probability, "banded", 0.5, 0.7)
    assert torch.equal(soft.targets, probability)
    assert hard.targets.flatten().tolist() == [0, 0, 1, 1]
    assert hard.weight.flatten().tolist() == [1, 1, 1, 1]
    assert banded.weight.flatten().tolist() == [1, 0, 0, 1]


def test_the_dice_of_an_empty_pseudo_mask_does_not_count(batch):
    logits, targets = batch
    targets = targets.clone()
    targets[1] = 0
    pseudo = pseudo_targets(targets, "soft", 0.5, 0.7)
    without = consistency_loss(logits, pseudo, True, least_mass=0.5)
    kept = dice_loss(logits[[0, 2]], targets[[0, 2]]) * 2 / 3
    assert without.item() == pytest.approx(kept.item(), rel=1e-5)
    nothing = pseudo_targets(torch.zeros_like(targets), "soft", 0.5, 0.7)
    assert consistency_loss(logits, nothing, True, 0.5) == 0
    assert consistency_loss(logits, nothing, False, 0.5) > 0


@pytest.mark.parametrize("kind", ["hard", "banded"])
def test_empty_pseudo_masks_teach_background_only_where_words_and_teacher_agree(kind):
    teacher = torch.full((3, 1, 2, 4), 0.1)
    teacher[:, :, 0] = 0.01
    teacher[2, :, 1, 2:] = 0.9  # a lesion seen that the words deny
    negative = torch.tensor([False, True, True])
    pseudo = pseudo_targets(teacher, kind, 0.5, 0.7, negative, 1.0)
    assert not pseudo.targets.any()
    assert not pseudo.weight[0].any()
    for denied in (1, 2):
        assert pseudo.weight[denied, 0].tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


def test_an_empty_pseudo_mask_of_a_positive_description_moves_nothing(batch):
    logits = batch[0].clone().requires_grad_()
    for kind in ("hard", "banded"):
        pseudo = pseudo_targets(torch.full_like(batch[0], 0.01), kind, 0.5, 0.7, None, 1.0)
        consistency_loss(logits, pseudo, False, 1.0).backward()
        assert not logits.grad.any()


def test_itcl_leaves_out_what_fixes_no_position_and_survives_a_batch_of_one():
    vectors = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    zones = torch.eye(6)[:4]
    known = torch.tensor([True, False, True, True])
    part = itcl_loss(vectors, vectors, zone_similarity(zones, known), known, 0.07)
    kept = torch.tensor([0, 2, 3])
    all_known = torch.ones(3, dtype=torch.bool)
    alone = itcl_loss(
        vectors[kept], vectors[kept], zone_similarity(zones[kept], all_known), all_known, 0.07
    )
    assert part.item() == pytest.approx(alone.item())
    one = torch.tensor([True])
    single = itcl_loss(vectors[:1], vectors[:1], zone_similarity(zones[:1], one), one, 0.07)
    assert single == 0


def test_equal_descriptions_are_content_with_equal_images_and_pull_others_together():
    zones, known = torch.ones(3, 6), torch.ones(3, dtype=torch.bool)
    similarity, texts = zone_similarity(zones, known), torch.ones(3, 8)
    equal = torch.arange(8.0).expand(3, 8).clone().requires_grad_()
    loss = itcl_loss(equal, texts, similarity, known, 0.07)
    loss.backward()
    assert loss.item() == pytest.approx(np.log(3), rel=1e-5)
    assert equal.grad.abs().max() < 1e-5
    apart = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    assert itcl_loss(apart, texts, similarity, known, 0.07) > loss


def test_the_diagonal_alone_is_plain_clip():
    vectors = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    texts = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    known = torch.ones(5, dtype=torch.bool)
    loss = itcl_loss(vectors, texts, torch.zeros(5, 5), known, 0.07)
    scores = torch.nn.functional.normalize(vectors) @ torch.nn.functional.normalize(texts).T / 0.07
    target = torch.arange(5)
    entropy = torch.nn.functional.cross_entropy
    expected = 0.5 * (entropy(scores, target) + entropy(scores.T, target))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_zones_are_read_only_where_they_are_known():
    logits, zones = torch.zeros(2, 6), torch.ones(2, 6)
    assert zone_loss(logits, zones, torch.tensor([False, False])) == 0
    assert zone_loss(logits, zones, torch.tensor([True, False])).item() == pytest.approx(np.log(2))
