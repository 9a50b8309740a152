"""What steps tell, left on the device until it is read, and what a run must not miss: a loss or gradient that is no
number, pseudo-masks that empty out. Nothing is trained here."""

from __future__ import annotations

from operator import itemgetter

import torch
from torch import Tensor

from training.errors import EngineError

LOOK_EVERY = 8  # Steps between two looks: each waits for the device, which else may lag behind.
EMPTY_MEMORY = 0.95  # Weight of the past in the running share of empty pseudo-masks.
NO_NUMBER = (
    "The {what} is no number any more at step {step}: lower the learning rate and start again."
)

Numbers = dict[str, Tensor | float]  # By name; scalars that may lie on the device.


class Watch:
    """Follows a run's steps without waiting for any of them.

    Parameters
    ----------
    device : torch.device
        Where the steps are computed.
    empty_average : float in [0, 1]
        Running share of empty pseudo-masks where the run goes on.
    """

    def __init__(self, device: torch.device, empty_average: float = 0.0) -> None:
        self._average = torch.full((), empty_average, dtype=torch.float32, device=device)
        self._broken = torch.full((2,), -1, dtype=torch.int64, device=device)

    def see(self, step: int, loss: Tensor, norm: Tensor | None, told: Numbers) -> None:
        """Take in a step.

        Parameters
        ----------
        loss : float, a scalar
        norm : float, a scalar, or None
            The gradient's; None where it may be no number.
        told : dict of str to float, scalars
            What the step tells. With ``empty_fraction``, the share in [0, 1] of positive descriptions whose pseudo-mask
            is empty, and ``positive_fraction``; a batch without such descriptions says nothing.
        """
        whole = [torch.isfinite(each.detach()) for each in (loss, loss if norm is None else norm)]
        new = ~torch.stack(whole) & (self._broken < 0)
        self._broken = self._broken.masked_fill(new, step)
        if "empty_fraction" in told:
            new = EMPTY_MEMORY * self._average + (1 - EMPTY_MEMORY) * told["empty_fraction"]
            seen = torch.as_tensor(told["positive_fraction"]) > 0
            self._average = torch.where(seen, new, self._average)

    def look(self) -> float:
        """Wait for the device; the running share of empty pseudo-masks.

        Raises
        ------
        EngineError
            A loss or a gradient was no number; names the first step where that was so.
        """
        average, *broken = torch.cat([self._average[None], self._broken.float()]).tolist()
        names = zip(broken, ("loss", "gradient"), strict=True)
        found = [(int(step), what) for step, what in names if step >= 0]
        if found:
            step, what = min(found, key=itemgetter(0))
            raise EngineError(NO_NUMBER.format(what=what, step=step))
        return float(average)


def read(told: Numbers) -> dict[str, float]:
    """Numbers by name; all that lie on the device are fetched at once, so that it waits a single time."""
    there = [value.detach().float() for value in told.values() if isinstance(value, Tensor)]
    fetched = iter(torch.stack(there).tolist() if there else ())
    return {
        name: next(fetched) if isinstance(value, Tensor) else value for name, value in told.items()
    }
