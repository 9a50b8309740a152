"""From a run folder to everything a round needs: device, films, networks, optimizer, counters. No training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from training.config import RunConfig, TrainingConfig
from training.engine import checkpoint
from training.engine.apart import apart_of
from training.engine.data import CaseOrder, FilmPool, load_films
from training.engine.methods.lvit_epi import LvitMemory, open_memory
from training.engine.networks import Network, build, collect_vocabulary
from training.engine.prior import ZonePrior
from training.engine.schedules import burn_in_steps
from training.engine.streams import Key
from training.engine.teacher import Teacher
from training.engine.watch import Watch
from training.engine.zone_bands import bands_of_films
from training.errors import EngineError
from training.events import EventWriter
from training.report.zones import Convention
from training.rundir import RunFolder
from training.snapshot import Snapshot

FUSED = ("cpu", "cuda")  # Devices whose AdamW updates all weights in one go.


@dataclass
class Counters:
    """Where a run stands; written with every checkpoint.

    Attributes
    ----------
    burn_in : int
        The step from which the unlabeled pool is used, as far as is known; -1 before the first.
    best_dice : float
        Best global Dice on the gate half so far, of the role that selects; -1 before the first.
    stale : int
        Evaluations since then.
    empty_average : float
        Running share of empty pseudo-masks.
    alarmed : bool
        Whether the unlabeled pool is left out because its pseudo-masks emptied.
    seconds : float
        Time spent, earlier parts of a resumed run included.
    pieces : int
        In how many pieces a step's films are taken, since memory did not suffice for all at once.
    """

    step: int = 0
    burn_in: int = -1
    teacher_updates: int = 0
    best_dice: float = -1.0
    best_step: int = 0
    stale: int = 0
    empty_average: float = 0.0
    alarmed: bool = False
    seconds: float = 0.0
    pieces: int = 1


@dataclass(frozen=True)
class Pools:
    """The four pools, decoded."""

    labeled: FilmPool
    unlabeled: FilmPool
    gate: FilmPool
    report: FilmPool


@dataclass(frozen=True)
class Round:
    """One round, ready to train."""

    folder: RunFolder
    events: EventWriter
    config: RunConfig
    convention: Convention
    fabric: Fabric
    pools: Pools
    student: Network
    wrapped: torch.nn.Module
    teacher: Teacher[Network]
    optimizer: torch.optim.Optimizer
    labeled_order: CaseOrder
    unlabeled_order: CaseOrder
    memory: LvitMemory | None
    prior: ZonePrior | None
    counters: Counters
    watch: Watch

    def look(self) -> None:
        """Wait for the device and see what the steps have come to.

        Raises
        ------
        EngineError
            A loss or a gradient was no number.
        """
        self.counters.empty_average = self.watch.look()

    def save(self) -> None:
        """Write the checkpoint that training can continue from; raises as `look` does, and then writes nothing."""
        self.look()
        self.counters.teacher_updates = self.teacher.updates
        networks = (self.student, self.teacher.network)
        state = asdict(self.counters)
        scaler = scaler_of(self.fabric)
        if scaler is not None:
            state["scaler"] = scaler.state_dict()
        last = self.folder.last
        if self.memory is not None:
            state["epi"] = self.memory.maps.write()
        checkpoint.write_state(last, networks, self.convention, self.optimizer, state)
        if self.memory is not None:
            self.memory.maps.drop_old()

    def save_best(self) -> None:
        """Write the model to serve."""
        best = self.folder.best
        checkpoint.write_model(best, self.student, self.teacher.network, self.convention)


def prepare(folder: RunFolder, events: EventWriter, device: str | None) -> Round:
    """Build or resume a round.

    Raises
    ------
    SemiMedRefError
        If the device, a weight file, or the labeled pool cannot be used.
    """
    config, snapshot = folder.read_config(), folder.read_snapshot()
    fabric = make_fabric(device or config.device, config.training)
    pools = _load(snapshot, config, events, fabric.device)
    last = checkpoint.newest_state(folder.last, partial(events.write, "warning"))
    student = _make_student(last, config, snapshot)
    if last is not None:
        checkpoint.load_weights(student, last, "student")
    elif config.init_from is not None:
        checkpoint.start_from(Path(config.init_from), student)
    teacher = Teacher(student.to(fabric.device))
    optimizer = _make_optimizer(student, config.training)
    wrapped, optimizer = fabric.setup(student, optimizer)
    memory = None
    if config.method.name == "lvit-epi":
        memory = open_memory(folder, config, pools.labeled, pools.unlabeled, snapshot.laterality)
    counters = Counters()
    if last is not None:
        counters = _resume(last, teacher, optimizer, memory, scaler_of(fabric))
    if counters.burn_in < 0:
        counters.burn_in = burn_in_steps(config.training, config.method, len(pools.unlabeled))
    return Round(
        folder=folder,
        events=events,
        config=config,
        convention=snapshot.laterality,
        fabric=fabric,
        pools=pools,
        student=student,
        wrapped=wrapped,
        teacher=teacher,
        optimizer=optimizer,
        labeled_order=CaseOrder(len(pools.labeled), config.seed, "labeled"),
        unlabeled_order=CaseOrder(max(1, len(pools.unlabeled)), config.seed, "unlabeled"),
        memory=memory,
        prior=_make_prior(config, pools),
        counters=counters,
        watch=Watch(fabric.device, counters.empty_average),
    )


def _resume(
    last: Path,
    teacher: Teacher[Network],
    optimizer: torch.optim.Optimizer,
    memory: LvitMemory | None,
    scaler: torch.amp.GradScaler | None,
) -> Counters:
    """Bring everything but the student to where the checkpoint stands; its counters."""
    checkpoint.load_weights(teacher.network, last, "teacher")
    state = checkpoint.read_state(last, optimizer)
    counters = Counters(**{f.name: state.get(f.name, f.default) for f in fields(Counters)})
    teacher.updates = counters.teacher_updates
    if memory is not None:
        memory.maps.restore(state.get("epi", {}))
    if scaler is not None and "scaler" in state:
        scaler.load_state_dict(state["scaler"])
    return counters


def scaler_of(fabric: Fabric) -> torch.amp.GradScaler | None:
    """What scales losses in half precision; None in every other."""
    scaler: torch.amp.GradScaler | None = getattr(fabric.strategy.precision, "scaler", None)
    return scaler


def _make_prior(config: RunConfig, pools: Pools) -> ZonePrior | None:
    method = config.method
    if method.name != "semi-medref" or method.zone_prior == 0 or len(pools.unlabeled) == 0:
        return None
    prior = ZonePrior.from_films(pools.labeled, method.zone_prior)
    return None if prior.says_nothing else prior


def make_fabric(device: str, training: TrainingConfig) -> Fabric:
    """The device to train on, at the precision of the settings.

    Raises
    ------
    EngineError
        The machine does not have it; the sentence names it.
    """
    kind, _, number = device.partition(":")
    try:
        devices: int | list[int] = [int(number)] if number else 1
        return Fabric(accelerator=kind, devices=devices, precision=training.precision)
    except Exception as error:  # Fabric raises several kinds, one per accelerator.
        there = torch.cuda.device_count()
        missing = kind == "cuda" and (number or "0").isdigit() and int(number or 0) >= there
        why = f"number of GPUs that torch finds: {there}" if missing else str(error)
        raise EngineError(
            f"The device {device} cannot be used here ({why}): choose auto, cpu or a GPU that is there."
        ) from error


def seed_step(seed: int, step: int) -> None:
    """Seed dropout for one step, so that a resumed run draws what the uninterrupted one drew."""
    torch.manual_seed(int(Key(seed, "step", step).stream("dropout").integers(2**62)))


def _make_student(last: Path | None, config: RunConfig, snapshot: Snapshot) -> Network:
    known: tuple[str, ...] = ()
    network = config.network
    if last is not None:
        said = checkpoint.read_settings(last)
        return build(said.network, said.vocabulary, pretrained=False)
    if config.init_from is not None:
        said = checkpoint.read_settings(Path(config.init_from))
        known = said.vocabulary
        if network.vision_weights:  # They set the sizes, and are not read again.
            brought = ("widths", "depths", "patch_size", "channels")
            sizes = {name: getattr(said.network, name) for name in brought}
            network = network.model_copy(update=sizes)
    cases = snapshot.labeled + snapshot.unlabeled
    vocabulary = collect_vocabulary((case.description for case in cases), known)
    seed_step(config.seed, -1)
    return build(network, vocabulary, pretrained=config.init_from is None)


def _load(
    snapshot: Snapshot, config: RunConfig, events: EventWriter, device: torch.device
) -> Pools:
    side, root = config.network.image_size, Path(snapshot.root)
    apart = apart_of(snapshot.apart)

    def warn(sentence: str) -> None:
        events.write("warning", sentence=sentence)

    labeled = load_films(root, snapshot.labeled, side, warn, True, apart)
    assert labeled.masks is not None
    texts = labeled.texts(list(range(len(labeled))))
    bands = bands_of_films(labeled.masks.numpy(), texts, snapshot.laterality)
    unlabeled = load_films(root, snapshot.unlabeled, side, warn, False, apart)
    pools = Pools(
        labeled=replace(labeled, bands=bands).on(device),
        unlabeled=replace(unlabeled, bands=bands).on(device),
        gate=load_films(root, snapshot.gate, side, warn, need_masks=True),
        report=load_films(root, snapshot.report, side, warn, need_masks=True),
    )
    if len(pools.labeled) == 0:
        raise EngineError("The labeled pool is empty: accept at least one mask before a round.")
    return pools


def _make_optimizer(student: Network, training: TrainingConfig) -> torch.optim.Optimizer:
    trained = [(name, p) for name, p in student.named_parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = []
    # One pair of groups where all learn at one rate: states written before there were two fit.
    shares = (1.0,) if training.encoder_rate == 1.0 else (1.0, training.encoder_rate)
    for number, share in enumerate(shares):
        own = [p for n, p in trained if len(shares) == 1 or n.startswith("vision.") == bool(number)]
        decayed, free = [p for p in own if p.ndim > 1], [p for p in own if p.ndim <= 1]
        groups.append({"params": decayed, "weight_decay": training.weight_decay, "share": share})
        groups.append({"params": free, "weight_decay": 0.0, "share": share})
    # Fused optimizers unscale float16 gradients themselves, so that these could not be clipped before.
    fused = training.precision != "16-mixed" and groups[0]["params"][0].device.type in FUSED
    return torch.optim.AdamW(groups, lr=training.learning_rate, fused=fused or None)
