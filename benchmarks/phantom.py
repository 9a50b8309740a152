"""Milliseconds for one phantom film at 64, 256 and 1024 pixels, and the ratio to 64.

Usage: python benchmarks/phantom.py [--films N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from training.phantom import PhantomConfig, make_case

SIZES = (64, 256, 1024)


def milliseconds(size: int, films: int) -> list[float]:
    """Time ``films`` cases one by one, after one that warms the caches."""
    config = PhantomConfig(size=size)
    make_case(config, 0, films)
    spent = []
    for index in range(films):
        start = time.perf_counter()
        make_case(config, 0, index)
        spent.append(1000 * (time.perf_counter() - start))
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=40, help="films per size")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rows = {}
    for size in SIZES:
        spent = milliseconds(size, options.films)
        median = float(np.median(spent))
        rows[size] = {"median_ms": median, "p95_ms": float(np.percentile(spent, 95))}
        rows[size]["ratio_to_64"] = median / rows[SIZES[0]]["median_ms"]
        print(
            f"{size:5d} px  median {median:8.1f} ms  p95 {rows[size]['p95_ms']:8.1f} ms  "
            f"x{rows[size]['ratio_to_64']:.1f} of 64 px"
        )
    if options.json:
        options.json.write_text(json.dumps({"films": options.films, "sizes": rows}, indent=2))


if __name__ == "__main__":
    main()
