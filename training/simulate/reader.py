"""The scripted reader: what it sees, how it errs, how long it takes. Chance comes from outside. No project, no file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.active_time import ActiveTime
from training.metrics import overlap
from training.report import swap_sides

Mask = NDArray[np.uint8]
EVERYWHERE = np.ones((3, 3), bool)
WAVE = 0.06  # how far a trembling of the contour reaches along it, as a share of the film's side


@dataclass(frozen=True)
class TimeModel:
    """Seconds of work on a case: ``look``, plus ``stroke`` for every spot that is changed, plus ``contour`` times the
    length of contour drawn (in sides of the film), plus ``words`` if the words are changed.

    A region that is only taken away costs a stroke and no contour. Drawing from nothing is the same with an empty
    mask to begin with. The figures are assumptions, stated in docs/evidence.md; none was measured on people.
    """

    look: float = 5.0
    stroke: float = 2.0
    contour: float = 25.0
    words: float = 5.0

    def seconds(self, before: Mask, after: Mask, *, words_changed: bool = False) -> float:
        """Of turning one mask into the other, both ``(H, W), 0 or 1``."""
        spots, length = effort(before, after)
        return self.look + self.stroke * spots + self.contour * length + self.words * words_changed


def effort(before: Mask, after: Mask) -> tuple[int, float]:
    """Separate spots in which two masks ``(H, W)`` differ, and the length of new contour in sides of the film."""
    changed = (before > 0) != (after > 0)
    _, spots = ndimage.label(changed, EVERYWHERE)
    near_old = ndimage.binary_dilation(contour_of(before), EVERYWHERE)
    drawn = contour_of(after) & ~near_old
    return int(spots), float(np.count_nonzero(drawn)) / max(after.shape)


def contour_of(mask: Mask) -> NDArray[np.bool_]:
    """The foreground pixels of a mask ``(H, W)`` that touch background."""
    inside = mask > 0
    contour: NDArray[np.bool_] = inside & ~ndimage.binary_erosion(inside)
    return contour


@dataclass(frozen=True)
class Read:
    """What the reader made of a case; ``from_nothing`` is how long it would have taken without a proposal."""

    mask: Mask
    description: str
    as_is: bool
    seconds: float
    from_nothing: float


@dataclass(frozen=True)
class ScriptedReader:
    """A reader who knows the reference and does not always hit it.

    Attributes
    ----------
    tolerance : float in (0, 1]
        Dice to what the reader sees from which a proposal is accepted as it is.
    margin : float
        How far off a proposed contour may be and still stand, as a share of the film's side: a spot in which the
        proposal is wrong is left if all of it lies as near to the contour that the reader sees.
    jitter : float
        How far drawn contours tremble, as a share of the film's side (standard deviation).
    missed : float in [0, 1]
        Chance that a lesion is overlooked.
    wrong_words : float in [0, 1]
        Chance that the reader leaves the words with left and right exchanged.
    anchoring : float in [0, 1]
        Chance that a region in which the proposal is wrong is left as proposed.
    """

    tolerance: float = 0.95
    margin: float = 0.0
    jitter: float = 0.0
    missed: float = 0.0
    wrong_words: float = 0.0
    anchoring: float = 0.0
    time: TimeModel = field(default_factory=TimeModel)

    def read(
        self, reference: Mask, proposal: Mask | None, description: str, rng: np.random.Generator
    ) -> Read:
        """Look at a case with the proposal at hand, both masks ``(H, W), 0 or 1``."""
        seen = self._seen(reference, rng)
        words = swap_sides(description).text if rng.random() < self.wrong_words else description
        start = np.zeros_like(seen) if proposal is None else (proposal > 0).astype(np.uint8)
        as_is = proposal is not None and overlap(start, seen).dice >= self.tolerance
        mask = start if as_is else self._drawn(start, seen, rng)
        as_is = as_is or (proposal is not None and np.array_equal(mask, start))
        changed = words != description
        return Read(
            mask,
            words,
            as_is,
            self.time.seconds(start, mask, words_changed=changed),
            self.time.seconds(np.zeros_like(mask), mask, words_changed=changed),
        )

    def _seen(self, reference: Mask, rng: np.random.Generator) -> Mask:
        seen = (reference > 0).astype(np.uint8)
        if self.missed:
            lesions, count = ndimage.label(seen, EVERYWHERE)
            kept = np.concatenate([[False], rng.random(count) >= self.missed])
            seen = kept[lesions].astype(np.uint8)
        return tremble(seen, self.jitter * max(seen.shape), rng) if self.jitter else seen

    def _drawn(self, start: Mask, seen: Mask, rng: np.random.Generator) -> Mask:
        if not (self.anchoring or self.margin) or not start.any():
            return seen
        wrong, count = ndimage.label(start != seen, EVERYWHERE)
        left = off_by(wrong, count, seen) <= self.margin * max(seen.shape)
        if self.anchoring:
            left |= rng.random(count) < self.anchoring
        return np.where(np.concatenate([[False], left])[wrong], start, seen).astype(np.uint8)


def off_by(spots: NDArray[np.int32], count: int, seen: Mask) -> NDArray[np.float64]:
    """How far each of ``count`` numbered spots ``(H, W)`` reaches from a mask's contour, in pixels; inf without one."""
    contour = contour_of(seen)
    if not contour.any():
        return np.full(count, np.inf)
    distance = ndimage.distance_transform_edt(~contour)
    reach: NDArray[np.float64] = np.asarray(ndimage.maximum(distance, spots, range(1, count + 1)))
    return reach


def tremble(mask: Mask, pixels: float, rng: np.random.Generator) -> Mask:
    """The mask ``(H, W)`` with its contour moved in and out by a smooth field of ``pixels`` standard deviation."""
    if not mask.any() or mask.all():
        return mask
    inside = mask > 0
    signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    waves = ndimage.gaussian_filter(rng.standard_normal(mask.shape), WAVE * max(mask.shape))
    waves *= pixels / max(float(waves.std()), 1e-9)
    moved: Mask = (signed + waves > 0).astype(np.uint8)
    return moved


class StatedTime(ActiveTime):
    """The work of a reader who needs no time: as many seconds as the time model states."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def touch(self) -> None:
        """Nothing passes."""
