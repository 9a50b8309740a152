"""The teacher: an exponential moving average of the student. It never sees a gradient."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

NetworkKind = TypeVar("NetworkKind", bound=nn.Module)


class Teacher(Generic[NetworkKind]):
    """Average of a student's weights over recent steps.

    Parameters
    ----------
    student : nn.Module
        Copied; frozen text encoders are shared.

    Attributes
    ----------
    updates : int
        Updates already made; a resumed run sets it.
    """

    def __init__(self, student: NetworkKind) -> None:
        self.network: NetworkKind = copy.deepcopy(student)
        self.network.eval().requires_grad_(False)
        self.updates = 0

    @torch.no_grad()
    def follow(self, student: nn.Module, decay: float) -> float:
        """Move towards the student: teacher = decay * teacher + (1 - decay) * student.

        The first updates use a smaller decay, ``1 - 1 / (n + 1)``, so that the average is not
        weighed down by its start. Float buffers are averaged, others copied.

        Returns
        -------
        float
            The decay that was used.
        """
        self.updates += 1
        used = min(1 - 1 / (self.updates + 1), decay)
        own, new = _tensors(self.network), _tensors(student)
        floats = [number for number, value in enumerate(own) if value.is_floating_point()]
        torch._foreach_lerp_([own[n] for n in floats], [new[n] for n in floats], 1 - used)
        for number in set(range(len(own))).difference(floats):
            own[number].copy_(new[number])
        return used


def _tensors(network: nn.Module) -> list[Tensor]:
    # Not state_dict(), which makes a new tensor of each and takes as long as the averaging itself.
    return [*network.parameters(), *network.buffers()]
