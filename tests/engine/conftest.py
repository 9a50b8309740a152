from __future__ import annotations

import pytest
import torch
from little_films import tiny_config, write_case
from transformers import BertConfig, BertModel, BertTokenizer

from training.rundir import RunFolder
from training.snapshot import Snapshot


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    torch.set_flush_denormal(
        False
    )  # the loop turns it on for its process; other tests share this one


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


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *["lower", "upper", "left", "right", "lung"],
    ]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)
