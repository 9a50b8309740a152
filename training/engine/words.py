"""What the engine asks of descriptions: zone vectors, text of a mixed view. Parsing lives in `training.report`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from training.report.augment import draw_posaug, mix_spans, posaug
from training.report.finding import Finding, zone_vector
from training.report.parse import parse
from training.report.rewrite import rewrite_zones
from training.report.strong_text import draw_strong_text, strong_text
from training.report.swap import swap_sides

MIRRORED = {"L": "R", "R": "L"}


@lru_cache(maxsize=8192)
def finding_of(description: str) -> Finding:
    """The parsed description; parsed once."""
    return parse(description)


def is_certain(finding: Finding) -> bool:
    """Whether a finding fixes its zones readably and without contradiction."""
    return (
        finding.has_position and not finding.conflict and finding.reading in ("clear", "repaired")
    )


def consistent(descriptions: Sequence[str]) -> Tensor:
    """1 where a text does not contradict itself, ``(B, 1, 1, 1) float``: others teach no pseudo-mask (METHOD §1b)."""
    agree = [not finding_of(text).conflict for text in descriptions]
    return torch.tensor(agree, dtype=torch.float32)[:, None, None, None]


def zones_of_texts(descriptions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Zone vectors ``(B, 6) float`` and whether each text fixes them, ``(B,) bool``."""
    findings = [finding_of(text) for text in descriptions]
    vectors = np.stack([zone_vector(finding.zones) for finding in findings])
    return torch.from_numpy(vectors), torch.tensor([is_certain(finding) for finding in findings])


def are_negative(descriptions: Sequence[str]) -> Tensor:
    """Which texts say, readably and without contradiction, that there is no lesion: ``(B,) bool``."""
    findings = [finding_of(text) for text in descriptions]
    return torch.tensor([is_certain(found) and found.is_negative for found in findings])


@lru_cache(maxsize=8192)
def text_with_zones(description: str, zones: frozenset[str]) -> str:
    """The description, made to name these zones and nothing else."""
    return rewrite_zones(description, zones).text


@lru_cache(maxsize=8192)
def joined_text(description: str, donor: str, rule: str) -> str:
    """The paper's span mixing: the donor's zones in place of the own ones, or both (METHOD §1)."""
    return mix_spans(description, donor, "replace" if rule == "replace" else "conjunction").text


@lru_cache(maxsize=8192)
def mirrored_text(description: str) -> str | None:
    """The words of the mirror image; None where they cannot be read surely enough to mirror them."""
    finding, text = finding_of(description), swap_sides(description).text
    if finding.conflict or finding.reading not in ("clear", "repaired"):
        return None
    wanted = {MIRRORED[zone[0]] + zone[1:] for zone in finding.zones}
    return text if finding_of(text).zones == wanted else None


def without_position(description: str) -> str:
    """The description with every positional phrase hidden, as PosAug hides it."""
    return _hidden(description, ("drop",) * len(finding_of(description).phrases))


def change_words(description: str, rng: np.random.Generator) -> str:
    """TextStrong: words dropped, replaced and swapped, whatever they mean (METHOD §1, table 3)."""
    return strong_text(description, draw_strong_text(rng, description)).text


def hide_positions(
    description: str, rng: np.random.Generator, probability: float, fuzz_share: float
) -> tuple[str, tuple[str, ...]]:
    """PosAug: the text with some positions hidden, and what happened to each phrase."""
    actions = draw_posaug(rng, len(finding_of(description).phrases), probability, fuzz_share)
    return _hidden(description, actions), actions


@lru_cache(maxsize=8192)
def _hidden(description: str, actions: tuple[str, ...]) -> str:
    return posaug(description, actions).text
