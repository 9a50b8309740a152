"""Descriptions to token features: a small encoder trained from scratch, and a frozen pretrained BERT. What words mean
is read elsewhere (`training.report`)."""

from __future__ import annotations

import copy
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.engine.transfer import to_device
from training.errors import EngineError

PAD, UNKNOWN, UNKNOWN_POSITION = "[PAD]", "[UNK]", "[UNK_POS]"
SPECIAL = (PAD, UNKNOWN, UNKNOWN_POSITION)
TEXTS_KEPT = 2048  # Encoded texts a frozen BERT keeps, up to 100 KB each: PosAug makes hundreds, TextStrong ever more.
_WORD = re.compile(r"\[UNK_POS\]|[a-z]+|\d+|[,.;]")


def split_words(description: str) -> list[str]:
    """Lower-case words, numbers and the marks ``, . ;``; ``[UNK_POS]`` stays one token."""
    marked = description.lower().replace(UNKNOWN_POSITION.lower(), UNKNOWN_POSITION)
    return _WORD.findall(marked)


def collect_vocabulary(descriptions: Iterable[str], known: Sequence[str] = ()) -> tuple[str, ...]:
    """A closed vocabulary: the known words in their order, then new ones in alphabetical order.

    The special tokens always come first, so that a vocabulary that grows keeps its numbers.
    """
    first = [*SPECIAL, *(word for word in known if word not in SPECIAL)]
    new = {word for text in descriptions for word in split_words(text)}.difference(first)
    return (*first, *sorted(new))


