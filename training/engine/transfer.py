"""The way from host memory to the device, taken without waiting. Nothing else."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device.

    A plain copy to a GPU first waits until that has done all it was given; one from pinned memory stands in line.
    PyTorch keeps the pinned memory until the copy is done.

    Parameters
    ----------
    tensor : Tensor of any shape and dtype
        It must not be changed in place afterwards.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
