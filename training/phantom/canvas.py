"""Drawing in body coordinates at any film size: pose, strokes, smooth random fields, soft edges.

Nothing anatomical lives here. Body coordinates: x is 0 on the midline and grows to the picture's
right, y runs from 0 (top) to 1 (bottom) of an untilted film; one unit is the side of the film.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
LARGE_FILM = 512
TOO_FINE = 0.16  # below it the truncated kernel is one pixel wide


@dataclass(frozen=True)
class Pose:
    """How the body stands before the film."""

    rotation: float
    scale: float
    shift_x: float
    shift_y: float

    def body_coordinates(self, size: int) -> tuple[Floats, Floats]:
        """Return x and y of every pixel center, each (size, size) float32."""
        line = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
        u, v = line[None, :] - np.float32(self.shift_x), line[:, None] - np.float32(self.shift_y)
        c = np.float32(np.cos(self.rotation) / self.scale)
        s = np.float32(np.sin(self.rotation) / self.scale)
        return c * u + s * v, c * v - s * u + np.float32(0.5)

    def pixels(self, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Map body points (..., 2) as (x, y) to pixel positions (..., 2) as (column, row)."""
        x, y = points[..., 0] * self.scale, (points[..., 1] - 0.5) * self.scale
        c, s = np.cos(self.rotation), np.sin(self.rotation)
        u = c * x - s * y + self.shift_x + 0.5
        v = s * x + c * y + self.shift_y + 0.5
        return np.stack((u, v), axis=-1) * size


@dataclass(frozen=True)
class Strokes:
    """A bundle of ribbons: B center lines of K points in body coordinates.

    ``points`` (B, K, 2); ``half_width`` and ``density`` (B, K); ``rim`` adds that share of the
    density toward the ribbon's edges (bone cortex).
    """

    points: NDArray[np.float64]
    half_width: NDArray[np.float64]
    density: NDArray[np.float64]
    rim: float = 0.0


def draw(strokes: Strokes, pose: Pose, size: int) -> Floats:
    """Rasterize ribbons by their area, so that thin ones fade instead of breaking.

    Returns
    -------
    (size, size) float32 array, the summed density.
    """
    # Small films need more samples to a pixel: there, no blur hides an uneven count.
    per_pixel = min(max(LARGE_FILM / size, 1.5), 2.5)
    knots = pose.pixels(strokes.points, size)
    reach = np.sqrt((np.diff(knots, axis=1) ** 2).sum(-1)).sum(1).max()
    steps = int(np.ceil(reach * per_pixel)) + 2
    line, half, density = (
        _along(part, steps) for part in (knots, strokes.half_width, strokes.density)
    )
    half = half * size * pose.scale
    tangent = np.gradient(line, axis=1)
    speed = np.sqrt((tangent**2).sum(-1)) + 1e-9
    across = max(1, int(np.ceil(2 * half.max() * per_pixel)))
    offset = (np.arange(across) + 0.5) / across * 2 - 1
    normal = np.stack((-tangent[..., 1], tangent[..., 0]), axis=-1) / speed[..., None]
    column = line[..., 0, None] + (normal[..., 0] * half)[..., None] * offset
    row = line[..., 1, None] + (normal[..., 1] * half)[..., None] * offset
    profile = 1.0 - strokes.rim + strokes.rim * 2.0 * offset**2
    weight = (density * speed * 2 * half / across)[..., None] * profile
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    # What falls outside is counted in one cell more, which is dropped.
    cell = np.where(inside, row.astype(np.int32) * size + column.astype(np.int32), size * size)
    drawn = np.bincount(cell.ravel(), weights=weight.ravel(), minlength=size * size + 1)[:-1]
    return drawn.reshape(size, size).astype(np.float32)


def _along(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    position = np.linspace(0, values.shape[1] - 1, steps)
    left = np.minimum(position.astype(int), values.shape[1] - 2)
    share = position - left
    if values.ndim == 3:
        share = share[:, None]
    between: NDArray[np.float64] = values[:, left] * (1 - share) + values[:, left + 1] * share
    return between


WHOLE = (slice(None), slice(None))


def smooth_field(
    grid: NDArray[np.float64], size: int, window: tuple[slice, slice] = WHOLE
) -> Floats:
    """Spread a coarse (n, n) grid over the film with cubic B-splines.

    The same grid gives the same physical pattern at any film size. Returns the float32 values
    in ``window`` of the (size, size) film.
    """
    rows = _spread(grid.astype(np.float32), size, window[0])
    return _spread(rows.T, size, window[1]).T


def _spread(grid: Floats, size: int, window: slice) -> Floats:
    last = grid.shape[0] - 1
    position = (np.arange(size, dtype=np.float32)[window] + np.float32(0.5)) / size * last
    base = position.astype(int)
    t = (position - base).astype(np.float32)[:, None]
    taps = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    spread = np.zeros((len(position), grid.shape[1]), np.float32)
    for k, tap in enumerate(taps):
        spread += tap * grid[np.clip(base + k - 1, 0, last)]
    return spread


def soft_step(margin: NDArray[np.floating], width: float) -> Floats:
    """Smooth step over a signed margin of any shape: 0 below -width / 2, 1 above +width / 2."""
    t = np.clip(margin / np.float32(width) + np.float32(0.5), 0, 1)
    step: Floats = t * t * (3 - 2 * t)
    return step


def blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur of an image ``(N, N)``; ``sigma`` in film sides (0.01 = one hundredth of the film)."""
    pixels = sigma * image.shape[0]
    if pixels < TOO_FINE:
        return image
    blurred: Floats = ndimage.gaussian_filter(image, pixels, truncate=3.0)
    return blurred
