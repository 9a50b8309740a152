"""`python -m training`: the trainer and the engine service as processes; everything else is the CLI's."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from training.errors import SemiMedRefError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a trainer or a service, or hand the arguments to the CLI.

    Returns
    -------
    int
        0 done; 2 failed, with one sentence on stderr; 3 stopped on request.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in ("run", "serve", "score"):
        from training.cli import main as command_line

        command_line()
        return 0
    options = _parser().parse_args(words)
    try:
        return {"run": _run, "serve": _serve, "score": _score}[options.do](options)
    except SemiMedRefError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training")
    commands = parser.add_subparsers(dest="do", required=True)
    run = commands.add_parser("run", help="train rounds in run folders, one after another")
    run.add_argument("run_folder", type=Path, nargs="+")
    run.add_argument("--say-done", action="store_true", help="print each folder when it is done")
    run.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps; overrides the config")
    serve = commands.add_parser("serve", help="answer predictions and views on stdin and stdout")
    serve.add_argument("project", type=Path)
    serve.add_argument("--exchange", type=Path, required=True, help="folder for arrays")
    serve.add_argument("--device", default="auto")
    serve.add_argument(
        "--threads", type=int, default=1, help="CPU threads; 1 is best beside a trainer"
    )
    score = commands.add_parser("score", help="measure a model on the holdout of a run folder")
    score.add_argument("model", type=Path, help="a model's folder")
    score.add_argument("run_folder", type=Path, help="its snapshot is read, its scores are written")
    score.add_argument("--predict", action="store_true", help="predict the unlabeled pool, too")
    score.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    return parser


def _run(options: argparse.Namespace) -> int:
    from training.heartbeat import Heart
    from training.rundir import STOPPED, RunFolder

    folders = [RunFolder.open(path) for path in options.run_folder]
    threads = folders[0].read_config().training.threads
    for folder in folders:
        if not folder.in_use():
            # Before the slow imports, so that only an earlier run's request is forgotten.
            folder.withdraw_requests()
    signal.signal(signal.SIGTERM, lambda *_: folders[0].request_stop())

    with Heart(folders[0].alive_file):
        from training.engine.background import leave_a_core
        from training.engine.loop import run

    leave_a_core(threads)
    for path, folder in zip(options.run_folder, folders, strict=True):
        signal.signal(signal.SIGTERM, lambda *_, asked=folder: asked.request_stop())
        with Heart(folder.alive_file):
            finished = run(folder, options.device)
        if not finished:
            return STOPPED
        if options.say_done:
            sys.stdout.write(f"{path}\n")
            sys.stdout.flush()
    return 0


def _serve(options: argparse.Namespace) -> int:
    from training.engine.service import serve

    return serve(options.project, options.exchange, options.device, max(1, options.threads))


def _score(options: argparse.Namespace) -> int:
    from training.engine.background import leave_a_core
    from training.engine.scoring import measure
    from training.rundir import RunFolder

    folder = RunFolder.open(options.run_folder)
    leave_a_core(folder.read_config().training.threads)
    measure(folder, options.model, device=options.device, predict=options.predict)
    return 0


if __name__ == "__main__":
    sys.exit(main())
