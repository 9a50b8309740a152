"""What a network costs: parameters and multiply-adds, counted without weights and without a download. It prints
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from training.config import NetworkConfig
from training.engine.networks import Network, with_words
from training.engine.networks.text import NoWords, SmallTextEncoder

META = torch.device("meta")
# Words of a small encoder's vocabulary, which a project decides; they cost next to nothing.
WORDS_KNOWN = 64


@dataclass(frozen=True)
class Cost:
    """Size and work of a network for one image.

    Attributes
    ----------
    parameters : int
        Text encoder included.
    parameters_with_gradient : int
        Those that training may change.
    parameters_unread : int
        Those among them that nothing reads (the words that leave the last bridge).
    multiply_adds : int
        Of one forward pass, text included: half of PyTorch's count of operations, which leaves normalization,
        activations and interpolation out.
    multiply_adds_without_words : int
        The same without the encoder of the words, whose features a frozen one keeps.
    parts : dict
        Parameters of each part by name.
    """

    network: str
    image_size: int
    text_tokens: int
    parameters: int
    parameters_with_gradient: int
    parameters_unread: int
    multiply_adds: int
    multiply_adds_without_words: int
    parts: dict[str, int]


def cost_of(config: NetworkConfig) -> Cost:
    """Count a network; its pretrained encoders are made from their known sizes, without their weights."""
    with META:
        network = _unloaded(config).train()
        image = torch.zeros(1, 1, config.image_size, config.image_size)
        with FlopCounterMode(display=False) as counter:
            output = network(image, ["one " * config.text_tokens])
        whole = counter.get_total_flops() // 2
        of_words = _multiply_adds(network.words, config.text_tokens)
        torch.stack([each.sum() for each in output]).sum().backward()
    trained = [p for p in network.parameters() if p.requires_grad]
    return Cost(
        network=config.name,
        image_size=config.image_size,
        text_tokens=config.text_tokens,
        parameters=_count(network.parameters()),
        parameters_with_gradient=_count(trained),
        parameters_unread=_count(p for p in trained if p.grad is None),
        multiply_adds=whole,
        multiply_adds_without_words=whole - of_words,
        parts={name: _count(part.parameters()) for name, part in network.named_children()},
    )


def _multiply_adds(words: nn.Module, tokens: int) -> int:
    if isinstance(words, NoWords):
        return 0
    with FlopCounterMode(display=False) as counter:
        words(["one " * tokens])
    counted: int = counter.get_total_flops() // 2
    return counted


def _count(parameters: Iterable[Tensor]) -> int:
    return sum(p.numel() for p in parameters)


def _unloaded(config: NetworkConfig) -> Network:
    if config.name == "u-net" or (config.name.startswith("lvit") and not config.use_text):
        words: nn.Module = NoWords(())
    elif config.text_encoder == "hf":
        words = _PlainBert(config.text_tokens)
    else:
        size = config.text_width, config.text_layers, config.heads, config.text_tokens
        words = _CountedWords([f"word {number}" for number in range(WORDS_KNOWN)], *size)
    return with_words(config, words, pretrained=False)  # type: ignore[arg-type]


class _PlainBert(nn.Module):
    """A BERT of the usual base size (12 layers, width 768, 30,522 word pieces), as CXR-BERT is."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        sizes = BertConfig()
        self.width: int = sizes.hidden_size
        self.tokens = tokens
        self.bert = BertModel(sizes, add_pooling_layer=False).requires_grad_(False)

    def forward(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor]:
        shape = len(descriptions), self.tokens
        numbers = torch.zeros(shape, dtype=torch.long, device=META)
        features = self.bert(input_ids=numbers).last_hidden_state
        return features, torch.ones(shape, dtype=torch.bool, device=META)


class _CountedWords(SmallTextEncoder):
    """The small text encoder, whose numbers need no memory."""

    def number_words(self, description: str) -> list[int]:
        return [1] * len(self.places)
