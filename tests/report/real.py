"""Where the real-data folder lies, and what the tests of descriptions read from it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GOLD = DATA / "texts" / "qata_distinct_gold.csv"
QATA = DATA / "qata"
MOSMED = DATA / "mosmed_sample"

needs_gold = pytest.mark.skipif(not GOLD.exists(), reason=f"the typed texts are not at {GOLD}")
needs_qata = pytest.mark.skipif(not QATA.exists(), reason=f"the films are not at {QATA}")
needs_mosmed = pytest.mark.skipif(not MOSMED.exists(), reason=f"the slices are not at {MOSMED}")


def gold_rows() -> list[dict[str, str]]:
    """Rows of the gold file: text, count, zones_LuLmLlRuRmRl, reading."""
    with GOLD.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
