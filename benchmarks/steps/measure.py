"""What one process measures: both steps in turn, the floor of the machine, or the memory of one of them."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from steps.material import Material
from steps.ours import OurSteps
from steps.plain import PlainSteps
from training.engine.networks import mmi_unet
from training.engine.views import standardize

MATRIX = {"cpu": 1024, "cuda": 8192}
MEBIBYTE = 2**20


def both_steps(material: Material, repeats: int) -> dict[str, float]:
    """Times of our steps and the plain one, taken in turn; ratios are medians of ratios of neighbors."""
    ours = OurSteps(material)
    device = ours.round.fabric.device
    plain = PlainSteps(material, clock_for(device))
    ours.read_an_epoch()
    for warm_up in (ours.semi, plain.step, ours.supervised):
        warm_up()
    known, semi, supervised, theirs, loading, throughput = ours.texts_known, [], [], [], [], []
    for _ in range(repeats):
        semi.append(seconds_of(ours.semi, device))
        theirs.append(seconds_of(plain.step, device))
        loading.append(plain.loading)
        supervised.append(seconds_of(ours.supervised, device))
        throughput.append(matrix_throughput(device))
    films = material.config.training.batch_labeled + material.config.training.batch_unlabeled
    fastest, needed = max(throughput), needed_multiply_adds(ours)
    free = [(one - load) / own for one, load, own in zip(theirs, loading, semi, strict=True)]
    return {
        "step_s": statistics.median(semi),
        "plain_step_s": statistics.median(theirs),
        "plain_loading_s": statistics.median(loading),
        "supervised_step_s": statistics.median(supervised),
        "speedup": _ratio(theirs, semi),
        "speedup_loading_free": statistics.median(free),
        "semi_over_supervised": _ratio(semi, supervised),
        "images_per_second": films / statistics.median(semi),
        "plain_images_per_second": films / statistics.median(theirs),
        "gigamacs_needed": needed / 1e9,
        "matrix_gigamacs_per_second": fastest / 1e9,
        "share_of_floor": needed / fastest / statistics.median(semi),
        "texts_encoded_per_step": (ours.texts_known - known) / (2 * repeats),
        "teacher_update_s": _median(ours.follow, device, repeats),
        "prediction_s": _median(ours.predict, device, repeats),
    }


def memory_of(material: Material, who: str) -> dict[str, float]:
    """Largest memory of this process after two steps of one kind, in MiB; on a GPU also the GPU's."""
    ours = who == "ours"
    step = OurSteps(material).semi if ours else PlainSteps(material).step
    step()
    step()
    prefix = "" if ours else "plain_"
    unit = MEBIBYTE if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {f"{prefix}peak_memory_mib": peak / unit}
    if material.config.device.startswith("cuda"):
        figures[f"{prefix}peak_gpu_memory_mib"] = torch.cuda.max_memory_allocated() / MEBIBYTE
    return figures


def needed_multiply_adds(ours: OurSteps) -> float:
    """Of the passes no such step can do without: student forward and backward (3) on both pools, one
    teacher forward; words come from the cache, and layers count as they are defined, not as they are computed."""
    this = ours.round
    films = this.pools.unlabeled.films([(0, 0)], 0, this.fabric.device)
    network = this.teacher.network
    network(standardize(films.images), films.texts)
    with (
        torch.no_grad(),
        sdpa_kernel(SDPBackend.MATH),
        patch.object(mmi_unet, "refine", _refine_as_defined),
        FlopCounterMode(display=False) as counter,
    ):
        network(standardize(films.images), films.texts)
    training = this.config.training
    passes = 3 * (training.batch_labeled + training.batch_unlabeled) + training.batch_unlabeled
    return passes * counter.get_total_flops() / 2


def _refine_as_defined(
    features: Tensor, spread: nn.Conv2d, last: nn.Sequential, step: int
) -> Tensor:
    return last(F.pixel_shuffle(spread(features), step))


def matrix_throughput(device: torch.device) -> float:
    """Multiply-adds a second of a square float32 matrix product: the best of ten."""
    side = MATRIX.get(device.type, MATRIX["cpu"])
    one = torch.rand(side, side, device=device)
    product = torch.empty_like(one)
    best = min(seconds_of(lambda: torch.mm(one, one, out=product), device) for _ in range(10))
    return side**3 / best


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call: of the CPU where one thread does all, so that other programs do not count; else wall."""
    clock = clock_for(device)
    _wait(device)
    begun = clock()
    work()
    _wait(device)
    return clock() - begun


def clock_for(device: torch.device) -> Callable[[], float]:
    """The clock that `seconds_of` reads."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _median(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    work()
    return statistics.median(seconds_of(work, device) for _ in range(repeats))


def _ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=True))
