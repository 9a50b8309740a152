"""Models and training states on disk: safetensors and JSON, nothing pickled, folders replaced whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.config import NetworkConfig
from training.engine.networks import Network, build, resolved
from training.engine.networks.text import SmallTextEncoder
from training.engine.replacing import Replacement, folder_before, settled
from training.engine.sums import files_match, write_sums
from training.errors import ConfigError, EngineError, RunFolderError
from training.files import write_atomically
from training.rundir import read_json

FORMAT = 1
ANOTHER = "use another model, or start a new round"
OLDER = "The newest checkpoint is damaged on disk: training goes on from the one before, at step {step}."
UNREADABLE = "No checkpoint in {folder} can be read: start a new round; labels and the serving teacher are untouched."
Role = Literal["student", "teacher"]
ROLES: tuple[Role, ...] = ("student", "teacher")


@dataclass(frozen=True)
class ModelSettings:
    """What `model.json` says: enough to rebuild the network without its run.

    How the model came about is its card (`training.models.card`).
    """

    network: NetworkConfig
    vocabulary: tuple[str, ...]
    laterality: Literal["image", "patient"]


def write_model(folder: Path, student: Network, teacher: Network, laterality: str) -> None:
    """Write a model folder; an existing one is replaced whole.

    Raises
    ------
    RunFolderError
        If the disk is full or the folder cannot be written.
    """
    with Replacement(folder) as fresh:
        _write_model_files(fresh, student, teacher, laterality)
        write_sums(fresh)


def write_state(
    folder: Path,
    networks: tuple[Network, Network],
    laterality: str,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
) -> None:
    """Write a model folder that training can continue from: also the optimizer and the counters.

    The one before is kept beside it, as ``FOLDER.old``.
    """
    with Replacement(folder, keep=True) as fresh:
        _write_model_files(fresh, *networks, laterality)
        tensors, numbers = _flatten_optimizer(optimizer)
        save_file(tensors, fresh / "optimizer.safetensors")
        write_atomically(fresh / "state.json", json.dumps({**state, "optimizer": numbers}))
        write_sums(fresh)


def newest_state(folder: Path, warn: Callable[..., None]) -> Path | None:
    """Where training can continue from: the folder, or the one before it if that is damaged; None if there is none.

    Parameters
    ----------
    warn : callable
        Told a ``sentence`` if the newest one is damaged.

    Raises
    ------
    EngineError
        If what there is cannot be read.
    """
    newest, before = settled(folder), folder_before(folder)
    if not newest.exists():
        return None
    if is_sound(newest) and has_state(newest):
        return newest
    if newest != before and is_sound(before) and has_state(before):
        step = read_json(before / "state.json").get("step")
        warn(sentence=OLDER.format(step=step))
        return before
    raise EngineError(UNREADABLE.format(folder=folder))


def has_state(folder: Path) -> bool:
    """Whether training can continue from the folder (or from the one it was about to replace)."""
    return settled(folder).joinpath("state.json").is_file()


def has_model(folder: Path) -> bool:
    """Whether the folder holds a model."""
    return settled(folder).joinpath("model.json").is_file()


def is_sound(folder: Path) -> bool:
    """Whether the files of a model folder are those that were written."""
    return files_match(settled(folder))


def read_settings(folder: Path) -> ModelSettings:
    """Read `model.json`.

    Raises
    ------
    EngineError
        It is missing or damaged.
    """
    try:
        content = read_json(settled(folder) / "model.json")
        network = NetworkConfig.model_validate(content["network"])
        return ModelSettings(network, tuple(content["vocabulary"]), content["laterality"])
    except (RunFolderError, ConfigError, KeyError, TypeError, ValueError) as error:
        raise EngineError(
            f"{folder} holds no usable model, since its model.json is missing or damaged: {ANOTHER}."
        ) from error


def read_network(folder: Path, role: Role = "teacher") -> Network:
    """Rebuild a network from a model folder, in eval mode on the CPU.

    Raises
    ------
    EngineError
        If a file is missing, damaged, or of another architecture than `model.json` says.
    """
    said = read_settings(folder)
    network = build(said.network, said.vocabulary, pretrained=False)
    load_weights(network, folder, role)
    return network.eval()


def load_weights(network: nn.Module, folder: Path, role: Role) -> None:
    """Load one role's weights into a network.

    Raises
    ------
    EngineError
        They are missing, damaged or of a network with other settings.
    """
    path = settled(folder) / f"{role}.safetensors"
    weights = _load_tensors(path)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise EngineError(
            f"{path} does not fit this network, since it was trained with other settings: {ANOTHER}."
        ) from error


def read_state(folder: Path, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Load the optimizer and return the counters.

    Raises
    ------
    EngineError
        A file is missing or damaged.
    """
    newest = settled(folder)
    tensors = _load_tensors(newest / "optimizer.safetensors")
    try:
        state = read_json(newest / "state.json")
        optimizer.load_state_dict(_unflatten_optimizer(tensors, state.pop("optimizer")))
    except (RunFolderError, KeyError, ValueError) as error:
        raise EngineError(
            f"The checkpoint {folder} is damaged: delete it to start over."
        ) from error
    return state


def start_from(folder: Path, network: Network) -> None:
    """Warm start: copy a model's teacher into a network whose vocabulary may have grown.

    Raises
    ------
    EngineError
        If the model is of another architecture.
    """
    said = read_settings(folder)
    weights = _load_tensors(settled(folder) / "teacher.safetensors")
    if isinstance(network.words, SmallTextEncoder):
        _extend_words(weights, said.vocabulary, network)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise EngineError(
            f"A run cannot start from {folder}: that model has other network settings; "
            "use the same ones, or start without init_from."
        ) from error


def _extend_words(weights: dict[str, Tensor], known: tuple[str, ...], network: Network) -> None:
    name = "words.words.weight"
    table = network.state_dict()[name].clone()
    old = weights.get(name)
    if old is None or old.shape[1:] != table.shape[1:] or len(old) != len(known):
        return
    place = {word: number for number, word in enumerate(network.words.vocabulary)}
    for number, word in enumerate(known):
        if word in place:
            table[place[word]] = old[number]
    weights[name] = table


def _write_model_files(folder: Path, student: Network, teacher: Network, laterality: str) -> None:
    save_file(_own(student), folder / "student.safetensors")
    save_file(_own(teacher), folder / "teacher.safetensors")
    content = {
        "format": FORMAT,
        "network": resolved(student).model_dump(mode="json"),
        "vocabulary": list(student.words.vocabulary),
        "laterality": laterality,
        "code_version": _code_version(),
    }
    write_atomically(folder / "model.json", json.dumps(content, indent=1))


def _own(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def _load_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise EngineError(f"{path} is missing or damaged: {ANOTHER}.") from error


def _flatten_optimizer(
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    state = optimizer.state_dict()
    tensors = {
        f"{number}.{name}": value.detach().cpu().contiguous()
        for number, entries in state["state"].items()
        for name, value in entries.items()
        if isinstance(value, Tensor)
    }
    return tensors, {"param_groups": state["param_groups"]}


def _unflatten_optimizer(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> dict[str, Any]:
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        entries.setdefault(int(number), {})[name] = value
    groups = [{**group, "betas": tuple(group["betas"])} for group in numbers["param_groups"]]
    return {"state": entries, "param_groups": groups}


def _code_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("napari-semimedref")
    except PackageNotFoundError:
        return "unknown"
