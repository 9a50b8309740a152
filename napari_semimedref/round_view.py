"""What a window knows of the project's latest round, as one frozen value. No Qt, no napari."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.run_control import Living


@dataclass(frozen=True)
class RoundView(Living):
    """What a window knows of the project's latest round.

    Attributes
    ----------
    curves : Mapping of str to tuple of (step, value)
        The numbers of all ``progress`` events, by their name.
    trouble : str
        A sentence when the round's process ended without leaving a run; else empty.
    note : str
        A sentence about this window's own start; else empty.
    own : bool
        Whether this window started the process.
    silent : int
        Seconds without a sign of life of the trainer, where that is worth a word; else 0.
    """

    curves: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    trouble: str = ""
    note: str = ""
    own: bool = False
    silent: int = 0

    @property
    def losses(self) -> tuple[tuple[int, float], ...]:
        """One point for each ``progress`` event with a loss."""
        return self.curves.get("loss", ())

    @property
    def paused(self) -> bool:
        """Whether the trainer waits on request."""
        return self.alive and self.status.state == "paused"

    @property
    def sentence(self) -> str:
        """The state in words."""
        if self.trouble and not self.alive:
            return self.trouble
        words = super().sentence
        if self.silent:
            words = f"No sign of life for {self.silent} s. {words}"
        return f"{self.note} {words}" if self.note and self.alive else words
