"""Weak and strong views of films: parameters drawn from keyed streams, then applied to a batch.

Everything that is drawn is a frozen value that can be written as JSON and said in words. Mixing two films lives in
`mixing`, text changes in `training.report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.config import ViewsConfig
from training.engine.streams import Key
from training.engine.transfer import to_device


@dataclass(frozen=True)
class WeakDraw:
    """Geometry of a view: magnification, and the shift right and down as shares of the side."""

    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def words(self) -> str:
        """The draw as a sentence for a reader."""
        size = f"Zoomed to {self.zoom:.0%}" if abs(self.zoom - 1) > 1e-6 else "Not zoomed"
        across = f"{abs(self.right):.1%} to the {'right' if self.right > 0 else 'left'}"
        return (
            f"{size}, moved {across} and {abs(self.down):.1%} {'down' if self.down > 0 else 'up'}."
        )


@dataclass(frozen=True)
class StrongDraw:
    """Photometry of a view: relative change of brightness and contrast, blur as a share of the side."""

    brightness: float = 0.0
    contrast: float = 0.0
    blur: float = 0.0

    def words(self) -> str:
        """The draw as a sentence for a reader."""
        changes = f"Brightness {self.brightness:+.0%}, contrast {self.contrast:+.0%}"
        return f"{changes}, {f'blurred (sigma {self.blur:.1%} of the side)' if self.blur else 'not blurred'}."


def draw_weak(key: Key, views: ViewsConfig) -> WeakDraw:
    """Draw a weak view; every draw takes the same numbers from its stream, whatever happens."""
    rng = key.stream("weak")
    chance, amount = rng.random(2)
    right, down = rng.uniform(-views.shift, views.shift, 2)
    zoom = views.zoom_min + amount * (views.zoom_max - views.zoom_min)
    return WeakDraw(
        zoom=round(float(zoom), 4) if chance < views.zoom_probability else 1.0,
        right=round(float(right), 4),
        down=round(float(down), 4),
    )


def draw_strong(key: Key, views: ViewsConfig) -> StrongDraw:
    """Draw the photometric part of a strong view."""
    rng = key.stream("strong")
    jitter, blur, sigma = rng.random(3)
    brightness, contrast = rng.uniform(-1, 1, 2)
    jittered = jitter < views.jitter_probability
    return StrongDraw(
        brightness=round(float(brightness) * views.brightness, 4) if jittered else 0.0,
        contrast=round(float(contrast) * views.contrast, 4) if jittered else 0.0,
        blur=round(float(sigma) * views.blur_sigma, 5) if blur < views.blur_probability else 0.0,
    )


def apply_weak(
    images: Tensor, masks: Tensor | None, draws: Sequence[WeakDraw]
) -> tuple[Tensor, Tensor | None]:
    """Zoom about the center and shift.

    Parameters
    ----------
    images : (B, 1, H, W) float in [0, 1]
    masks : (B, 1, H, W) float in [0, 1] or None
    draws : one for each image

    Returns
    -------
    images, masks
        Same shapes; the image's edge is continued outward, masks are 0 outside and binary again.
    """
    grid = _grid(images, draws)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    if masks is None:
        return moved, None
    lesions = F.grid_sample(masks, grid, padding_mode="zeros", align_corners=False)
    return moved, (lesions >= 0.5).to(masks.dtype)


def move_maps(maps: Tensor, draws: Sequence[WeakDraw]) -> Tensor:
    """Probability maps ``(B, 1, H, W) float in [0, 1]`` in the geometry of weak views; 0 outside."""
    return F.grid_sample(maps, _grid(maps, draws), padding_mode="zeros", align_corners=False)


def _grid(images: Tensor, draws: Sequence[WeakDraw]) -> Tensor:
    moves = [[1 / d.zoom, -2 * d.right / d.zoom, -2 * d.down / d.zoom] for d in draws]
    numbers = to_device(torch.tensor(moves), images.device)
    scale, right, down = numbers[:, 0], numbers[:, 1], numbers[:, 2]
    zero = torch.zeros_like(scale)
    matrix = torch.stack([scale, zero, right, zero, scale, down], 1).view(-1, 2, 3)
    return F.affine_grid(matrix, list(images.shape), align_corners=False).to(images.dtype)


def apply_strong(images: Tensor, draws: Sequence[StrongDraw]) -> Tensor:
    """Brightness, contrast about the image's own mean, then blur; ``(B, 1, H, W)`` stays in [0, 1].

    Works on intensities in [0, 1]: after z-scoring the clamp would cut half of the pixels off.
    """
    drawn = torch.tensor([[d.brightness, d.contrast] for d in draws])
    numbers = to_device(drawn, images.device)
    brightness, contrast = (1 + numbers).to(images.dtype)[:, :, None, None, None].unbind(1)
    changed = images * brightness
    mean = changed.mean((2, 3), keepdim=True)
    changed = ((changed - mean) * contrast + mean).clamp(0, 1)
    return _blur(changed, [draw.blur for draw in draws])


def _blur(images: Tensor, shares: Sequence[float]) -> Tensor:
    side = images.shape[-1]
    sigmas = np.array(shares) * side
    radius = int(np.ceil(3 * sigmas.max(initial=0)))
    if radius == 0:
        return images
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (offsets[None] / np.maximum(sigmas, 1e-3)[:, None]) ** 2)
    weights = torch.tensor(taps / taps.sum(1, keepdims=True), dtype=images.dtype)
    kernel = to_device(weights, images.device)
    count = len(images)
    rows = F.pad(images.transpose(0, 1), (radius,) * 4, mode="replicate")
    rows = F.conv2d(rows, kernel[:, None, None, :], groups=count)
    return F.conv2d(rows, kernel[:, None, :, None], groups=count).transpose(0, 1)


def standardize(images: Tensor) -> Tensor:
    """Z-score every image ``(B, C, H, W) float`` by its own mean and spread; a flat image becomes zeros."""
    mean = images.mean((2, 3), keepdim=True)
    spread = images.std((2, 3), keepdim=True, correction=0)
    return (images - mean) / spread.clamp_min(1e-4)
