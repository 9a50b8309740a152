"""A case as it lies on a desk: its film, the teacher's proposal, where a reader starts from, and how what they made of
it compares with the proposal."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from training.arms import plant
from training.errors import FormatError
from training.metrics import overlap
from training.pool import Case, Draft, Project
from training.pool.images import pseudo_mask, read_image, read_mask, resize_probability
from training.pool.rounds import read_proposal
from training.pool.showings import Arm

REDRAWN_DICE = 0.2
SHELF = 3  # films read ahead
Stamp = tuple[int, int]  # size and time of a file


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
    arm : {"strategy", "control", "no-proposal", "planted"}
        What is shown of the teacher (see `training.arms`). Nothing in a window may tell.
    """

    case: Case
    image: np.ndarray = field(repr=False)
    probability: np.ndarray | None = field(repr=False)
    proposal: np.ndarray | None = field(repr=False)
    model_id: str | None
    restored: bool
    trouble: str = ""
    readable: bool = True
    arm: Arm = "strategy"

    @property
    def takes_proposals(self) -> bool:
        """Whether the teacher may be asked about it: never for the holdout, nor where its word is withheld."""
        held_back = self.case.is_holdout or self.arm in ("no-proposal", "planted")
        return self.readable and not held_back


class FilmShelf:
    """A few films read ahead, by any thread, so that the next case need not wait for its file."""

    def __init__(self) -> None:
        self._films: OrderedDict[Path, tuple[np.ndarray, Stamp]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._films)

    def fetch(self, path: Path) -> None:
        """Read a film ahead; one that cannot be read is left to whoever opens it."""
        with self._lock:
            if path in self._films:
                return
        try:
            stamp, film = _stamp(path), read_image(path)
        except (FormatError, OSError):
            return
        with self._lock:
            self._films[path] = film, stamp
            while len(self._films) > SHELF:
                self._films.popitem(last=False)

    def take(self, path: Path) -> np.ndarray:
        """The film ``(H, W) float32 in [0, 1]``, from the shelf or from its file; raises like `read_image`."""
        with self._lock:
            film, stamp = self._films.pop(path, (None, None))
        # A film that was lost or damaged since then must not come to the desk as if it were whole.
        unchanged = film is not None and path.exists() and _stamp(path) == stamp
        return film if film is not None and unchanged else read_image(path)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def load_case(
    project: Project,
    case: Case,
    draft: Draft | None,
    threshold: float,
    shelf: FilmShelf | None = None,
    arm: Arm = "strategy",
) -> OpenCase:
    """Read what belongs to a case from the project's files; a film that cannot be read is black, with a sentence."""
    try:
        image = _read_film(project, case, FilmShelf() if shelf is None else shelf)
    except (FormatError, OSError) as error:
        sentence = f"The film of {case.id} cannot be read: skip it with a reason. ({error})"
        black = np.zeros((case.height, case.width), np.float32)
        return OpenCase(case, black, None, None, None, draft is not None, sentence, readable=False)
    said, model_id, shown = _teachers_word(project, case, threshold, arm)
    probability = None if said is None else resize_probability(said, (case.height, case.width))
    return OpenCase(
        case,
        image,
        probability,
        None if probability is None else pseudo_mask(probability, threshold),
        model_id,
        restored=draft is not None,
        arm=shown,
    )


def _teachers_word(
    project: Project, case: Case, threshold: float, arm: Arm
) -> tuple[np.ndarray | None, str | None, Arm]:
    """Probability, the model that it is from, and the arm: what there is no teacher's word to do with is left be."""
    found = None if case.is_holdout else read_proposal(project, case.id)
    if found is None:
        return None, None, "control" if arm == "control" else "strategy"
    if arm == "no-proposal":
        return None, None, arm
    wrong = plant(project, *found, threshold) if arm == "planted" else None
    if wrong is not None:
        return wrong, None, arm
    return found[1], found[0].model_id, "strategy" if arm == "planted" else arm


def _read_film(project: Project, case: Case, shelf: FilmShelf) -> np.ndarray:
    image = shelf.take(project.folder / case.image)
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


def compare(opened: OpenCase, mask: np.ndarray) -> dict[str, Any]:
    """Where a mask ``(H, W) uint8, 0 or 1`` comes from, seen beside its proposal: fields of a revision."""
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
