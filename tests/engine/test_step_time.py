from __future__ import annotations

import math
import random

import pytest
import torch
from steps import measure
from steps.material import make_material, read_material
from steps.ours import OurSteps
from steps.plain import PlainSteps
from steps.plain_films import hide_positions, mix_patches, zones_of
from torch import nn
from torch.nn import functional as F

from training.config import ViewsConfig
from training.engine.networks.bridges import Attend
from training.engine.networks.mmi_unet import refine

TEXTS = ["One infected area, lower left lung.", "One infected area, upper left lung."]


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    made = make_material(folder, "tiny", batch=2, films=4)
    assert read_material(folder) == made
    return made


def test_our_step_and_the_plain_one_run_and_change_their_student_and_their_teacher(material):
    ours, plain = OurSteps(material), PlainSteps(material)
    assert ours.read_an_epoch() >= 2
    of_ours = (ours.round.student, ours.round.teacher.network)
    for network, teacher, steps in (
        (*of_ours, (ours.semi, ours.supervised)),
        (plain.student, plain.teacher, (plain.step,)),
    ):
        for step in steps:
            before = [each.spread.weight.clone() for each in (network, teacher)]
            assert math.isfinite(step())
            after = [each.spread.weight for each in (network, teacher)]
            assert not any(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert measure.needed_multiply_adds(ours) > 1e6
    same = [{name: p.shape for name, p in network.named_parameters() if "words" not in name}
            for network in (ours.round.student, plain.student)]  # fmt: skip
    assert same[0] == same[1]


def test_the_plain_patch_is_refused_by_its_gate_or_pasted_with_its_words():
    random.seed(0)
    views = ViewsConfig(patch_probability=1.0, patch_gate=0.5)
    films = torch.stack([torch.zeros(1, 32, 32), torch.ones(1, 32, 32)])
    for sure, pasted in ((0.9, True), (0.1, False)):
        own, theirs = torch.zeros_like(films), torch.full_like(films, sure)
        mixed = mix_patches(films, (own, theirs), TEXTS, [1, 0], views)
        assert bool(mixed.films[0].any()) == pasted
        assert ("lower left lung and upper left lung" in mixed.texts[0]) == pasted


def test_the_plain_words_are_read_and_hidden_by_phrase():
    assert zones_of("all left lung and lower right lung") == [1, 1, 1, 0, 0, 1]
    hidden = hide_positions(TEXTS[0], ViewsConfig(posaug_probability=1.0, posaug_fuzz_share=0.0))
    assert hidden == "One infected area, [UNK_POS]."


@pytest.mark.parametrize("step", [2, 4])
def test_patches_that_overlap_are_the_convolution_at_full_resolution(step):
    torch.manual_seed(0)
    features = torch.randn(2, 12, 5, 7, requires_grad=True)
    spread = nn.Conv2d(12, 8 * step**2, 1)
    last = nn.Sequential(nn.GELU(), nn.Conv2d(8, 1, 3, padding=1))
    weights = [features, *spread.parameters(), *last.parameters()]
    wanted = last(F.pixel_shuffle(spread(features), step))
    found = refine(features, spread, last, step)
    assert torch.allclose(found, wanted, atol=1e-5)
    for one, other in zip(
        torch.autograd.grad(found.square().mean(), weights),
        torch.autograd.grad(wanted.square().mean(), weights),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-5)


def test_attention_without_copies_is_what_its_module_computes():
    torch.manual_seed(0)
    block, own, other = Attend(16, 2, 8).train(), torch.randn(3, 5, 16), torch.randn(3, 7, 16)
    gone = torch.arange(7)[None] >= torch.tensor([[7], [4], [1]])
    found = block(own, other, None, gone)
    query = block.norms[0](own)
    expected = own + block.inner(query, query, query, need_weights=False)[0]
    keys, query = block.norms[1](other), block.norms[2](expected)
    expected = expected + block.across(query, keys, keys, gone, need_weights=False)[0]
    expected = expected + block.feed(block.norms[3](expected))
    assert torch.allclose(found, expected, atol=1e-6)
