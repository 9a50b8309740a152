"""What a round will take, told before it starts: time from what earlier rounds measured, memory from sizes. No torch.

Time is only foretold from a finished round of the same network and method: its measured seconds a step, scaled with
the films of a step and their pixels. Memory is a sum of weights, films and what a step keeps for its gradient; the
factors were fitted to measured peaks (`tests/engine/test_estimate_fits.py` keeps them honest).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from training.config import NetworkConfig, RunConfig
from training.errors import SemiMedRefError
from training.events import EventTail
from training.pool import Project, Run
from training.pool.rounds import all_runs
from training.rundir import RunFolder

# Bytes of the host that the trainer's libraries fill; about as much again on a GPU.
LIBRARIES = 420 * 2**20
PER_WEIGHT = 20  # Student, teacher, gradient and AdamW's two averages, 4 bytes each.
BERT = 110_000_000  # Weights of a BERT-base, frozen: 4 bytes each.
BLOCK_FLOATS = 30  # Kept for the gradient, for each channel and place of a block of the encoder.
PIXEL_FLOATS = 60  # The same for each pixel of the film, for the last layers, views and loss.
UNET_FLOATS = 36  # For each channel of the first width and pixel, of a U-Net or LViT.
UNET_WEIGHTS = 52  # For each square of a width.
TRANSFORMER_WEIGHTS = 20  # The same for each transformer.
TRANSFORMERS = {"lvit-t": 1, "lvit-s": 4, "lvit-b": 6}
SEMI_COST = 1.9  # A semi-supervised step against a labeled one, where only one was measured.
RUNS_READ = 5
UNKNOWN = "How long it takes is unknown until a round with these settings was measured"


@dataclass(frozen=True)
class Memory:
    """Bytes on the host and on the device (0 without a GPU)."""

    host: int
    device: int = 0


@dataclass(frozen=True)
class Sizes:
    """How many cases there are in the pools."""

    labeled: int
    unlabeled: int
    gate: int = 0
    report: int = 0


@dataclass(frozen=True)
class Measured:
    """What one finished round took.

    Attributes
    ----------
    burn_in_step, semi_step : float or None
        Seconds a step of each phase.
    film : float
        Seconds a film in evaluations and predictions.
    """

    run_id: int
    config: RunConfig
    burn_in_step: float | None
    semi_step: float | None
    film: float


@dataclass(frozen=True)
class Estimate:
    """What is foretold.

    Attributes
    ----------
    seconds : float or None
        None where nothing comparable was measured.
    memory : Memory
    basis : str
        What it was measured from.
    at_most : bool
        Whether it may take less: where burn-in lasts longer, fewer steps use the unlabeled pool.
    """

    seconds: float | None
    memory: Memory
    basis: str = ""
    at_most: bool = False

    @property
    def sentence(self) -> str:
        """In words."""
        need = f"about {in_words(self.memory.host)} of memory"
        if self.memory.device:
            need = f"about {in_words(self.memory.device)} on the GPU"
        if self.seconds is None:
            return f"{UNKNOWN}; {need}."
        about = "At most" if self.at_most else "About"
        return f"{about} {duration(self.seconds)} ({self.basis}), {need}."


def estimate(
    config: RunConfig, sizes: Sizes, past: Sequence[Measured], gpu: bool = False
) -> Estimate:
    """Time and memory of a round with these settings.

    Parameters
    ----------
    past : sequence of Measured
        Newest first.
    gpu : bool
        Whether it will train on a GPU.
    """
    memory = memory_needed(config, gpu, cases=sum(vars(sizes).values()))
    for measured in past:
        if _alike(measured.config, config):
            seconds = _seconds(config, sizes, measured)
            at_most = config.burn_in_may_last and min(sizes.unlabeled, sizes.gate) > 0
            return Estimate(seconds, memory, f"measured in round {measured.run_id}", at_most)
    return Estimate(None, memory)


def next_estimate(project: Project, config: RunConfig) -> Estimate:
    """Of the project's next round, from its pools and its latest rounds."""
    counts = project.counts()
    sizes = Sizes(*(counts[name] for name in ("labeled", "unlabeled", "gate", "report")))
    return estimate(config, sizes, measured_rounds(project), gpu=config.device.startswith("cuda"))


def measured_rounds(project: Project) -> list[Measured]:
    """What the latest finished rounds took, newest first."""
    found = []
    for run in reversed(all_runs(project)[-RUNS_READ:]):
        try:
            measured = measure(run)
        except SemiMedRefError:
            continue  # Its folder was deleted, or is of another version.
        if measured is not None:
            found.append(measured)
    return found


def measure(run: Run) -> Measured | None:
    """What a run took, from what it said; None if it did not finish."""
    folder = RunFolder(run.folder)
    config, snapshot = folder.read_config(), folder.read_snapshot()
    speeds: dict[str, float] = {}
    steps: dict[str, int] = {}
    phase, before, total = "", 0, None
    for event in EventTail(folder.events_file).read_new():
        kind = event.get("kind")
        if kind == "phase":
            phase = str(event.get("name"))
        elif kind == "progress" and event.get("steps_per_second"):
            speeds[phase] = 1 / float(event["steps_per_second"])
            steps[phase] = steps.get(phase, 0) + int(event["step"]) - before
            before = int(event["step"])
        elif kind == "finished":
            total = float(event.get("seconds", 0.0))
    if total is None or not speeds:
        return None
    training = sum(speeds[name] * count for name, count in steps.items())
    pools = (snapshot.labeled, snapshot.unlabeled, snapshot.gate, snapshot.report)
    sizes = Sizes(*map(len, pools))
    film = max(0.0, total - training) / max(1, _films(config, sizes))
    return Measured(run.id, config, speeds.get("burn-in"), speeds.get("semi-supervised"), film)


