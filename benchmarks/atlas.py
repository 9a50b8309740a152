"""What the words alone are worth: Dice of the zone atlas on the real chest films with 57, 114 and 286 labels.

Usage: python benchmarks/atlas.py [--data FOLDER] [--valid] [--size N] [--json FILE]

The labeled cases are the official nested subsets; scored are all training films outside the largest of these, or the
films of `valid`. Needs the real-data folder; without it, it says so and ends.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.atlas import Zones, fit_atlas
from training.metrics import Scores, score_masks
from training.pool.images import read_mask
from training.report import parse

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "qata"
SUBSETS = ("0.01", "0.02", "0.05")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with table.csv")
    parser.add_argument("--valid", action="store_true", help="score on the films of valid")
    parser.add_argument("--size", type=int, default=224, help="side of the masks in pixels")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    if not (options.data / "table.csv").is_file():
        print(f"{options.data} holds no table.csv: give the real-data folder with --data.")
        return
    figures = measure(options.data, options.valid, options.size)
    for labels, row in figures.items():
        print(
            f"{labels:4d} labels, {row['films']} films: Dice over all pixels {row['dice_global']:.3f}, "
            f"mean over images {row['dice_per_image']:.3f}, threshold {row['threshold']:.3f}; "
            f"the overall mean alone {row['overall_global']:.3f}, {row['overall_per_image']:.3f}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def measure(data: Path, valid: bool, size: int) -> dict[int, dict[str, float]]:
    """Figures by the number of labels."""
    with (data / "table.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    training = [row for row in rows if row["split"] == "train"]
    labeled = [row for row in training if row["smallest_labeled_ratio"] in SUBSETS]
    held = [row for row in training if row["smallest_labeled_ratio"] not in SUBSETS]
    if valid:
        held = [row for row in rows if row["split"] == "valid"]
    known, truth = (_masks(data, some, size) for some in (labeled, held))
    figures = {}
    for number in range(1, len(SUBSETS) + 1):
        inside = [row["smallest_labeled_ratio"] in SUBSETS[:number] for row in labeled]
        figures[sum(inside)] = _score(
            (known[inside], [_zones(row) for row, chosen in zip(labeled, inside, strict=True) if chosen]),
            (truth, [_zones(row) for row in held]),
        )  # fmt: skip
    return figures


def _score(
    labeled: tuple[NDArray[np.uint8], list[Zones | None]],
    held: tuple[NDArray[np.uint8], list[Zones | None]],
) -> dict[str, float]:
    atlas, blind = fit_atlas(*labeled), fit_atlas(labeled[0], [None] * len(labeled[0]))
    scores = _scores([atlas.mask(zones) for zones in held[1]], held[0])
    overall = _scores([blind.mask(None)] * len(held[0]), held[0])
    return {
        "films": len(held[0]),
        "threshold": atlas.threshold,
        "dice_global": scores.dice_global,
        "dice_per_image": scores.dice_per_image,
        "overall_global": overall.dice_global,
        "overall_per_image": overall.dice_per_image,
    }


def _scores(masks: list[NDArray[np.uint8]], truth: NDArray[np.uint8]) -> Scores:
    return score_masks(zip(masks, truth, strict=True))


def _zones(row: dict[str, str]) -> Zones | None:
    finding = parse(row["raw_text"])
    sure = finding.has_position and finding.reading in ("clear", "repaired")
    return finding.zones if sure else None


def _masks(data: Path, rows: list[dict[str, str]], size: int) -> NDArray[np.uint8]:
    places = {path.name: path for path in data.rglob("mask_*")}
    masks = [read_mask(places[row["mask"]]) for row in rows]
    step = max(1, masks[0].shape[0] // size)
    return np.stack([mask[step // 2 :: step, step // 2 :: step] for mask in masks])


if __name__ == "__main__":
    main()
