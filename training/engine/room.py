"""Memory: how much is free, whether an error means that there was too little, and giving back what is not in use."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import torch

from training.config import RunConfig
from training.errors import EngineError
from training.estimate import Memory, in_words, memory_needed

# Of RuntimeErrors by which PyTorch's allocators, on whatever device, say that there was no memory.
SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_failed",
)
GROUP = Path("/sys/fs/cgroup")
TIGHT = (
    "This round may need about {needed} of memory on the {where}, and {free} is free: if it does not suffice, films "
    "are taken fewer at a time, which is slower; closing other programs helps."
)
TOO_LITTLE = (
    "This round needs at least {needed} of memory on the {where}, and {free} is free: close other programs, or choose "
    "a smaller image_size or network."
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on the host or on a device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def give_back_memory() -> None:
    """Hand what is not in use back to the device, so that others, or smaller pieces, find room."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_memory(device: torch.device) -> Memory:
    """What is free on the host, a container's limit included, and on the device."""
    host = psutil.virtual_memory().available
    try:
        limit, used = (
            (GROUP / name).read_text().strip() for name in ("memory.max", "memory.current")
        )
        if limit.isdigit():
            host = min(host, max(0, int(limit) - int(used)))
    except (OSError, ValueError):
        pass  # No such limits here.
    gpu = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
    return Memory(host, gpu)


def check_room(config: RunConfig, device: torch.device, free: Memory | None = None) -> str:
    """A sentence if memory may be tight; empty if there is enough.

    Raises
    ------
    EngineError
        If not even one film at a time would fit.
    """
    gpu = device.type == "cuda"
    free = free or free_memory(device)
    where = "GPU" if gpu else "host"
    have = free.device if gpu else free.host
    least, whole = (_of(memory_needed(config, gpu, films), gpu) for films in (2, None))
    words = {"where": where, "free": in_words(have)}
    if least > have:
        raise EngineError(TOO_LITTLE.format(needed=in_words(least), **words))
    return TIGHT.format(needed=in_words(whole), **words) if whole > have else ""


def _of(memory: Memory, gpu: bool) -> int:
    return memory.device if gpu else memory.host
