"""Letting the engine measure a model that is there already: a process of its own, ``python -m training score``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.config import MethodConfig, RunConfig
from training.errors import EngineError, SemiMedRefError
from training.models.measured import Measured, measured_in, write_measured
from training.pool import Model, Project
from training.rundir import RunFolder
from training.snapshot import Snapshot

SETTINGS = "config.json"
DEFAULT_THRESHOLD = MethodConfig().threshold


def measure_model(project: Project, model: Model, snapshot: Snapshot) -> Measured:
    """Measure a model on a snapshot's holdout, and keep what came out beside its weights.

    Raises
    ------
    EngineError
        The model cannot be used.
    """
    with measuring(project, model, snapshot) as folder:
        return measured_in(folder)


@contextmanager
def measuring(
    project: Project, model: Model, snapshot: Snapshot, *, predict: bool = False
) -> Iterator[RunFolder]:
    """A run folder with a model's scores, and its predictions if asked; it is gone afterwards.

    Raises
    ------
    EngineError
        The model cannot be used, in the engine's own words.
    """
    place = project.folder / "measuring" / model.id
    shutil.rmtree(place, ignore_errors=True)
    try:
        folder = RunFolder.create(place, settings_of(model), snapshot)
        _score(model.folder, folder, predict)
        write_measured(model.folder, measured_in(folder))
        yield folder
    finally:
        shutil.rmtree(place, ignore_errors=True)


def settings_of(model: Model) -> RunConfig:
    """The settings that a model was trained with.

    Raises
    ------
    EngineError
        They are missing or damaged.
    """
    try:
        return RunConfig.load(model.folder / SETTINGS)
    except SemiMedRefError as error:
        raise EngineError(
            f"The settings of model {model.id} cannot be read ({error}): it cannot be measured."
        ) from error


def threshold_of(model: Model) -> float:
    """Probability in (0, 1) from which a model's foreground begins; the usual one for a model without settings."""
    try:
        return settings_of(model).method.threshold
    except EngineError:
        return DEFAULT_THRESHOLD


def _score(model: Path, folder: RunFolder, predict: bool) -> None:
    command = [sys.executable, "-m", "training", "score", str(model), str(folder.path)]
    ended = subprocess.run(
        command + ["--predict"] * predict,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        raise EngineError(said[-1] if said else f"The engine could not measure {model}.")