class SmallTextEncoder(nn.Module):
    """A transformer over whole words, trained with the rest of the network.

    Parameters
    ----------
    vocabulary : sequence of str
        Closed list of words, the special tokens first.
    width, layers, heads : int
        Size of the transformer.
    max_tokens : int
        Longer descriptions lose their end.
    """

    def __init__(
        self, vocabulary: Sequence[str], width: int, layers: int, heads: int, max_tokens: int
    ) -> None:
        super().__init__()
        self.vocabulary = tuple(vocabulary)
        self.width = width
        self._number = {word: number for number, word in enumerate(self.vocabulary)}
        self._max_tokens = max_tokens
        self.words = nn.Embedding(len(self.vocabulary), width, padding_idx=0)
        self.places = nn.Parameter(torch.randn(max_tokens, width) * 0.2)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.words.weight, std=0.5)

    def forward(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode descriptions.

        Returns
        -------
        features : (B, T, width) float
            T is the longest description of the batch.
        present : (B, T) bool
            False where a description has already ended.
        """
        numbers = [self.number_words(text) for text in descriptions]
        longest = max(len(each) for each in numbers)
        padded = torch.tensor([each + [0] * (longest - len(each)) for each in numbers])
        tokens = to_device(padded, self.words.weight.device)
        present = tokens != 0
        features = self.words(tokens) + self.places[:longest]
        features = self.layers(features, src_key_padding_mask=~present)
        return self.norm(features), present

    def number_words(self, description: str) -> list[int]:
        """Numbers of a description's words; an empty description is one unknown word."""
        words = split_words(description)[: self._max_tokens] or [UNKNOWN]
        return [self._number.get(word, 1) for word in words]

    def count_tokens(self, word: str) -> int:
        """Tokens of a stretch of text without blanks."""
        return len(split_words(word))

    @property
    def room(self) -> int:
        """Tokens of a description that are read."""
        return self._max_tokens


class NoWords(nn.Module):
    """Stands where a network without text has no encoder; it only keeps the vocabulary."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__()
        self.vocabulary = tuple(vocabulary)


class FrozenBert(nn.Module):
    """A pretrained BERT that is never trained; each distinct description is encoded once.

    It holds no parameters of the network that uses it: they are neither saved nor averaged, and
    student and teacher share one copy.

    Parameters
    ----------
    source : str
        Folder or hub name of a BERT checkpoint (safetensors) with its tokenizer.
    max_tokens : int
        Longer descriptions lose their end.
    dropout : float
        Share of features dropped in training, in place of BERT's own dropout, which the cache removes.

    Raises
    ------
    EngineError
        If the checkpoint cannot be loaded as a plain BERT.
    """

    def __init__(self, source: str, max_tokens: int, dropout: float = 0.15) -> None:
        super().__init__()
        tokenizer, model = _load_bert(source)
        self.width: int = model.config.hidden_size
        self.vocabulary: tuple[str, ...] = ()
        # A tuple hides the model from nn.Module: no state_dict, no .to(), no averaging.
        self._hidden = (tokenizer, model)
        self._max_tokens: int = min(max_tokens, model.config.max_position_embeddings)
        self._cache: OrderedDict[str, Tensor] = OrderedDict()
        self.drop = nn.Dropout(dropout)
        self.anchor: Tensor
        self.register_buffer("anchor", torch.zeros(1), persistent=False)

    def forward(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode descriptions: ``(B, T, width) float`` and ``(B, T) bool``, as the small encoder."""
        self._encode_new(descriptions)
        rows = [to_device(self._cache[text], self.anchor.device) for text in descriptions]
        features = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        present = torch.arange(features.shape[1])[None] < lengths[:, None]
        return self.drop(features), to_device(present, features.device)

    @property
    def texts_known(self) -> int:
        """How many distinct texts are kept encoded."""
        return len(self._cache)

    def token_numbers(self, description: str) -> list[int]:
        """Token numbers of a description, truncated to the limit."""
        tokenizer = self._hidden[0]
        read = tokenizer(description, truncation=True, max_length=self._max_tokens)
        numbers: list[int] = read["input_ids"]
        return numbers

    def count_tokens(self, word: str) -> int:
        """Tokens of a stretch of text without blanks."""
        return len(self._hidden[0].tokenize(word))

    @property
    def room(self) -> int:
        """Tokens of a description that are read; two more mark its ends."""
        return self._max_tokens - 2

    @torch.inference_mode(False)
    @torch.no_grad()
    def _encode_new(self, descriptions: Sequence[str]) -> None:
        device, wanted = self.anchor.device, dict.fromkeys(descriptions)
        for text in wanted:
            if text not in self._cache:
                model = self._hidden[1].to(device)
                # One by one: padded to a batch's longest they would round otherwise after a resume than before.
                numbers = to_device(torch.tensor([self.token_numbers(text)]), device)
                self._cache[text] = model(input_ids=numbers).last_hidden_state[0].float()
            self._cache.move_to_end(text)
        while len(self._cache) > max(TEXTS_KEPT, len(wanted)):
            self._cache.popitem(last=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenBert:
        # One BERT and one cache for student and teacher, but each its own dropout and mode.
        twin = copy.copy(self)
        twin._modules = {name: copy.deepcopy(part, memo) for name, part in self._modules.items()}
        twin._buffers = copy.deepcopy(self._buffers, memo)
        return twin


def mean_of_words(features: Tensor, present: Tensor) -> Tensor:
    """Mean of the token features ``(B, T, D)`` that are ``present`` (B, T): ``(B, D)``."""
    weight = present[..., None].to(features.dtype)
    mean: Tensor = (features * weight).sum(1) / weight.sum(1)
    return mean


def words_read(words: nn.Module, description: str) -> int | None:
    """How many words of a description are read before its end is cut; None where nothing is cut."""
    if not isinstance(words, (SmallTextEncoder, FrozenBert)):
        return None
    used = 0
    for number, word in enumerate(description.split()):
        used += words.count_tokens(word)
        if used > words.room:
            return number
    return None


@torch.no_grad()
def text_vectors(words: nn.Module, descriptions: Sequence[str]) -> Tensor:
    """Mean token features of descriptions, ``(B, width) float``, for comparing texts.

    Raises
    ------
    EngineError
        The network reads no words.
    """
    if isinstance(words, NoWords):
        raise EngineError("A network without text cannot compare texts: set lv_match to zones.")
    return mean_of_words(*words(descriptions))


def _load_bert(source: str) -> tuple[Any, Any]:
    # The plain classes: a checkpoint that names code of its own (CXR-BERT does) is read without it.
    from transformers import BertModel, BertTokenizer

    try:
        tokenizer = BertTokenizer.from_pretrained(source, trust_remote_code=False)
        model = BertModel.from_pretrained(
            source, add_pooling_layer=False, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise EngineError(
            f"The text encoder {source} cannot be loaded as a BERT from safetensors: "
            "give a folder with config.json, model.safetensors and the tokenizer, or a hub name."
        ) from error
    before = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": [UNKNOWN_POSITION]})
    if len(tokenizer) > before:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        with torch.no_grad():
            # Deterministic: the frozen table gets the mean of all words as the hidden position.
            table = model.get_input_embeddings().weight
            table[-1] = table[:-1].mean(dim=0)
    return tokenizer, model.eval().requires_grad_(False)
