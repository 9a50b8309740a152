"""The soft anatomy evaluated on a film: attenuation, air, lung field, zones. Shapes come from `anatomy`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.phantom.anatomy import LEVELS, Body, merged
from training.phantom.canvas import Floats, soft_step


@dataclass(frozen=True)
class Tissue:
    """Soft parts on a film, each (H, W) float32.

    ``attenuation`` without air; ``air`` 0..1 that a pixel crosses; ``lung_field`` the signed
    margin of what a reader calls lung: the cavities without heart and great vessels.
    """

    attenuation: Floats
    air: Floats
    lung_field: Floats


def soft_tissue(body: Body, x: Floats, y: Floats) -> Tissue:
    """Evaluate the soft anatomy at body coordinates ``x``, ``y``, each (H, W) float32."""
    trunk = body.trunk(x, y)
    tissue = np.sqrt(np.clip(trunk * np.float32(9), 0, 1)) * np.float32(0.66 + body.fat)
    arms = np.maximum.reduce([arm.margin(x, y) for arm in body.arms])
    tissue = np.maximum(tissue, np.float32(0.5) * np.sqrt(np.clip(arms * np.float32(11), 0, 1)))
    aside = np.abs(x)
    tissue -= np.float32(0.16) * soft_step(aside - 0.30, 0.4) * soft_step(0.30 - y, 0.3)
    for blob in body.breast:
        tissue += np.float32(0.06) * soft_step(blob.margin(x, y), 0.05) * soft_step(y - 0.5, 0.3)
    margin, below = body.cavity(x, y), body.diaphragm(x, y)
    air = soft_step(margin, 0.009) * (0.74 + 0.26 * soft_step(margin - 0.05, 0.11))
    hila = np.maximum.reduce([hilum.margin(x, y) for hilum in body.hila])
    air *= 1 - np.float32(0.16) * soft_step(hila, 0.09)
    heart = merged(body.heart, x, y)
    great = merged(body.great_vessels, x, y)
    solid = 1 - (1 - soft_step(heart, 0.014)) * (1 - 0.8 * soft_step(great, 0.035))
    abdomen = soft_step(below - 0.01, 0.05) * soft_step(trunk - 0.02, 0.12)
    tissue += np.float32(0.12) * abdomen + np.float32(0.09) * solid * (1 - abdomen)
    tissue += np.float32(0.07) * soft_step(heart - 0.04, 0.12) * (1 - abdomen)
    tissue += np.float32(0.05) * soft_step(0.045 - aside, 0.11)
    outside = np.maximum(trunk, arms) <= 0
    tissue[outside] = 0
    field = np.minimum(margin, -np.maximum(heart, great))
    return Tissue(tissue, air * (1 - np.float32(0.88) * solid), field)


def zone_map(body: Body, x: Floats, y: Floats, lung_field: Floats) -> NDArray[np.uint8]:
    """Number the picture's zones Lu Lm Ll Ru Rm Rl 1 to 6 inside the lung field, 0 outside.

    Parameters
    ----------
    x, y, lung_field : (N, N) float32
        Body coordinates of the pixels; the field is positive inside.
    """
    level = np.clip(body.level(x, y), 0, LEVELS - 1e-3).astype(np.uint8)
    zone = level + np.where(x < 0, 1, 1 + LEVELS).astype(np.uint8)
    return zone * (lung_field > 0)
