"""LViT: a U-Net beside a U of transformers that reads the words. Any size, any text length; no training here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.config import NetworkConfig
from training.engine.networks.referring import Output, Pointer, begin_dark
from training.engine.networks.text import FrozenBert, NoWords, SmallTextEncoder, mean_of_words

DEPTHS = {"lvit-t": 1, "lvit-s": 4, "lvit-b": 6}
TOKEN_SIDE = 16  # Pixels of the image under one token, at every level.
POINTED = 2  # Level whose skip hears where the words point: a quarter of the image's side.


class Plam(nn.Module):
    """Pixel-level attention on a skip (LViT, PLAM): what all channels say of a pixel weighs it.

    The mean and the largest of two mixtures of the channels, and their sum, pass a small MLP; its
    answer, squeezed to (0, 1), multiplies the skip.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.for_mean = nn.Conv2d(width, width, 1, bias=False)
        self.for_largest = nn.Conv2d(width, width, 1, bias=False)
        self.judge = nn.Sequential(nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Weigh ``(B, C, H, W)``."""
        mean = F.relu(self.for_mean(features)).mean(1, keepdim=True)
        largest = F.relu(self.for_largest(features)).amax(1, keepdim=True)
        heard = torch.cat([mean, largest, mean + largest], 1)
        return features * torch.sigmoid(self.judge(heard))


class TokenConv(nn.Module):
    """Convolution over three neighboring tokens, normalization of each token, ReLU (LViT, CTBN)."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(into, out, 3, padding=1)
        self.norm = nn.LayerNorm(out)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, N, into)`` to ``(B, N, out)``."""
        return F.relu(self.norm(self.mix(tokens.transpose(1, 2)).transpose(1, 2)))


class WordsAtPlaces(nn.Module):
    """Word features at the first level's width, spread over the tokens of the picture.

    The published form ties one weight to each pair of a word's number and a place, which fixes text
    length and image size; here every place attends to the words by its own code instead.
    """

    def __init__(self, text: int, widths: Sequence[int]) -> None:
        super().__init__()
        sizes = [text, *reversed(widths)]
        self.narrow = nn.ModuleList(TokenConv(*pair) for pair in pairwise(sizes))
        self.ask = nn.Linear(widths[0], widths[0])

    def forward(self, words: Tensor, present: Tensor, places: Tensor) -> Tensor:
        """``(B, T, text)`` words and ``(1, N, C)`` places to ``(B, N, C)``."""
        kept = present[..., None].to(words.dtype)
        for narrow in self.narrow:
            words = narrow(words * kept)  # What follows a description must not leak into its end.
        scores = self.ask(places) @ words.transpose(1, 2) / math.sqrt(words.shape[2])
        scores = scores.masked_fill(~present[:, None], float("-inf"))
        read: Tensor = scores.softmax(2) @ words
        return read


class PatchEmbedding(nn.Module):
    """A level's map as tokens, one for every 16 x 16 pixels of the image, with their places."""

    def __init__(self, width: int, patch: int, side: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(width, width, patch, patch)
        self.place = nn.Parameter(torch.randn(1, width, side, side) * 0.02)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens ``(B, N, C)`` and their places ``(1, N, C)``, resized to the map's size."""
        tokens = self.cut(features)
        place: Tensor = self.place
        if place.shape[2:] != tokens.shape[2:]:
            size = list(tokens.shape[2:])
            place = F.interpolate(place, size, mode="bilinear", align_corners=False)
        return tokens.flatten(2).transpose(1, 2), place.flatten(2).transpose(1, 2)


class Up(nn.Module):
    """Double the deeper map (nearest), join the weighed skip, convolve twice."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(_convolve(into, out), _convolve(out, out))

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Maps ``(B, deep, H / 2, W / 2)`` and ``(B, skip, H, W)``."""
        joined: Tensor = self.mix(torch.cat([skip, F.interpolate(deep, scale_factor=2)], 1))
        return joined


class LViT(nn.Module):
    """Foreground logits of images described in words (after LViT; METHOD §2).

    Every normalization is of one image or one token, never over a batch, so that a batch of one
    and padded words change nothing.

    Parameters
    ----------
    config : NetworkConfig
        ``name`` sets the depth of the transformers (lvit-t 1, lvit-s 4, lvit-b 6), ``widths`` the
        four levels (published: 64, 128, 256, 512), ``heads`` the heads (8).
    words : SmallTextEncoder or FrozenBert or NoWords
        `NoWords` gives the variants without text: the image alone feeds the transformers.
    """

    def __init__(
        self, config: NetworkConfig, words: SmallTextEncoder | FrozenBert | NoWords
    ) -> None:
        super().__init__()
        self.config = config
        self.words = words
        widths, depth = config.widths, DEPTHS[config.name]
        side = config.image_size // TOKEN_SIDE
        outs = (*widths[1:], widths[-1])
        self.first = _convolve(1, widths[0])
        self.down_cnn = nn.ModuleList(map(_down, widths, outs))
        self.embed = nn.ModuleList(
            PatchEmbedding(width, TOKEN_SIDE >> level, side) for level, width in enumerate(widths)
        )
        self.down_vit = nn.ModuleList(_transformer(w, config.heads, depth) for w in widths)
        self.up_vit = nn.ModuleList(_transformer(w, config.heads, depth) for w in widths)
        self.to_deeper = nn.ModuleList(map(TokenConv, widths[:3], widths[1:]))
        self.to_shallower = nn.ModuleList(map(TokenConv, widths[1:], widths[:3]))
        self.rebuild = nn.ModuleList(_convolve(width, width, 1) for width in widths)
        self.plam = nn.ModuleList(Plam(width) for width in widths)
        self.ups = nn.ModuleList(map(Up, [2 * w for w in widths], [widths[0], *widths[:3]]))
        self.last = begin_dark(nn.Conv2d(widths[0], 1, 1))
        self.project_image = nn.Linear(widths[-1], config.projection)
        if not isinstance(words, NoWords):
            self.read = WordsAtPlaces(words.width, widths)
            self.pointer = Pointer(words.width, widths[POINTED]) if config.pointer else None
            self.project_text = nn.Linear(words.width, config.projection)
            self.read_zones = nn.Linear(words.width, 6) if config.zone_reading else None

    def forward(self, images: Tensor, descriptions: Sequence[str]) -> Output:
        """Segment.

        Parameters
        ----------
        images : (B, 1, H, W) float
            Z-scored; sides are multiples of 32.
        descriptions : sequence of str
            One for each image; unread by the variants without text.
        """
        maps = [self.first(images)]
        for down in self.down_cnn:
            maps.append(down(maps[-1]))
        deep = maps.pop()
        image_vector = self.project_image(deep.mean((2, 3)))
        told = None if isinstance(self.words, NoWords) else self.words(descriptions)
        pooled = None if told is None else mean_of_words(*told)
        if pooled is not None and self.pointer is not None:
            maps[POINTED] = maps[POINTED] + self.pointer(pooled, *maps[POINTED].shape[2:])
        for level, seen in reversed(list(enumerate(self._transform(maps, told)))):
            deep = self.ups[level](deep, self.plam[level](maps[level] + seen))
        logits = self.last(deep)
        if pooled is None:
            return without_words(logits, image_vector)
        silent = pooled.new_zeros(len(pooled), 6)
        zones = silent if self.read_zones is None else self.read_zones(pooled)
        return Output(logits, image_vector, self.project_text(pooled), zones)

    def _transform(self, maps: list[Tensor], told: tuple[Tensor, Tensor] | None) -> list[Tensor]:
        """What the transformers add to the skips: a map of its own size for each level."""
        levels: list[Tensor] = []
        for level, features in enumerate(maps):
            tokens, places = self.embed[level](features)
            tokens = tokens + places
            if level > 0:
                tokens = tokens + self.to_deeper[level - 1](levels[-1])
            elif told is not None:
                tokens = tokens + self.read(*told, places)
            levels.append(self.down_vit[level](tokens))
        above = None
        for level in (3, 2, 1, 0):
            tokens = levels[level]
            if above is not None:
                tokens = tokens + self.to_shallower[level](above)
            above = levels[level] = self.up_vit[level](tokens)
        return [
            self._as_map(level, tokens, maps[level].shape[2:])
            for level, tokens in enumerate(levels)
        ]

    def _as_map(self, level: int, tokens: Tensor, size: torch.Size) -> Tensor:
        # The 1 x 1 convolution comes before the nearest enlargement: the same result, less work.
        patch = TOKEN_SIDE >> level
        grid = tokens.transpose(1, 2).unflatten(2, (size[0] // patch, size[1] // patch))
        return F.interpolate(self.rebuild[level](grid), scale_factor=patch)


def without_words(logits: Tensor, image_vector: Tensor) -> Output:
    """The output of a network that reads no words: a text vector and zone logits of zeros.

    Zeros make image-text contrast and zone reading constants without a gradient.

    Parameters
    ----------
    logits : (B, 1, H, W) float
    image_vector : (B, P) float
    """
    return Output(
        logits, image_vector, torch.zeros_like(image_vector), image_vector.new_zeros(len(logits), 6)
    )


def _transformer(width: int, heads: int, depth: int) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)


def _down(into: int, out: int) -> nn.Module:
    return nn.Sequential(nn.MaxPool2d(2), _convolve(into, out), _convolve(out, out))


def _convolve(into: int, out: int, size: int = 3) -> nn.Module:
    norm = nn.GroupNorm(math.gcd(8, out), out)
    return nn.Sequential(nn.Conv2d(into, out, size, padding=size // 2), norm, nn.ReLU())
