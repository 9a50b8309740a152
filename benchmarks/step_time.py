"""Step times of the trainer: supervised against semi-supervised, and a prediction.

Prints seconds and their ratio for the default network on little random films. Times differ from
machine to machine; the ratio should stay at or below 2.5 (one teacher pass and twice the films
make 2.33).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from training.config import RunConfig, preset
from training.engine.inputs import Films
from training.engine.methods.semi_medref import semi_medref_step
from training.engine.methods.supervised import supervised_step
from training.engine.networks import build, collect_vocabulary
from training.engine.predict import Predictor
from training.engine.streams import Key
from training.engine.teacher import Teacher
from training.report import ZONES, render


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    figures = measure(preset(options.preset), options.repeats, torch.device(options.device))
    for name, value in figures.items():
        print(f"{name:32s} {value:10.4g}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def measure(config: RunConfig, repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each kind of step."""
    training = config.training
    labeled = _films(training.batch_labeled, config, device, "labeled")
    unlabeled = _films(training.batch_unlabeled, config, device, "unlabeled")
    student = build(config.network, collect_vocabulary(labeled.texts + unlabeled.texts)).to(device)
    teacher = Teacher(student)
    optimizer = torch.optim.AdamW(student.parameters())

    def supervised() -> torch.Tensor:
        return supervised_step(student, labeled, config, "image").total

    def semi() -> torch.Tensor:
        network = teacher.network
        return semi_medref_step(student, network, labeled, unlabeled, config, 1.0, "image").total

    def step(loss: Callable[[], torch.Tensor]) -> None:
        loss().backward()
        optimizer.step()
        optimizer.zero_grad()
        teacher.follow(student, 0.99)

    predictor = Predictor(teacher.network, device)
    image = np.random.default_rng(0).random((256, 256), np.float32)
    one = _time(lambda: step(supervised), repeats)
    other = _time(lambda: step(semi), repeats)
    return {
        "parameters": sum(p.numel() for p in student.parameters()),
        "supervised step (s)": one,
        "semi-supervised step (s)": other,
        "ratio": other / one,
        "teacher update (s)": _time(lambda: teacher.follow(student, 0.99), repeats),
        "one prediction (s)": _time(
            lambda: predictor.probability(image, labeled.texts[0]), repeats
        ),
    }


def _films(count: int, config: RunConfig, device: torch.device, name: str) -> Films:
    rng = np.random.default_rng(len(name))
    side = config.network.image_size
    images = torch.from_numpy(rng.random((count, 1, side, side), np.float32)).to(device)
    masks = (images > 0.9).float() if name == "labeled" else None
    zones = [rng.choice(ZONES, 2, replace=False).tolist() for _ in range(count)]
    keys = tuple(Key(0, f"{name}{number}") for number in range(count))
    return Films(keys, images, masks, tuple(render(each) for each in zones))


def _time(work: Callable[[], object], repeats: int) -> float:
    work()
    spent = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
