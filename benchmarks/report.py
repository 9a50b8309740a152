"""How fast and how right descriptions are read: the reader against a plain regular expression on the same texts in the
same run, time per random string, and how well zones of masks agree with texts.

Texts: a table with the columns text, zones_LuLmLlRuRmRl and reading (``--texts``), by default that of the real-data
folder; without it, written texts with one typing error in every second one. Prints ratios and percentiles.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import string
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from training.report import (
    STYLES,
    ZONES,
    Bands,
    learn_bands,
    learn_zone_reader,
    parse,
    render,
    zones_of,
)

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHRASE = re.compile(r"((?:(?:upper|middle|lower|all)\s+)+)(left|right)", re.IGNORECASE)
CUTS = Bands(upper=(0.0, 0.36), middle=(0.36, 0.45), lower=(0.45, 1.0))
Read = Callable[[str], frozenset[str]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, default=DATA / "texts" / "qata_distinct_gold.csv")
    parser.add_argument("--films", type=Path, default=DATA / "qata")
    parser.add_argument("--strings", type=int, default=20_000, help="random strings to time")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = {"texts": texts(known_texts(options.texts)), "strings": strings(options.strings)}
    if (options.films / "table.csv").exists():
        result["zones"] = agreement(options.films)
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2))


def known_texts(path: Path) -> list[tuple[str, frozenset[str]]]:
    """Texts and the zones they mean; of the real ones those that have a single meaning."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["reading"] != "ambiguous"]
        return [(row["text"], _zones(row["zones_LuLmLlRuRmRl"])) for row in rows]
    rng = random.Random(0)
    known = [
        (render(z, s), z) for s in STYLES for z in map(_zones, map("{:06b}".format, range(1, 64)))
    ]
    return [(_slip(rng, text) if at % 2 else text, zones) for at, (text, zones) in enumerate(known)]


def texts(known: Sequence[tuple[str, frozenset[str]]]) -> dict[str, float]:
    """Texts per second and accuracy of both readers, taking turns over five passes."""
    readers: dict[str, Read] = {"reader": _by_reader, "expression": by_expression}
    seconds = {name: [] for name in readers}
    for _ in range(5):
        for name, read in readers.items():
            start = time.perf_counter()
            for text, _zones_meant in known:
                read(text)
            seconds[name].append(time.perf_counter() - start)
    speed = {name: len(known) / min(times) for name, times in seconds.items()}
    right = {
        name: np.mean([read(t) == zones for t, zones in known]) for name, read in readers.items()
    }
    return {
        "number": len(known),
        "reader_per_second": speed["reader"],
        "expression_per_second": speed["expression"],
        "reader_times_slower": speed["expression"] / speed["reader"],
        "reader_accuracy": float(right["reader"]),
        "expression_accuracy": float(right["expression"]),
    }


def strings(number: int) -> dict[str, float]:
    """Milliseconds of CPU time per random string of up to 120 characters."""
    rng = random.Random(1)
    alphabets = (string.printable, string.ascii_lowercase + " ", "leftrighupmdwoa ,.")
    times = []
    for _ in range(number):
        letters = rng.choice(alphabets)
        text = "".join(rng.choice(letters) for _ in range(rng.randrange(120)))
        start = time.thread_time()
        parse.__wrapped__(text)
        times.append(1000 * (time.thread_time() - start))
    median, high, worst = np.percentile(times, [50, 99, 100])
    return {"number": number, "median_ms": median, "p99_ms": high, "worst_ms": worst}


def agreement(films: Path) -> dict[str, dict[str, float]]:
    """Share of films of the ``valid`` part whose mask's zones are exactly the text's, and share of right zones."""
    train, valid = _films(films, "train"), _films(films, "valid")
    masks, named, images = ([film[at] for film in train] for at in range(3))
    bands, reader = learn_bands(masks, named), learn_zone_reader(masks, named)
    by_lungs = learn_zone_reader(masks, named, images)
    ways = {
        "thirds": lambda mask, image: zones_of(mask),
        "cuts at 0.36 and 0.45": lambda mask, image: zones_of(mask, CUTS),
        "learned bands": lambda mask, image: zones_of(mask, bands),
        "learned reader": lambda mask, image: reader.zones(mask),
        "learned reader, by the lungs": lambda mask, image: by_lungs.zones(mask, image),
    }
    return {name: _score([(way(m, i), z) for m, z, i in valid]) for name, way in ways.items()}


def by_expression(text: str) -> frozenset[str]:
    """What a plain regular expression finds: levels right before a side."""
    found = set()
    for levels, side in PHRASE.findall(text):
        words = levels.lower().split()
        chosen = "uml" if "all" in words else [word[0] for word in words]
        found |= {side[0].upper() + level for level in chosen}
    return frozenset(found)


def _by_reader(text: str) -> frozenset[str]:
    return parse.__wrapped__(text).zones


def _zones(bits: str) -> frozenset[str]:
    return frozenset(zone for zone, bit in zip(ZONES, bits, strict=True) if bit == "1")


def _slip(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(string.ascii_lowercase) + text[at + rng.randrange(2) :]


def _films(folder: Path, part: str) -> list[tuple[np.ndarray, frozenset[str], np.ndarray]]:
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == part]
    films = []
    for row in rows:
        if zones := parse(row["raw_text"]).zones:
            mask = np.array(Image.open(folder / part / "masks" / row["mask"]).convert("L")) > 127
            image = np.array(Image.open(folder / part / "images" / row["image"]).convert("L"))
            films.append((mask.astype(np.uint8), zones, image))
    return films


def _score(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> dict[str, float]:
    exact = float(np.mean([found == named for found, named in pairs]))
    single = float(
        np.mean([(zone in found) == (zone in named) for found, named in pairs for zone in ZONES])
    )
    return {"films": len(pairs), "exact": exact, "per_zone": single}


def show(result: dict) -> None:
    """Print the figures."""
    read, timed = result["texts"], result["strings"]
    print(
        f"{read['number']} texts: reader {read['reader_per_second']:.0f}/s, {100 * read['reader_accuracy']:.1f} % right"
    )
    print(
        f"  plain expression {read['expression_per_second']:.0f}/s, {100 * read['expression_accuracy']:.1f} % right "
        f"({read['reader_times_slower']:.0f} times faster)"
    )
    print(
        f"{timed['number']} random strings: median {timed['median_ms']:.2f} ms, 99th percentile "
        f"{timed['p99_ms']:.2f} ms, worst {timed['worst_ms']:.1f} ms"
    )
    for name, score in result.get("zones", {}).items():
        print(
            f"zones of masks by {name}: {100 * score['exact']:.1f} % exact, {100 * score['per_zone']:.1f} % per zone "
            f"({score['films']} films never seen)"
        )


if __name__ == "__main__":
    main()
