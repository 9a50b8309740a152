"""What both steps are given: films as files, encoders with random weights as folders, settings. Nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from transformers import BertConfig, BertModel, BertTokenizer, ConvNextConfig, ConvNextModel

from training.config import NetworkConfig, RunConfig, preset
from training.engine.networks import collect_vocabulary
from training.phantom import PhantomConfig, make_case
from training.snapshot import Snapshot, SnapshotCase

SizeName = Literal["tiny", "small", "paper"]
FILM_SIDE = 224  # As the films of QaTa-COV19 are stored.
TOKENS = 24  # What the release pads its descriptions to.
# Layers, width and heads: the base size, and the smallest one that was ever published.
BERT = {"paper": (12, 768, 12), "small": (2, 128, 2), "tiny": (1, 16, 2)}
PIECES = {"paper": 30522, "small": 30522, "tiny": 100}
TINY = {
    "image_size": 32,
    "widths": (16, 16, 24, 32),
    "depths": (1, 1, 1, 1),
    "text_width": 32,
    "heads": 2,
    "bridge_feed_forward": 32,
    "projection": 16,
}


@dataclass(frozen=True)
class Material:
    """Films on disk and the settings of both steps."""

    config: RunConfig
    snapshot: Snapshot
    folder: Path


def make_material(
    folder: Path, size: SizeName, batch: int, films: int, device: str = "cpu"
) -> Material:
    """Write ``films`` labeled and as many unlabeled films, and the encoders, into an empty folder."""
    labeled, unlabeled = _write_films(folder, films, True), _write_films(folder, films, False)
    texts = [case.description for case in labeled + unlabeled]
    material = Material(
        _settings(make_network(folder, size, texts), size, batch, device),
        Snapshot(
            root=str(folder),
            laterality="image",
            labeled=labeled,
            unlabeled=unlabeled,
            gate=(),
            report=(),
        ),
        folder,
    )
    (folder / "config.json").write_text(material.config.model_dump_json())
    (folder / "films.json").write_text(material.snapshot.model_dump_json())
    return material


def read_material(folder: Path) -> Material:
    """What another process wrote."""
    config = RunConfig.model_validate_json((folder / "config.json").read_text())
    snapshot = Snapshot.model_validate_json((folder / "films.json").read_text())
    return Material(config, snapshot, folder)


def make_network(folder: Path, size: SizeName, texts: list[str]) -> NetworkConfig:
    """A network of this size; the encoders it reads are written into ``folder`` with random weights."""
    _write_bert(folder / "bert", size, texts)
    if size == "paper":
        torch.manual_seed(0)
        ConvNextModel(ConvNextConfig()).save_pretrained(folder / "convnext")
    network = {
        **preset("paper" if size == "paper" else "default").network.model_dump(),
        **(TINY if size == "tiny" else {}),
        "text_encoder": "hf",
        "text_weights": str(folder / "bert"),
        "text_tokens": TOKENS,
        "vision_weights": str(folder / "convnext") if size == "paper" else None,
    }
    return NetworkConfig.model_validate(network)


def _settings(network: NetworkConfig, size: SizeName, batch: int, device: str) -> RunConfig:
    base = preset("paper" if size == "paper" else "default")
    training = {
        "steps": 1_000_000,
        "burn_in": 0.0,
        "batch_labeled": batch,
        "batch_unlabeled": batch,
        "precision": "bf16-mixed" if device.startswith("cuda") else "32-true",
    }
    return base.model_copy(
        update={
            "device": device,
            "network": network,
            "training": base.training.model_copy(update=training),
            # Untrained teachers leave every pseudo-mask empty; the step must not give up on them.
            "method": base.method.model_copy(update={"empty_alarm": 1.0}),
        }
    )


def _write_films(folder: Path, count: int, with_masks: bool) -> tuple[SnapshotCase, ...]:
    cases = []
    for number in range(count):
        drawn = make_case(PhantomConfig(size=FILM_SIDE), int(with_masks), number)
        name = f"{'labeled' if with_masks else 'unlabeled'}{number:04d}"
        Image.fromarray(drawn.image).save(folder / f"{name}.png")
        if with_masks:
            Image.fromarray(drawn.mask * 255).save(folder / f"{name}_mask.png")
        cases.append(
            SnapshotCase(
                case_id=name,
                patient=name,
                image=f"{name}.png",
                description=drawn.description,
                mask=f"{name}_mask.png" if with_masks else None,
            )
        )
    return tuple(cases)


def _write_bert(folder: Path, size: SizeName, texts: list[str]) -> None:
    """A BERT whose word pieces are the words of the films, with random weights."""
    folder.mkdir()
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    extra = ["a", "region", "of", "the", "and", "one", "two", "three", "four", "five", "six"]
    words = [word for word in collect_vocabulary([*texts, " ".join(extra)]) if word not in known]
    pieces = [*known, *(word for word in words if word != "[UNK_POS]")]
    pieces += [f"[unused{number}]" for number in range(PIECES[size] - len(pieces))]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    layers, width, heads = BERT[size]
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
