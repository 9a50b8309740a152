"""A case as it lies on a desk: its film, the teacher's proposal, where a reader starts from, and how what they made of
it compares with the proposal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from training.errors import FormatError
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
    trouble : str
        What of the case cannot be read, and the way out; empty if all of it can.
    readable : bool
        Whether the film itself can be read. If not, it is shown black, and nobody can accept anything of it.
    """

    case: Case
    image: np.ndarray = field(repr=False)
    probability: np.ndarray | None = field(repr=False)
    proposal: np.ndarray | None = field(repr=False)
    model_id: str | None
    restored: bool
    trouble: str = ""
    readable: bool = True


def load_case(project: Project, case: Case, draft: Draft | None, threshold: float) -> OpenCase:
    """Read what belongs to a case from the project's files; a film that cannot be read is black, with a sentence."""
    try:
        image = _read_film(project, case)
    except (FormatError, OSError) as error:
        sentence = f"The film of {case.id} cannot be read: skip it with a reason. ({error})"
        black = np.zeros((case.height, case.width), np.float32)
        return OpenCase(case, black, None, None, None, draft is not None, sentence, readable=False)
    found = None if case.is_holdout else read_proposal(project, case.id)
    probability = None if found is None else resize_probability(found[1], (case.height, case.width))
    return OpenCase(
        case,
        image,
        probability,
        None if probability is None else pseudo_mask(probability, threshold),
        None if found is None else found[0].model_id,
        restored=draft is not None,
    )


def _read_film(project: Project, case: Case) -> np.ndarray:
    image = read_image(project.folder / case.image)
    if image.shape != (case.height, case.width):
        raise FormatError(
            f"{case.image} is {image.shape[1]} x {image.shape[0]} pixels, not {case.width} x {case.height}."
        )
    return image


def starting_mask(
    project: Project, opened: OpenCase, draft: Draft | None
) -> tuple[np.ndarray, str]:
    """Where a reader starts: the draft, else the reference, else the proposal, else nothing.

    Returns
    -------
    mask : (H, W) uint8, 0 or 1
    trouble : str
        A sentence if the reference cannot be read; the mask is empty then.
    """
    empty = np.zeros((opened.case.height, opened.case.width), np.uint8)
    if draft is not None and draft.mask.shape == empty.shape:
        return draft.mask, ""
    if opened.case.mask is not None:
        try:
            return _read_reference(project, opened.case), ""
        except (FormatError, OSError) as error:
            return empty, (
                f"The accepted mask of {opened.case.id} cannot be read: draw it again, "
                f"or skip it with a reason. ({error})"
            )
    return (empty if opened.proposal is None else opened.proposal.copy()), ""


def _read_reference(project: Project, case: Case) -> np.ndarray:
    mask = read_mask(project.folder / str(case.mask))
    if mask.shape != (case.height, case.width):
        raise FormatError(f"{case.mask} has another size than its film.")
    return mask


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
