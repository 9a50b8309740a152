"""The card of a model: how it came about and what it scored, as JSON. It names no case and no patient, so that it may
leave the house with the weights."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from training.config import RunConfig
from training.errors import EngineError
from training.metrics import Overlap, score_intervals, summarize
from training.models.measured import HALVES, ROLES, Measured
from training.network_config import first_sentence
from training.report import THIRDS, ZONES, parse
from training.snapshot import Snapshot

FORMAT = 1
FILE = "card.json"
PATHS = (("init_from",), ("method", "lv_folder"))  # settings that name places on one machine


Maker = Literal["import", "people", "script"]


class Figure(BaseModel):
    """A score in [0, 1] and its 95 % interval over cases (bootstrap)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float


class Zones(BaseModel):
    """What the six zones are, and a digest by which two definitions are told apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    bands: dict[str, Any]
    digest: str


class Data(BaseModel):
    """The snapshot in numbers: cases and patients of its pools, labeled cases by named zone, and by whose masks they
    have ("import", "people", "script"; empty on cards of earlier versions)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot: str
    cases: dict[str, int]
    patients: dict[str, int]
    labeled_zones: dict[str, int]
    masks_from: dict[Maker, int] = {}

    @model_validator(mode="after")
    def _counts_the_labeled(self) -> Data:
        if "labeled" not in self.cases:
            raise PydanticCustomError("cases", "it does not count the labeled cases")
        return self


class Errors(BaseModel):
    """Where the teacher errs on the report half; see `training.errors_by_place.PlaceErrors.summary`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hd95_median: float | None
    hd95_images: int
    one_empty: int
    zone_recall: dict[str, tuple[float, int]]


class ModelCard(BaseModel):
    """Everything that is known about how a model came about.

    Attributes
    ----------
    model : str
        Its id: the beginning of the SHA-256 of the teacher's weights.
    parent : str or None
        Id of the model whose weights it started from; None for a fresh start.
    burn_in : int or None
        Steps on the labeled pool alone, all of them where no other was used; None on cards of earlier versions.
    trained_seconds : float
        Of wall time, evaluation and predictions left out.
    scores : mapping
        half -> role -> name of the metric -> figure; a half without cases is empty.
    errors : Errors or None
        None without a report half, and on cards of earlier versions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    model: str
    project: str
    round: int
    created_at: str
    parent: str | None
    laterality: Literal["image", "patient"]
    zones: Zones
    data: Data
    config: dict[str, Any]
    seed: int
    steps: int
    best_step: int
    burn_in: int | None = None
    trained_seconds: float
    code: dict[str, str | None]
    scores: dict[str, dict[str, dict[str, Figure]]]
    errors: Errors | None = None

    @model_validator(mode="after")
    def _names_network_and_method(self) -> ModelCard:
        told = {"network": ("name", "image_size"), "method": ("name",)}
        for section, names in told.items():
            content = self.config.get(section)
            if not isinstance(content, dict) or not content.keys() >= set(names):
                raise PydanticCustomError("config", "its settings name no network or method")
        return self

    @classmethod
    def read(cls, content: Any, source: str) -> ModelCard:
        """Validate plain data; ``source`` is what a sentence about it calls it.

        Raises
        ------
        EngineError
            The card is damaged; the sentence says what is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise EngineError(
                f"The card of {source} is damaged: {first_sentence(error)}"
            ) from error

    def text(self) -> str:
        """The card as JSON."""
        return self.model_dump_json(indent=1)


def make_card(
    *,
    model: str,
    project: str,
    number: int,
    created_at: str,
    parent: str | None,
    config: RunConfig,
    snapshot: Snapshot,
    masks_from: Mapping[str, int],
    scores: Mapping[str, Any],
    measured: Measured,
) -> ModelCard:
    """Write the card of a finished run's model.

    Parameters
    ----------
    number : int
        Of the round.
    masks_from : mapping
        How many labeled cases have a mask that came with an import, from people, from a script.
    scores : mapping
        The run's ``scores.json``.
    """
    return ModelCard(
        model=model,
        project=project,
        round=number,
        created_at=created_at,
        parent=parent,
        laterality=snapshot.laterality,
        zones=zone_definition(),
        data=_data(snapshot, masks_from),
        config=without_places(config),
        seed=config.seed,
        steps=int(scores.get("steps", 0)),
        best_step=int(scores.get("best_step", 0)),
        burn_in=scores.get("burn_in"),
        trained_seconds=float(scores.get("seconds", 0.0)),
        code=dict(code_version()),
        scores=figures(measured),
        errors=scores.get("report_errors"),
    )


def figures(measured: Measured) -> dict[str, dict[str, dict[str, Figure]]]:
    """Scores with intervals of both halves and roles."""
    told: dict[str, dict[str, dict[str, Figure]]] = {}
    for half in HALVES:
        told[half] = {}
        for role in ROLES:
            counts = list(measured.all_of(half, role).values())
            if counts:
                told[half][role] = _figures(counts)
    return told


def _figures(counts: list[Overlap]) -> dict[str, Figure]:
    values = summarize(counts).as_dict()
    intervals = score_intervals(counts, np.random.default_rng(0))
    return {
        name: Figure(value=round(value, 5), low=round(low, 5), high=round(high, 5))
        for name, value in values.items()
        for low, high in [intervals[name]]
    }


@lru_cache(maxsize=1)
def zone_definition() -> Zones:
    """The zones as this program understands them."""
    bands = json.loads(json.dumps(asdict(THIRDS)))
    text = json.dumps([list(ZONES), bands], sort_keys=True)
    return Zones(names=ZONES, bands=bands, digest=hashlib.sha256(text.encode()).hexdigest()[:16])


def _data(snapshot: Snapshot, masks_from: Mapping[str, int]) -> Data:
    pools = {name: getattr(snapshot, name) for name in ("labeled", "unlabeled", *HALVES)}
    named: Counter[str] = Counter()
    for case in snapshot.labeled:
        named.update(parse(case.description).zones)
    return Data(
        snapshot=snapshot.digest(),
        cases={name: len(cases) for name, cases in pools.items()},
        patients={name: len({case.patient for case in cases}) for name, cases in pools.items()},
        labeled_zones={zone: named[zone] for zone in ZONES},
        masks_from={kind: masks_from[kind] for kind in get_args(Maker) if masks_from.get(kind)},
    )


def without_places(config: RunConfig) -> dict[str, Any]:
    """Settings as plain data, without those that name places on this machine."""
    content = config.model_dump(mode="json")
    for *parts, last in PATHS:
        place = content
        for part in parts:
            place = place[part]
        place[last] = None
    return content


@lru_cache(maxsize=1)
def code_version() -> tuple[tuple[str, str | None], ...]:
    """The package's version and, where it runs from a checkout, the commit ("+" if files differ from it)."""
    try:
        package = version("napari-semimedref")
    except PackageNotFoundError:
        package = "unknown"
    return (("version", package), ("commit", _commit(Path(__file__).resolve().parents[2])))


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        ask = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
        said = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None
