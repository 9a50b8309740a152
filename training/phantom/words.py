"""What a phantom's papers say: the description of its zones, and the mistakes a typist makes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from training.report import ZONES, render


def named_zones(zones: frozenset[str], laterality: Literal["image", "patient"]) -> frozenset[str]:
    """Rename zones of the picture into the project's laterality (its own inverse)."""
    return zones if laterality == "image" else _mirrored(zones)


def describe(zones: frozenset[str], wrong_words: float, rng: np.random.Generator) -> str:
    """Write the description of ``zones``, with probability ``wrong_words`` a faulty one.

    A fault is one of: the sides swapped, a zone left out, no position at all. Only faults that
    change the meaning are drawn.
    """
    if not zones or rng.random() >= wrong_words:
        return render(zones, style="qata")
    faults = ["position"]
    if _mirrored(zones) != zones:
        faults.append("side")
    if len(zones) > 1:
        faults.append("zone")
    fault = rng.choice(faults)
    if fault == "side":
        return render(_mirrored(zones), style="qata")
    if fault == "zone":
        dropped = rng.choice(sorted(zones, key=ZONES.index))
        return render(zones - {dropped}, style="qata")
    laterality, areas, *_ = render(zones, style="qata").rstrip(".").split(", ")
    return f"{laterality}, {areas}."


def _mirrored(zones: frozenset[str]) -> frozenset[str]:
    return frozenset(("R" if zone[0] == "L" else "L") + zone[1:] for zone in zones)
