"""Undo and redo of one case's mask: small differences in a row, and a place in that row. A history can be written down
as text and found again; what does not fit the mask at hand is forgotten rather than applied."""

from __future__ import annotations

import base64
import hashlib
import zlib
from copy import copy
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Mask = NDArray[np.uint8]
MOST_STEPS = 200
MOST_BYTES = 2_000_000  # of packed differences in one history
Box = tuple[int, int, int, int]


class Step(BaseModel):
    """One change: where, which pixels turned over, and what the mask is after it.

    Attributes
    ----------
    name : str
        What the reader did, as in "stroke" or "smooth".
    box : (y0, x0, y1, x1)
        Half-open.
    bits : str
        Base64 of zlib of the box's pixels, one bit each: 1 where the mask turns over.
    after : str
        Digest of the mask after the change.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    box: tuple[
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
    ]
    bits: str
    after: str


class Trail(BaseModel):
    """A history as it is written down.

    Attributes
    ----------
    shape : (H, W)
    before : str
        Digest of the mask before the first step.
    steps : tuple of Step
    at : int
        How many of the steps are done; the rest was undone.
    """

    model_config = ConfigDict(frozen=True)

    shape: tuple[int, int]
    before: str
    steps: tuple[Step, ...] = ()
    at: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _is_possible(self) -> Trail:
        height, width = self.shape
        if self.at > len(self.steps) or len(self.steps) > MOST_STEPS:
            raise ValueError("the place is not in the row")
        for y0, x0, y1, x1 in (step.box for step in self.steps):
            if not (y0 < y1 <= height and x0 < x1 <= width):
                raise ValueError("a box is not in the film")
        return self

    @classmethod
    def read(cls, text: str | bytes) -> Trail | None:
        """A trail from its JSON; None if the text is none, or damaged."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None

    def write(self) -> str:
        """The trail as JSON."""
        return self.model_dump_json()


class History:
    """The changes of one mask, with a place among them.

    Parameters
    ----------
    mask : (H, W) uint8, 0 or 1
        As it is now. Masks that are handed in or out are shared and must not be written to.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._before = digest(mask)
        self._steps: list[Step] = []
        self._at = 0

    @classmethod
    def following(cls, trail: Trail | None, mask: Mask) -> History:
        """The history that leads to a mask ``(H, W) uint8, 0 or 1``; an empty one if the trail does not pass there.

        A crash may have kept one more or one less step than the mask has; the place is found by the mask.
        """
        history = cls(mask)
        if trail is None or trail.shape != mask.shape:
            return history
        states = [trail.before, *(step.after for step in trail.steps)]
        fits = [place for place, state in enumerate(states) if state == history._before]
        if fits:
            history._before, history._steps = trail.before, list(trail.steps)
            history._at = trail.at if trail.at in fits else fits[-1]
        return history

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to undo and nothing to redo."""
        return not self._steps

    @property
    def to_undo(self) -> str:
        """Name of the change that would be undone; empty if there is none."""
        return self._steps[self._at - 1].name if self._at else ""

    @property
    def to_redo(self) -> str:
        """Name of the change that would be done again; empty if there is none."""
        return self._steps[self._at].name if self._at < len(self._steps) else ""

    def trail(self, mask: Mask | None = None, name: str = "") -> Trail:
        """The history as a value that does not change any more.

        Parameters
        ----------
        mask : (H, W) uint8, 0 or 1, optional
            What the reader is in the midst of: becomes a last step called ``name`` in the trail, not in the history.
        """
        if mask is not None and not np.array_equal(mask, self._mask):
            ahead = copy(self)
            ahead._steps = list(self._steps)
            ahead.record(mask, name)
            return ahead.trail()
        return Trail.model_construct(
            shape=self._mask.shape, before=self._before, steps=tuple(self._steps), at=self._at
        )

    def record(self, mask: Mask, name: str) -> bool:
        """Add the change to this mask ``(H, W) uint8, 0 or 1``; False, and no step, if there is none.

        What was undone before cannot be redone afterwards. The oldest steps go when there are too many.
        """
        turned = self._mask != mask
        if not turned.any():
            return False
        box = _box_of(turned)
        step = Step.model_construct(
            name=name, box=box, bits=_pack(turned[_slices(box)]), after=digest(mask)
        )
        self._steps[self._at :] = [step]
        self._at += 1
        self._mask = mask
        self._forget_the_oldest()
        return True

    def undo(self) -> Mask | None:
        """The mask ``(H, W)`` before the latest change; None if there is none, or it can no longer be made out."""
        if not self._at:
            return None
        step = self._steps[self._at - 1]
        return self._turn(
            step, self._steps[self._at - 2].after if self._at > 1 else self._before, -1
        )

    def redo(self) -> Mask | None:
        """The mask ``(H, W)`` after the change undone last; None if there is none, or it can no longer be made out."""
        if self._at == len(self._steps):
            return None
        step = self._steps[self._at]
        return self._turn(step, step.after, 1)

    def _turn(self, step: Step, expected: str, by: int) -> Mask | None:
        mask = self._mask.copy()
        y0, x0, y1, x1 = step.box
        mask[y0:y1, x0:x1] ^= _unpack(step.bits, (y1 - y0, x1 - x0))
        if digest(mask) != expected:  # a damaged file: better no history than a mask that never was
            self._before, self._steps, self._at = digest(self._mask), [], 0
            return None
        self._mask, self._at = mask, self._at + by
        return mask

    def _forget_the_oldest(self) -> None:
        size = sum(len(step.bits) for step in self._steps)
        while len(self._steps) > MOST_STEPS or (size > MOST_BYTES and len(self._steps) > 1):
            oldest = self._steps.pop(0)
            self._before, self._at = oldest.after, self._at - 1
            size -= len(oldest.bits)


def digest(mask: Mask) -> str:
    """What tells one mask ``(H, W) uint8, 0 or 1`` from another, as text."""
    return hashlib.blake2b(np.packbits(mask).tobytes(), digest_size=12).hexdigest()


def _box_of(turned: NDArray[np.bool_]) -> Box:
    (rows,) = np.nonzero(turned.any(axis=1))
    (columns,) = np.nonzero(turned[rows[0] : rows[-1] + 1].any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _slices(box: Box) -> tuple[slice, slice]:
    y0, x0, y1, x1 = box
    return slice(y0, y1), slice(x0, x1)


def _pack(pixels: NDArray[np.bool_]) -> str:
    return base64.b64encode(zlib.compress(np.packbits(pixels).tobytes(), 1)).decode()


def _unpack(bits: str, shape: tuple[int, int]) -> Mask:
    """The pixels of a box; a damaged text leaves pixels as they are, and never becomes more than the box holds."""
    size = shape[0] * shape[1]
    room = (size + 7) // 8
    try:
        packed = zlib.decompressobj().decompress(base64.b64decode(bits, validate=True), room)
    except (ValueError, zlib.error):
        packed = b""
    return np.unpackbits(np.frombuffer(packed.ljust(room, b"\0"), np.uint8), count=size).reshape(
        shape
    )
