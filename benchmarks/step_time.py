"""A semi-supervised step of the trainer against the same step written plainly, as the public release takes it.

Both steps train the same network on the same films with the same batch, in turn, in one process and on as many threads;
figures are medians, a speed-up is the median of the ratios of neighboring steps. `small` is the default preset with a
small frozen BERT (8 + 8 films of 96 pixels), `paper` the preset of that name with random weights (4 + 4 films of 224
pixels on a CPU, 32 + 32 on a GPU). Memory is the largest of a process of its own for each. Nothing is downloaded.
`docs/performance.md` says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BATCH = {"tiny": 4, "small": 8, "paper": 4}
GPU_BATCH = 32
FILMS = {"tiny": 8, "small": 64, "paper": 32}
REPEATS = {"tiny": 3, "small": 15, "paper": 3}
TARGETS = {"speedup_small": 3.0, "speedup_paper": 2.0}
MOST_OVER_SUPERVISED = 2.5


def main() -> None:
    """Measure and print; the work is done by children, so that this process stays small."""
    options = _options()
    if options.child:
        _be_child(options)
        return
    figures: dict[str, float] = {}
    for size in options.sizes.split(","):
        with tempfile.TemporaryDirectory(prefix="semimedref-") as folder:
            for child in ("make", "time", "ours", "plain"):
                told = _run_child(options, child, size, Path(folder))
                figures |= {f"{name}_{size}": value for name, value in told.items()}
    for name, value in figures.items():
        print(f"{name:40s} {value:10.4g}{_verdict(name, value)}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="small,paper", help="of tiny, small, paper")
    parser.add_argument("--repeats", type=int, default=0, help="0: as many as the size needs")
    parser.add_argument("--batch", type=int, default=0, help="films of each pool; 0: the size's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_child(
    options: argparse.Namespace, child: str, size: str, folder: Path
) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", child, "--sizes", size]
    for name in ("repeats", "batch", "threads", "device"):
        command += [f"--{name}", str(getattr(options, name))]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    own = folder if child == "make" else folder / child
    command += ["--folder", str(own)]
    if child != "make":
        _link(folder, own)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def _link(source: Path, own: Path) -> None:
    """A folder of its own for each child's run, over the same settings and films."""
    own.mkdir()
    for name in ("config.json", "films.json"):
        (own / name).write_text((source / name).read_text())


def _be_child(options: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(options.threads)
    size = options.sizes
    from steps.material import make_material, read_material

    if options.child == "make":
        gpu = options.device.startswith("cuda")
        batch = options.batch or (GPU_BATCH if gpu else BATCH[size])
        make_material(options.folder, size, batch, max(FILMS[size], 2 * batch), options.device)
        print("{}")
        return
    from steps.measure import both_steps, memory_of

    material = read_material(options.folder)
    if options.child == "time":
        figures = both_steps(material, options.repeats or REPEATS[size])
    else:
        figures = memory_of(material, options.child)
    print(json.dumps(figures))


def _verdict(name: str, value: float) -> str:
    if name in TARGETS:
        return f"   target {TARGETS[name]:g}: {'met' if value >= TARGETS[name] else 'missed'}"
    if name.startswith("semi_over_supervised"):
        met = "met" if value <= MOST_OVER_SUPERVISED else "missed"
        return f"   at most {MOST_OVER_SUPERVISED:g}: {met}"
    return ""


if __name__ == "__main__":
    main()
