"""The resident engine service: JSON lines in, JSON lines out, arrays by file (docs/architecture.md). What is answered
is the matter of `answers`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch

from training.config import TrainingConfig
from training.engine.answers import Answers
from training.engine.setup import make_fabric
from training.errors import EngineError, SemiMedRefError
from training.pool import Project

Request = dict[str, Any]


def serve(project: Path, exchange: Path, device: str = "auto", threads: int = 1) -> int:
    """Answer requests on stdin until it closes.

    Parameters
    ----------
    project : Path
        The project whose cases and promoted teacher are served.
    exchange : Path
        Folder for arrays; made if absent.
    device : str
        auto, cpu, cuda, cuda:N or mps.
    threads : int, >= 1
        Of the CPU; two are slower than one beside a trainer.

    Returns
    -------
    int
        0, the process's exit status.
    """
    torch.set_num_threads(threads)
    replies, sys.stdout = sys.stdout, sys.stderr  # A library that prints must not break a line.
    exchange.mkdir(parents=True, exist_ok=True)
    where = make_fabric(device, TrainingConfig()).device
    answers = Answers(Project.open(project), exchange, where)
    for reply in answer_all(sys.stdin, answers):
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
    return 0


def answer_all(lines: IO[str] | Iterator[str], answers: Answers) -> Iterator[dict[str, Any]]:
    """One reply for each line; no request, however wrong, ends the service."""
    for line in lines:
        if line.strip():
            yield _answer(line, answers)


def _answer(line: str, answers: Answers) -> dict[str, Any]:
    number: Any = None
    try:
        request = _read(line)
        number = request.get("id")
        begun = time.perf_counter()
        reply = answers.answer(request)
        spent = round((time.perf_counter() - begun) * 1000, 1)
        return {"id": number, "ok": True, **reply, "milliseconds": spent}
    except SemiMedRefError as error:
        return {"id": number, "ok": False, "error": str(error)}
    except Exception as error:
        sentence = f"The engine could not answer: {type(error).__name__}: {error}"
        return {"id": number, "ok": False, "error": sentence}


def _read(line: str) -> Request:
    try:
        request = json.loads(line)
    except json.JSONDecodeError as error:
        raise EngineError(f"The request is no JSON: {error.msg}.") from error
    if not isinstance(request, dict) or not isinstance(request.get("id"), int):
        raise EngineError("A request is a JSON object with a whole number as its id.")
    return request
