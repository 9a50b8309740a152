"""A case as it lies on a desk: its film, the teacher's proposal, where a reader starts from, and how what they made of
it compares with the proposal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from training.metrics import overlap
from training.pool import Case, Draft, Project
from training.pool.images import read_image, read_mask, resize_probability
from training.pool.rounds import read_proposal

REDRAWN_DICE = 0.2


@dataclass(frozen=True)
class OpenCase:
    """A case on the desk.

    Attributes
    ----------
    image : (H, W) float32 in [0, 1]
    probability : (H, W) float32 in [0, 1] or None
        The teacher's, brought to the image's size. None when there is no teacher yet, and always for the holdout:
        its masks must not lean on the model that they judge.
    proposal : (H, W) uint8, 0 or 1, or None
        The pseudo-mask: probability at or above the confidence threshold.
    restored : bool
        Whether the draft was found from an earlier session.
    """

    case: Case
    image: np.ndarray = field(repr=False)
    probability: np.ndarray | None = field(repr=False)
    proposal: np.ndarray | None = field(repr=False)
    model_id: str | None
    restored: bool


def load_case(project: Project, case: Case, draft: Draft | None, threshold: float) -> OpenCase:
    """Read what belongs to a case from the project's files."""
    found = None if case.is_holdout else read_proposal(project, case.id)
    probability = None if found is None else resize_probability(found[1], (case.height, case.width))
    return OpenCase(
        case,
        read_image(project.folder / case.image),
        probability,
        None if probability is None else pseudo_mask(probability, threshold),
        None if found is None else found[0].model_id,
        restored=draft is not None,
    )


def starting_mask(project: Project, opened: OpenCase, draft: Draft | None) -> np.ndarray:
    """Where a reader starts: the draft, else the reference, else the proposal, else nothing; ``(H, W) uint8``."""
    if draft is not None:
        return draft.mask
    if opened.case.mask is not None:
        return read_mask(project.folder / opened.case.mask)
    if opened.proposal is not None:
        return opened.proposal.copy()
    return np.zeros((opened.case.height, opened.case.width), np.uint8)


def pseudo_mask(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Foreground ``(H, W) uint8, 0 or 1`` where a probability reaches the confidence threshold."""
    return (probability >= threshold).astype(np.uint8)


def compare(opened: OpenCase, mask: np.ndarray) -> dict[str, Any]:
    """Where a mask comes from, seen beside its proposal: fields of a revision."""
    if opened.proposal is None:
        return {"source": "drawn", "outcome": "redrawn"}
    changed = int(np.count_nonzero(opened.proposal != mask))
    agreement = overlap(mask, opened.proposal).dice
    if changed == 0:
        source, outcome = "teacher", "as is"
    elif agreement < REDRAWN_DICE:
        source, outcome = "drawn", "redrawn"
    else:
        source, outcome = "edited", "edited"
    return {
        "source": source,
        "outcome": outcome,
        "pixels_changed": changed,
        "dice_to_proposal": agreement,
    }
