"""Talks to the engine service over JSON lines. No Qt: a thread reads whole answers into a queue that the caller
drains. What the answers mean for the window is decided elsewhere."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from training.errors import EngineError

LIVES = 3  # deaths in a row, without an answer between them, before the client gives up
ENDING_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """What the service said to one request.

    Attributes
    ----------
    request : Mapping
        The request's own fields, such as ``case`` and ``description``.
    fields : Mapping
        The answer's fields, arrays excepted.
    arrays : Mapping of str to ndarray
        As the service's protocol names them.
    error : str
        A sentence for the reader; empty when all went well.
    """

    do: str
    request: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the request was fulfilled."""
        return not self.error


@dataclass(frozen=True)
class _Heard:
    generation: int
    message: dict[str, Any] | None  # None: the service ended
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)


class EngineClient:
    """Starts the service when first asked something, and again when it dies.

    Of each kind of request only one is under way: while it is, a newer one waits and replaces an older waiting one,
    and the answer that it makes stale is dropped.

    Parameters
    ----------
    command : sequence of str
        The service's command line without ``--exchange``.
    log : Path
        File that receives what the service writes to stderr.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = list(command)
        self._log = log
        self._exchange: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self._heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        self._generation = 0
        self._last_id = 0
        self._under_way: dict[str, tuple[int, dict[str, Any]]] = {}
        self._waiting: dict[str, dict[str, Any]] = {}
        self._deaths = 0

    @classmethod
    def for_project(cls, folder: Path, threads: int = 1) -> EngineClient:
        """The client of a project's service, which may use so many CPU threads."""
        command = [sys.executable, "-m", "training", "serve", str(folder)]
        command += ["--threads", str(threads)]
        return cls(command, folder / "service.log")

    @property
    def process_id(self) -> int | None:
        """The living service's process id."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process else None

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._under_way)

    def awaits(self, do: str) -> bool:
        """Whether an answer to this kind of request is awaited."""
        return do in self._under_way

    def ask(self, do: str, **fields: Any) -> None:
        """Send a request; its answer, or an error, comes out of `drain` unless a newer request replaces it."""
        if do in self._under_way:
            self._waiting[do] = fields
        else:
            self._send(do, fields)

    def drain(self) -> list[Answer]:
        """Answers that arrived since the last call, in order. Never waits."""
        answers: list[Answer] = []
        while True:
            try:
                heard = self._heard.get_nowait()
            except queue.Empty:
                return answers
            if heard.generation == self._generation:
                answers += self._take(heard)

    def close(self) -> None:
        """End the service and remove the exchanged files."""
        self._generation += 1
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self._exchange is not None:
            shutil.rmtree(self._exchange, ignore_errors=True)
            self._exchange = None
        self._under_way.clear()
        self._waiting.clear()

    # -- inside ------------------------------------------------------------------------------------

    def _send(self, do: str, fields: dict[str, Any]) -> None:
        if self._process is None:
            self._start()
        self._last_id += 1
        self._under_way[do] = (self._last_id, fields)
        line = json.dumps({"id": self._last_id, "do": do, **fields}) + "\n"
        process = self._process
        assert process is not None and process.stdin is not None
        # A dead service is noticed by the listener, which sees the end of its output.
        with contextlib.suppress(OSError):
            process.stdin.write(line)
            process.stdin.flush()

    def _start(self) -> None:
        self._generation += 1
        if self._exchange is None:
            self._exchange = Path(tempfile.mkdtemp(prefix="semimedref-"))
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*self._command, "--exchange", str(self._exchange)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                )
        except OSError as error:
            raise EngineError(
                f"The engine service cannot be started: {error.strerror}; is the disk full?"
            ) from error
        assert self._process.stdout is not None
        arguments = (self._process.stdout, self._exchange, self._generation, self._heard)
        threading.Thread(target=_listen, args=arguments, daemon=True, name="engine").start()

    def _take(self, heard: _Heard) -> list[Answer]:
        if heard.message is None:
            return self._bury()
        identifier = heard.message.get("id")
        do = next((do for do, (sent, _) in self._under_way.items() if sent == identifier), None)
        if do is None:
            return []
        self._deaths = 0
        _, request = self._under_way.pop(do)
        if do in self._waiting:
            self._send(do, self._waiting.pop(do))
            return []
        return [_answer(do, request, heard)]

    def _bury(self) -> list[Answer]:
        if self._process is not None:
            _end(self._process)
            self._process = None
        self._deaths += 1
        lost = {do: request for do, (_, request) in self._under_way.items()} | self._waiting
        self._under_way.clear()
        self._waiting.clear()
        if self._deaths < LIVES:
            for do, request in lost.items():
                self._send(do, request)
            return []
        self._deaths = 0
        sentence = f"The engine service ended unexpectedly: {self._log} has the details."
        return [Answer(do, request, error=sentence) for do, request in lost.items()]


def _answer(do: str, request: dict[str, Any], heard: _Heard) -> Answer:
    message = dict(heard.message or {})
    error = "" if message.get("ok") else str(message.get("error") or "The service gave no reason.")
    return Answer(do, request, message, heard.arrays, error)


def _listen(
    stream: IO[str], exchange: Path, generation: int, heard: queue.SimpleQueue[_Heard]
) -> None:
    for line in stream:
        try:
            message = json.loads(line)
        except json.JSONDecodeError:
            continue  # A library's chatter on stdout.
        if isinstance(message, dict):
            heard.put(_with_arrays(message, exchange, generation))
    heard.put(_Heard(generation, None))


def _with_arrays(message: dict[str, Any], exchange: Path, generation: int) -> _Heard:
    if not message.get("arrays"):
        return _Heard(generation, message)
    path = exchange / Path(str(message["arrays"])).name
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        path.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        complaint = f"The service's answer {path.name} cannot be read: {error}."
        return _Heard(generation, message | {"ok": False, "error": complaint})
    return _Heard(generation, message, arrays)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
