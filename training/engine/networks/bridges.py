"""Bridges: a stage of the vision encoder and the words attend to each other. Whole networks live elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.engine.networks.vision import position_code


class Attend(nn.Module):
    """One block: self-attention, cross-attention to the other side, feed-forward; all residual."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)
        self.across = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

    def forward(
        self, own: Tensor, other: Tensor, own_gone: Tensor | None, other_gone: Tensor | None
    ) -> Tensor:
        """Update ``own`` (B, N, C) from ``other`` (B, M, C); ``*_gone`` (bool) marks padding."""
        own = own + _attention(self.inner, self.norms[0](own), None, own_gone)
        other = self.norms[1](other)
        own = own + _attention(self.across, self.norms[2](own), other, other_gone)
        updated: Tensor = own + self.feed(self.norms[3](own))
        return updated


def _attention(
    weights: nn.MultiheadAttention, query: Tensor, other: Tensor | None, gone: Tensor | None
) -> Tensor:
    """What ``weights`` itself computes, without its copies between layouts; ``other`` None: the query itself."""
    heads, width = weights.num_heads, query.shape[2]
    into, offset = weights.in_proj_weight, weights.in_proj_bias
    if other is None:
        asked, keys, values = _split_heads(F.linear(query, into, offset), 3, heads)
    else:
        (asked,) = _split_heads(F.linear(query, into[:width], offset[:width]), 1, heads)
        keys, values = _split_heads(F.linear(other, into[width:], offset[width:]), 2, heads)
    kept = None if gone is None else ~gone[:, None, None, :]
    found = F.scaled_dot_product_attention(asked, keys, values, attn_mask=kept)
    joined: Tensor = weights.out_proj(found.transpose(1, 2).flatten(2))
    return joined


def _split_heads(mixed: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """``(B, N, parts * C)`` to ``parts`` tensors ``(B, heads, N, C / heads)``."""
    return torch.unbind(mixed.unflatten(2, (parts, heads, -1)).permute(2, 0, 3, 1, 4))


class Bridge(nn.Module):
    """Vision at half resolution and words attend to each other (MMI-UNet's bridge, small).

    Parameters
    ----------
    vision, text : int
        Channels of the vision stage and of the words; attention runs at the words' width.
    """

    def __init__(self, vision: int, text: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(vision, text)
        self.leave = nn.Linear(text, vision)
        self.see = Attend(text, heads, hidden)
        self.read = Attend(text, heads, hidden)

    def forward(self, features: Tensor, words: Tensor, gone: Tensor) -> tuple[Tensor, Tensor]:
        """Bridged vision ``(B, C, H, W)`` and words ``(B, T, D)``; ``gone`` (B, T) marks padding."""
        small = F.avg_pool2d(features, 2, ceil_mode=True)
        height, width = small.shape[2:]
        place = position_code(height, width, words.shape[2], words)
        tokens = self.enter(small.permute(0, 2, 3, 1)) + place
        seen = self.see(tokens.flatten(1, 2), words, None, gone)
        read = self.read(words, tokens.flatten(1, 2), gone, None)
        change = self.leave(seen).transpose(1, 2).unflatten(2, (height, width))
        grown = F.interpolate(change, features.shape[2:], mode="bilinear", align_corners=False)
        return features + grown, read


class StageBridge(nn.Module):
    """The bridge at the stage's own width, with learned resampling (MMI-UNet; METHOD §1, Networks).

    Cheaper than `Bridge` where words are wider than the first stages.

    Parameters
    ----------
    vision, text : int
        Channels of the vision stage and of the words; attention runs at the stage's width.
    """

    def __init__(self, vision: int, text: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(vision, vision, 2, stride=2)
        self.grow = nn.ConvTranspose2d(vision, vision, 2, stride=2)
        self.enter = nn.Linear(text, vision)
        self.leave = nn.Linear(vision, text)
        self.see = Attend(vision, heads, hidden)
        self.read = Attend(vision, heads, hidden)

    def forward(self, features: Tensor, words: Tensor, gone: Tensor) -> tuple[Tensor, Tensor]:
        """Bridged vision ``(B, C, H, W)`` and words ``(B, T, D)``; ``gone`` (B, T) marks padding."""
        rows, columns = features.shape[2:]
        small = self.shrink(F.pad(features, (0, columns % 2, 0, rows % 2)))
        height, width = small.shape[2:]
        place = position_code(height, width, small.shape[1], words)
        tokens = (small.permute(0, 2, 3, 1) + place).flatten(1, 2)
        narrow = self.enter(words)
        seen = self.see(tokens, narrow, None, gone)
        read = self.read(narrow, tokens, gone, None)
        change = self.grow(seen.transpose(1, 2).unflatten(2, (height, width)))
        return features + change[:, :, :rows, :columns], self.leave(read)
