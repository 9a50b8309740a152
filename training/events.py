"""What a trainer says and how a reader follows it: writer, tail and folded status. One file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from training.errors import RunFolderError
from training.files import sentence_for

State = Literal["waiting", "running", "paused", "finished", "stopped", "failed"]
Event = dict[str, Any]


class EventWriter:
    """Appends events to a file, one flushed JSON line a call.

    Parameters
    ----------
    path : Path
        `events.jsonl` of the run folder; an existing file is continued.
    clock : callable
        Returns the time in seconds since the epoch.
    also : callable
        Told each event once it is written.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] | None = None,
        also: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._path = path
        self._clock = clock or time.time
        self._also = also
        self._heal_torn_line()

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event; numbers that are not finite are left out.

        Raises
        ------
        RunFolderError
            If the file cannot be written (a full disk, say).
        """
        event = {"time": round(self._clock(), 3), "kind": kind}
        event.update({name: value for name, value in fields.items() if _tellable(value)})
        self._append(json.dumps(event) + "\n")
        self._also(event)

    def _append(self, line: str) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise RunFolderError(sentence_for(error, self._path)) from error

    def _heal_torn_line(self) -> None:
        # A killed trainer may leave half a line; the resumed one must not glue its own to it.
        if self._path.exists():
            content = self._path.read_bytes()
            if content and not content.endswith(b"\n"):
                self._append("\n")


class EventTail:
    """Reads the events that were added since the last call.

    Parameters
    ----------
    path : Path
        `events.jsonl`; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read_new(self) -> list[Event]:
        """Complete new events in order; a half-written last line waits, a damaged line is skipped.

        Raises
        ------
        RunFolderError
            The file is there but cannot be read; a missing one has no events.
        """
        try:
            with self._path.open("rb") as stream:
                if stream.seek(0, 2) < self._offset:
                    self._offset = 0  # The file was replaced by a shorter one.
                stream.seek(self._offset)
                content = stream.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunFolderError(sentence_for(error, self._path)) from error
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        events = (_parse(line) for line in complete.splitlines())
        return [event for event in events if event is not None]


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of one role on one half of the holdout; Dice and IoU in [0, 1]."""

    step: int
    half: str
    role: str
    dice_global: float
    dice_per_image: float
    iou_global: float
    iou_per_image: float


@dataclass(frozen=True)
class RunStatus:
    """What is known of a run, folded from its events.

    Attributes
    ----------
    progress : Mapping
        Fields of the latest ``progress`` event (loss, lr, steps_per_second, ...).
    sentence : str
        The state in words for a reader.
    """

    state: State = "waiting"
    phase: str = ""
    step: int = 0
    steps_planned: int = 0
    seconds_left: float | None = None
    device: str = ""
    pid: int | None = None
    labeled: int = 0
    unlabeled: int = 0
    resumed_at: int = 0
    last_event_time: float = 0.0
    predictions_done: int = 0
    predictions_total: int = 0
    progress: Mapping[str, float] = field(default_factory=dict)
    evaluations: tuple[Evaluation, ...] = ()
    warnings: tuple[str, ...] = ()
    sentence: str = "Waiting for the trainer."


def fold(status: RunStatus, event: Event) -> RunStatus:
    """The status after one more event; unknown kinds and fields change nothing but the time."""
    change = _FOLDS.get(event.get("kind", ""))
    status = replace(status, last_event_time=float(event.get("time", status.last_event_time)))
    if change is None:
        return status
    try:
        return change(status, event)
    except (KeyError, TypeError, ValueError):
        return status  # A field is missing or odd: an event of another version.


def _started(status: RunStatus, event: Event) -> RunStatus:
    return replace(
        status,
        state="running",
        pid=int(event["pid"]),
        device=str(event["device"]),
        steps_planned=int(event["steps_planned"]),
        labeled=int(event.get("labeled", 0)),
        unlabeled=int(event.get("unlabeled", 0)),
        resumed_at=int(event.get("resumed_at", 0)),
        step=int(event.get("resumed_at", 0)),
        sentence="Starting.",
    )


def _phase(status: RunStatus, event: Event) -> RunStatus:
    name = str(event["name"])
    return replace(status, phase=name, sentence=f"{name.capitalize()}.")


def _progress(status: RunStatus, event: Event) -> RunStatus:
    numbers = {
        name: float(value)
        for name, value in event.items()
        if isinstance(value, (int, float)) and name not in ("time", "step")
    }
    step = int(event["step"])
    left = numbers.get("seconds_left")
    sentence = f"{status.phase.capitalize()}: step {step} of {status.steps_planned}."
    return replace(status, step=step, progress=numbers, seconds_left=left, sentence=sentence)


def _evaluation(status: RunStatus, event: Event) -> RunStatus:
    names = ("dice_global", "dice_per_image", "iou_global", "iou_per_image")
    evaluation = Evaluation(
        int(event["step"]),
        str(event["half"]),
        str(event["role"]),
        *(float(event[n]) for n in names),
    )
    return replace(status, evaluations=(*status.evaluations, evaluation))


def _predictions(status: RunStatus, event: Event) -> RunStatus:
    done, total = int(event["done"]), int(event["total"])
    sentence = f"Predicting: {done} of {total}."
    return replace(status, predictions_done=done, predictions_total=total, sentence=sentence)


def _warning(status: RunStatus, event: Event) -> RunStatus:
    return replace(status, warnings=(*status.warnings, str(event["sentence"])))


def _paused(status: RunStatus, event: Event) -> RunStatus:
    step = int(event["step"])
    sentence = f"Paused at step {step} of {status.steps_planned}: continue it when you like."
    return replace(status, state="paused", step=step, sentence=sentence)


def _continued(status: RunStatus, event: Event) -> RunStatus:
    return replace(status, state="running", sentence=f"Going on from step {int(event['step'])}.")


def _finished(status: RunStatus, event: Event) -> RunStatus:
    minutes = float(event.get("seconds", 0.0)) / 60
    sentence = f"Finished after {minutes:.1f} min."
    return replace(status, state="finished", seconds_left=0.0, sentence=sentence)


def _stopped(status: RunStatus, event: Event) -> RunStatus:
    step = int(event["step"])
    sentence = f"Stopped at step {step}; it can be resumed."
    return replace(status, state="stopped", step=step, seconds_left=None, sentence=sentence)


def _failed(status: RunStatus, event: Event) -> RunStatus:
    return replace(status, state="failed", seconds_left=None, sentence=str(event["sentence"]))


_FOLDS: dict[str, Callable[[RunStatus, Event], RunStatus]] = {
    "started": _started,
    "phase": _phase,
    "progress": _progress,
    "evaluation": _evaluation,
    "predictions": _predictions,
    "warning": _warning,
    "paused": _paused,
    "continued": _continued,
    "finished": _finished,
    "stopped": _stopped,
    "failed": _failed,
}


def _tellable(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event, dict) else None
