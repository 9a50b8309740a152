"""Training for the benchmarks: settings of a run, and one run from its settings to the model it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.config import RunConfig, preset
from training.engine.loop import run
from training.rundir import RunFolder
from training.snapshot import Snapshot


def settings(name: str = "default", **sections: Any) -> RunConfig:
    """A preset with some settings changed, section by section; other keywords replace top-level settings."""
    content = preset(name).model_dump(mode="json")
    for section, change in sections.items():
        old = content[section]
        content[section] = {**old, **change} if isinstance(old, dict) else change
    return RunConfig.parse(content)


def train_once(path: Path, config: RunConfig, snapshot: Snapshot, device: str = "cpu") -> Path:
    """Train one run in this process and return its model folder.

    A finished run in ``path`` is used as it is, an interrupted one goes on.
    """
    folder = RunFolder(path)
    if not folder.config_file.exists():
        folder = RunFolder.create(path, config, snapshot)
    if not folder.scores_file.exists():
        folder.withdraw_requests()
        run(folder, device)
    return folder.best