def memory_needed(
    config: RunConfig, gpu: bool = False, films: int | None = None, cases: int = 0
) -> Memory:
    """Bytes that a round fills at most.

    Parameters
    ----------
    films : int, optional
        Films in a step, instead of the settings'.
    cases : int
        Cases that are held in memory, 2 bytes a pixel.
    """
    network, training = config.network, config.training
    if films is None:
        films = training.batch_labeled
        if config.method.name != "supervised":
            films += training.batch_unlabeled
    frozen = 4 * BERT if network.text_encoder == "hf" else 0
    work = PER_WEIGHT * weights(network) + frozen + 4 * films * film_floats(network)
    pools = 2 * cases * network.image_size**2
    if gpu:
        return Memory(2 * LIBRARIES + pools, LIBRARIES + work)
    return Memory(LIBRARIES + pools + work)


def weights(network: NetworkConfig) -> int:
    """Trained weights of a network, to within a third."""
    widths, text = network.widths, network.text_width
    words = 0 if network.text_encoder == "hf" else network.text_layers * 12 * text**2 + 150 * text
    if network.name == "u-net":
        return _unet_weights(network)
    if network.name in TRANSFORMERS:
        return words + _unet_weights(network)
    encoder = sum(
        depth * (8 * width**2 + 57 * width)
        for depth, width in zip(network.depths, widths, strict=True)
    )
    between = sum(4 * one * other for one, other in pairwise(widths))
    ups = sum(9 * (one + other) * one for one, other in pairwise(widths))
    if network.bridge == "words" or network.name != "mmi-unet":
        bridge = sum(
            2 * w * text + 8 * text**2 + 4 * text * network.bridge_feed_forward for w in widths
        )
    else:
        bridge = sum(12 * w**2 + 2 * w * text + 4 * w * network.bridge_feed_forward for w in widths)
    ends = widths[0] * max(8, widths[0] // 4) * network.patch_size**2
    space = network.projection * (widths[-1] + text)
    return int(words + encoder + between + ups + bridge + ends + space)


def film_floats(network: NetworkConfig) -> int:
    """Numbers that a step keeps for each film until its gradient is known."""
    pixels = network.image_size**2
    if network.name == "u-net" or network.name in TRANSFORMERS:
        return int(UNET_FLOATS * network.widths[0] * pixels)
    places, total = pixels / network.patch_size**2, 0.0
    for depth, width in zip(network.depths, network.widths, strict=True):
        total += BLOCK_FLOATS * (depth + 1) * width * places
        places /= 4
    return int(total + PIXEL_FLOATS * pixels)


def in_words(size: float) -> str:
    """Bytes in words."""
    if size >= 2**30:
        return f"{size / 2**30:.1f} GB"
    return f"{max(1, round(size / 2**20 / 10)) * 10} MB"


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _unet_weights(network: NetworkConfig) -> int:
    squares = sum(width**2 for width in network.widths)
    return squares * (UNET_WEIGHTS + TRANSFORMER_WEIGHTS * TRANSFORMERS.get(network.name, 0))


def _alike(one: RunConfig, other: RunConfig) -> bool:
    """Whether the same network learns by the same method, on the same device; sizes of films and batches apart."""
    size = {"image_size": other.network.image_size}
    return (
        one.network.model_copy(update=size) == other.network
        and one.method.name == other.method.name
        and one.device == other.device
        and one.training.precision == other.training.precision
    )


def _seconds(config: RunConfig, sizes: Sizes, past: Measured) -> float:
    training, then = config.training, past.config.training
    pixels = (config.network.image_size / past.config.network.image_size) ** 2
    labeled = pixels * training.batch_labeled / then.batch_labeled
    both = training.batch_labeled + training.batch_unlabeled
    all_films = pixels * both / (then.batch_labeled + then.batch_unlabeled)
    burn_in, semi = past.burn_in_step, past.semi_step
    first = burn_in if burn_in is not None else (semi or 0.0) / SEMI_COST
    second = semi if semi is not None else first * SEMI_COST
    supervised = config.method.name == "supervised" or sizes.unlabeled == 0
    steps = training.steps if supervised else round(training.steps * training.burn_in)
    learning = steps * first * labeled + (training.steps - steps) * second * all_films
    return learning + _films(config, sizes) * past.film * pixels


def _films(config: RunConfig, sizes: Sizes) -> int:
    """Films looked at outside of steps: evaluations on the way, the last one, predictions."""
    training = config.training
    on_the_way = (
        training.steps // training.evaluate_every * min(training.evaluation_limit, sizes.gate)
    )
    predicted = sizes.unlabeled if training.pseudo_masks else 0
    return 2 * on_the_way + 2 * (sizes.gate + sizes.report) + predicted
