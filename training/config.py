"""Every setting of a run, with bounds and meaning: forms and files are made from these models."""

from __future__ import annotations

import json
import tomllib
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from training.errors import ConfigError, PoolError
from training.files import read_text
from training.learning_config import MethodConfig, TrainingConfig
from training.network_config import NetworkConfig, Settings, choice, first_sentence, number
from training.views_config import ViewsConfig

__all__ = [
    "PRESETS",
    "MethodConfig",
    "NetworkConfig",
    "RunConfig",
    "TrainingConfig",
    "ViewsConfig",
    "preset",
    "read_settings",
]

Kept = TypeVar("Kept", bound=Settings)
PRESETS = ("default", "demo", "paper", "release", "lvit", "lvit-small")


class RunConfig(Settings):
    """Everything that determines a run, given its snapshot."""

    seed: int = number(0, 0, 2**31 - 1, 1, "Equal seeds give equal runs on one device.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="auto, cpu, cuda, cuda:N, mps.",
    )
    init_from: Path | None = choice(None, "Folder of a model to continue from.")
    network: NetworkConfig = NetworkConfig()
    views: ViewsConfig = ViewsConfig()
    method: MethodConfig = MethodConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def burn_in_may_last(self) -> bool:
        """Whether burn-in may go on beyond its share of the steps."""
        return self.method.name == "semi-medref" and self.training.burn_in_until > 0

    @model_validator(mode="after")
    def _zones_can_be_read(self) -> RunConfig:
        if self.method.lambda_zones and not self.network.zone_reading:
            raise ConfigError("lambda_zones needs zone_reading: set it to 0, or switch that on.")
        return self

    @model_validator(mode="after")
    def _texts_to_match(self) -> RunConfig:
        network, method = self.network, self.method
        deaf = network.name == "u-net" or (network.name.startswith("lvit") and not network.use_text)
        if deaf and method.name == "lvit-epi" and method.lv_match == "text":
            raise ConfigError("A network without text cannot compare texts: set lv_match to zones.")
        return self

    @classmethod
    def load(cls, path: Path | str) -> RunConfig:
        """Read a TOML or JSON file.

        Raises
        ------
        ConfigError
            If a setting is unknown or out of bounds, naming it, or the file is damaged.
        RunFolderError
            If the file is missing.
        """
        path = Path(path)
        text = read_text(path)
        try:
            content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(
                f"{path} is damaged ({error}): correct it, or name another."
            ) from error
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: dict[str, Any], source: str = "The settings") -> RunConfig:
        """Validate plain data; ``source`` is what a sentence about it calls it.

        Raises
        ------
        ConfigError
            Settings are impossible or unknown; the sentence names each.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            said = "; ".join(_complaint(each) for each in error.errors())
            raise ConfigError(f"{source}: {said}.") from error
        except ConfigError as error:  # of settings that do not go together
            raise ConfigError(f"{source}: {error}") from error


def _complaint(error: ErrorDetails) -> str:
    """One complaint, naming the setting; for one that is unknown, the one that may have been meant."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg']}" if where else error["msg"]
    section, _, own = where.rpartition(".")
    # Those of its own section first: some names stand in several.
    names = sorted(_names(), key=lambda name: name.rpartition(".")[0] != section)
    last = [name.rpartition(".")[2] for name in names]
    alike = get_close_matches(own, last, 1, 0.75)
    meant = names[last.index(alike[0])] if alike else ""
    return f"there is no setting {where}" + (f", but one named {meant}" if meant else "")


def _names() -> list[str]:
    """All settings, with their sections."""
    names = []
    for section, field in RunConfig.model_fields.items():
        kind = field.annotation
        inside = kind.model_fields if isinstance(kind, type) and issubclass(kind, Settings) else ()
        names += [section, *(f"{section}.{name}" for name in inside)]
    return names


def read_settings(kind: type[Kept], path: Path, otherwise: str) -> Kept:
    """Read what a project keeps in a JSON file.

    Parameters
    ----------
    otherwise : str
        What holds once the file is gone, for the sentence.

    Raises
    ------
    ConfigError
        The content of the file is damaged.
    PoolError
        The file cannot be read.
    """
    try:
        return kind.model_validate_json(read_text(path, error_type=PoolError))
    except ValidationError as error:
        raise ConfigError(
            f"{path} cannot be read ({first_sentence(error)}): remove it {otherwise}."
        ) from error


def preset(name: str) -> RunConfig:
    """The settings of a named preset.

    Raises
    ------
    ConfigError
        There is none of this name; the sentence lists those there are.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}: choose one of {', '.join(PRESETS)}.")
    text = resources.files("training").joinpath("presets", f"{name}.toml").read_text("utf-8")
    return RunConfig.parse(tomllib.loads(text), f"The preset {name}")
