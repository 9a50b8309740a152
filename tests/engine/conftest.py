from __future__ import annotations

import pytest
import torch
from little_films import tiny_config, write_case

from training.rundir import RunFolder
from training.snapshot import Snapshot


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def snapshot(tmp_path):
    root = tmp_path / "films"
    root.mkdir()
    return Snapshot(
        root=str(root),
        labeled=tuple(write_case(root, n, True) for n in range(6)),
        unlabeled=tuple(write_case(root, n, False) for n in range(10, 16)),
        gate=tuple(write_case(root, n, True) for n in range(20, 24)),
        report=tuple(write_case(root, n, True) for n in range(30, 34)),
    )


@pytest.fixture
def make_run(tmp_path, snapshot):
    def make(name: str = "run", of: Snapshot | None = None, **sections) -> RunFolder:
        return RunFolder.create(tmp_path / name, tiny_config(**sections), of or snapshot)

    return make
