"""Every setting of a run, with bounds and meaning: forms and files are made from these models."""

from __future__ import annotations

import json
import tomllib
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from training.errors import ConfigError, PoolError
from training.files import read_text
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


class MethodConfig(Settings):
    """What the student learns from."""

    name: Literal["semi-medref", "lvit-epi", "supervised"] = choice(
        "semi-medref",
        "semi-medref, lvit-epi: labeled and unlabeled pools; supervised: labeled pool only.",
    )
    dice_only: bool = choice(False, "Leave the pixel-wise cross-entropy out.")
    targets: Literal["soft", "hard", "banded"] = choice(
        "soft", "What the student copies: probabilities, a mask, or a mask without its unsure band."
    )
    threshold: float = number(0.5, 0.05, 0.95, 0.05, "Probability where foreground begins.")
    band: float = number(0.7, 0.5, 0.99, 0.05, "Banded: ignored are those in (1 - band, band).")
    skip_empty: bool = choice(
        True,
        "Whether all but empty pseudo-masks teach no Dice and, where masks are cut, nothing at all.",
    )
    lambda_labeled_itcl: float = number(0.02, 0, 1, 0.01, "Weight of ITCL on the labeled pool.")
    lambda_u: float = number(1.0, 0, 10, 0.1, "Weight of the unlabeled pool after its ramp.")
    lambda_u_ramp: float = number(
        0.3, 0, 1, 0.05, "Share of the semi-supervised phase over which lambda_u rises."
    )
    lambda_unlabeled_itcl: float = number(0.1, 0, 1, 0.01, "Weight of ITCL on the unlabeled pool.")
    itcl_u_inside_ramp: bool = choice(
        True, "Whether lambda_u, ramp included, also weighs ITCL on the unlabeled pool."
    )
    itcl_temperature: float = number(0.07, 0.01, 1, 0.01, "Temperature of ITCL.")
    itcl_targets: Literal["zones", "identity"] = choice(
        "zones", "zones: overlap of the named zones (ITCL); identity: plain CLIP."
    )
    lambda_zones: float = number(
        0.1, 0, 1, 0.05, "Weight of reading the six zones back from the text vector."
    )
    ema_start: float = number(0.95, 0, 0.9999, 0.001, "EMA decay at the end of burn-in.")
    ema_end: float = number(0.99, 0, 0.9999, 0.001, "EMA decay after its ramp.")
    ema_ramp: float = number(
        0.3, 0, 1, 0.05, "Share of the semi-supervised phase over which the EMA decay rises."
    )
    epi: bool = choice(
        True, "lvit-epi: whether a case's map moves slowly; else it is the present prediction."
    )
    epi_momentum: float = number(
        0.0,
        0,
        0.9999,
        0.01,
        "lvit-epi: momentum of a case's map; 0: 1 - 2 / (generations of the run), at most 0.99.",
    )
    lambda_lv: float = number(0.1, 0, 10, 0.05, "lvit-epi: weight of the LV loss.")
    lv_match: Literal["zones", "text"] = choice(
        "zones", "lvit-epi: what likens texts for the LV loss: named zones, or text vectors."
    )
    lv_folder: str | None = choice(
        None, "lvit-epi: folder with LV_loss.xlsx and its figures; else the labeled pool serves."
    )
    zone_prior: float = number(
        1.0, 0, 2, 0.25, "semi-medref: weight of the zone atlas in pseudo-masks; 0: none."
    )
    empty_alarm: float = number(
        0.5, 0, 1, 0.05, "Share of empty pseudo-masks at which the unlabeled pool is left out."
    )

    @model_validator(mode="after")
    def _decay_rises(self) -> MethodConfig:
        if self.ema_end < self.ema_start:
            raise ConfigError("ema_end must not be below ema_start: raise it or lower ema_start.")
        return self


class TrainingConfig(Settings):
    """How long and how fast."""

    steps: int = number(600, 1, 1_000_000, 50, "Optimizer steps of the round.")
    burn_in: float = number(0.5, 0, 1, 0.05, "Least share of the steps on the labeled pool alone.")
    burn_in_until: float = number(
        1.5,
        0,
        10,
        0.1,
        "semi-medref: burn-in goes on until the teacher's error on the gate half is this many times that on its "
        "labeled films; 0: for its share of the steps.",
    )
    batch_labeled: int = number(8, 1, 1024, 1, "Labeled cases in a step.")
    batch_unlabeled: int = number(8, 1, 1024, 1, "Unlabeled cases in a step.")
    learning_rate: float = number(2e-3, 1e-6, 1e-1, 1e-4, "Largest learning rate of AdamW.")
    encoder_rate: float = number(
        1.0, 0.01, 1, 0.01, "Learning rate of the vision encoder (share of the others')."
    )
    rate_floor: float = number(
        0.01, 0, 1, 0.01, "Where the cosine of the learning rate ends (share of its largest)."
    )
    cosine_length: float = number(
        1.0, 1, 10, 0.1, "Length of the cosine in rounds; above 1 the round ends before it does."
    )
    rate_restarts: bool = choice(
        True, "Whether the learning rate begins anew, warm-up and cosine, where burn-in ends."
    )
    weight_decay: float = number(0.05, 0, 1, 0.01, "Weight decay of AdamW.")
    warm_up: float = number(0.05, 0, 0.5, 0.01, "Share of the steps over which the rate rises.")
    clip_norm: float = number(1.0, 0.01, 100, 0.1, "Largest norm of the gradient.")
    evaluate_every: int = number(100, 1, 1_000_000, 10, "Steps between evaluations on the gate.")
    patience: int = number(
        0, 0, 1000, 1, "Evaluations without a better model before stopping early; 0: never."
    )
    select_by: Literal["teacher", "student"] = choice(
        "teacher", "Whose Dice on the gate half decides which model is kept."
    )
    least_gain: float = number(
        0.0, 0, 0.1, 0.001, "Gain in Dice below which an evaluation counts as no better."
    )
    checkpoint_seconds: float = number(30, 1, 3600, 5, "Seconds between checkpoints.")
    evaluation_limit: int = number(
        200, 1, 100_000, 10, "Most gate cases in an evaluation before the last one."
    )
    warm_start: bool = choice(
        True, "Whether a round starts from the serving teacher's weights; else from random ones."
    )
    pseudo_masks: bool = choice(True, "Whether a round ends with pseudo-masks of all cases.")
    text_controls: bool = choice(
        True, "Whether the report half is measured again without words and with shuffled ones."
    )
    measured_cases: int = number(
        5000,
        0,
        1_000_000,
        500,
        "Most unlabeled cases whose disagreement and sensitivity are measured: two more passes each.",
    )
    threads: int = number(0, 0, 256, 1, "CPU threads; 0: one less than the machine has.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = choice(
        "32-true", "Arithmetic; the mixed ones are for GPUs."
    )


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
