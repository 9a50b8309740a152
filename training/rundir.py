"""The folder of one run: its files, lock and stop request; what they mean lives elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from training.config import RunConfig
from training.errors import RunFolderError
from training.files import is_held, read_text, sentence_for, write_atomically
from training.snapshot import Snapshot

# Whoever asks if a folder is in use holds its lock for an instant; a trainer that starts then waits so many seconds.
LOCK_PATIENCE = 0.5
DAMAGED = "{path} is damaged ({why}): restore it, or start a new round."
STOPPED = 3  # exit status of a process whose training was asked to stop
DELETED = "The run folder {folder} was deleted: start a new round; labels and the serving teacher are untouched."


@dataclass(frozen=True)
class RunFolder:
    """One run on disk; every file is written whole or not at all.

    Parameters
    ----------
    path : Path
        The folder; use `create` or `open` rather than the constructor.
    """

    path: Path

    @classmethod
    def create(cls, path: Path | str, config: RunConfig, snapshot: Snapshot) -> RunFolder:
        """Make a new run folder.

        Raises
        ------
        RunFolderError
            It already holds a run or cannot be made.
        """
        folder = cls(Path(path))
        if folder.config_file.exists():
            raise RunFolderError(f"{folder.path} already holds a run: choose another folder.")
        try:
            for each in (folder.path, folder.checkpoints, folder.predictions):
                each.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(sentence_for(error, folder.path)) from error
        snapshot.save(folder.snapshot_file)
        write_atomically(folder.config_file, config.model_dump_json(indent=1))
        return folder

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open an existing run folder.

        Raises
        ------
        RunFolderError
            It is none.
        """
        folder = cls(Path(path))
        for needed in (folder.config_file, folder.snapshot_file):
            if not needed.is_file():
                raise RunFolderError(
                    f"{folder.path} is not a run folder (it has no {needed.name}): give another."
                )
        return folder

    @property
    def config_file(self) -> Path:
        """What was asked for (`RunConfig`)."""
        return self.path / "config.json"

    @property
    def snapshot_file(self) -> Path:
        """What may be read (`Snapshot`)."""
        return self.path / "snapshot.json"

    @property
    def events_file(self) -> Path:
        """What the trainer says, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def scores_file(self) -> Path:
        """The final evaluation."""
        return self.path / "scores.json"

    @property
    def case_counts_file(self) -> Path:
        """Pixel counts of each holdout case, {half: {role: {case id: [true positive, false positive, missed]}}}."""
        return self.path / "case_counts.json"

    @property
    def stop_file(self) -> Path:
        """Its presence asks the trainer to stop."""
        return self.path / "stop"

    @property
    def pause_file(self) -> Path:
        """Its presence asks the trainer to wait."""
        return self.path / "pause"

    @property
    def alive_file(self) -> Path:
        """Touched every few seconds while a trainer lives (`training.heartbeat`)."""
        return self.path / "alive"

    @property
    def trainer_log(self) -> Path:
        """What the trainer's process wrote to its standard streams."""
        return self.path / "trainer.log"

    @property
    def lock_file(self) -> Path:
        """Held by the one trainer of this folder."""
        return self.path / "lock"

    @property
    def checkpoints(self) -> Path:
        """Folder of `best` and `last`."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The model to serve: student, teacher and their description."""
        return self.checkpoints / "best"

    @property
    def last(self) -> Path:
        """The state a resumed run continues from."""
        return self.checkpoints / "last"

    @property
    def predictions(self) -> Path:
        """Folder of `CASE_ID.png` (8-bit probability) and `index.json`."""
        return self.path / "predictions"

    @property
    def predictions_index(self) -> Path:
        """Per predicted case: entropy, foreground share, digest of the description."""
        return self.predictions / "index.json"

    @property
    def embeddings_file(self) -> Path:
        """Training films as points (NumPy archive without objects): ``case_ids``, and an array for each maker."""
        return self.predictions / "embeddings.npz"

    @property
    def epi(self) -> Path:
        """Probability maps of the unlabeled cases that the method lvit-epi keeps between steps."""
        return self.path / "epi"

    def read_config(self) -> RunConfig:
        """The run's settings."""
        return RunConfig.load(self.config_file)

    def read_snapshot(self) -> Snapshot:
        """The run's cases."""
        return Snapshot.load(self.snapshot_file)

    def read_scores(self) -> dict[str, Any]:
        """The final scores; RunFolderError if the run has none yet or the file is damaged."""
        return read_json(self.scores_file)

    def write_scores(self, scores: dict[str, Any]) -> None:
        """Write the final scores, all at once."""
        write_atomically(self.scores_file, json.dumps(scores, indent=1))

    def read_predictions_index(self) -> dict[str, Any]:
        """The table of predictions by case id."""
        return read_json(self.predictions_index)

    def refuse_if_gone(self) -> None:
        """Refuse to go on with a run that somebody deleted under its trainer.

        Raises
        ------
        RunFolderError
            All of it is gone, or all but what came after.
        """
        if not self.config_file.is_file():
            raise RunFolderError(DELETED.format(folder=self.path))

    def request_stop(self) -> None:
        """Ask the trainer to stop after the current step."""
        _touch(self.stop_file)

    def request_pause(self) -> None:
        """Ask the trainer to wait after the current step, until the request is withdrawn."""
        _touch(self.pause_file)

    def pause_requested(self) -> bool:
        """Whether somebody asked the trainer to wait."""
        return self.pause_file.exists()

    def withdraw_pause(self) -> None:
        """Let a waiting trainer go on."""
        _remove(self.pause_file)

    def stop_requested(self) -> bool:
        """Whether somebody asked the trainer to stop."""
        return self.stop_file.exists()

    def withdraw_requests(self) -> None:
        """Forget earlier requests to stop or to wait (a resumed run starts without any)."""
        _remove(self.stop_file)
        self.withdraw_pause()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one trainer.

        Raises
        ------
        RunFolderError
            Naming the process, if another one holds the folder; or the folder may not be written to.
        """
        lock = FileLock(self.lock_file)
        try:
            lock.acquire(timeout=LOCK_PATIENCE, poll_interval=0.02)
        except Timeout as error:
            raise RunFolderError(
                f"Process {self.holder() or 'of another user'} already trains in {self.path}: "
                "wait for it, or ask it to stop."
            ) from error
        except OSError as error:
            raise RunFolderError(sentence_for(error, self.lock_file)) from error
        try:
            with contextlib.suppress(OSError):  # It only serves a sentence, and who wants to kill.
                self._holder_file.write_text(str(os.getpid()), encoding="ascii")
            yield
        finally:
            self._holder_file.unlink(missing_ok=True)
            lock.release()

    def in_use(self) -> bool:
        """Whether a living process holds the folder (a killed one does not)."""
        # Trying the lock would make a folder that is gone again.
        return self.path.is_dir() and is_held(self.lock_file)

    @property
    def _holder_file(self) -> Path:
        # Beside the lock, since a second process that tries the lock truncates it.
        return self.path / "lock.pid"

    def holder(self) -> str:
        """Id of the process that holds the folder, if one does; left over or empty otherwise."""
        try:
            return self._holder_file.read_text(encoding="ascii").strip()
        except OSError:
            return ""


def _touch(path: Path) -> None:
    try:
        path.touch()
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RunFolderError(sentence_for(error, path)) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    RunFolderError
        The file is missing, damaged or holds something else; the sentence names it.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        why = f"{error.msg} in line {error.lineno}"
        raise RunFolderError(DAMAGED.format(path=path, why=why)) from error
    except RecursionError:
        raise RunFolderError(DAMAGED.format(path=path, why="it is nested too deeply")) from None
    if not isinstance(content, dict):
        raise RunFolderError(DAMAGED.format(path=path, why="it holds no JSON object"))
    return content
