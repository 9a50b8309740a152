"""Curves for TensorBoard, from the events that the window reads too. What goes wrong here ends nothing but itself."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from training.events import Event

GROUPS = {
    "loss": "loss/total",
    "loss_labeled": "loss/labeled",
    "loss_unlabeled": "loss/unlabeled",
    "loss_itcl": "loss/itcl",
    "loss_lv": "loss/lv",
    "lr": "schedule/learning_rate",
    "lambda_u": "schedule/lambda_u",
    "ema_decay": "schedule/EMA_decay",
    "mix_accepted": "pseudo-masks/accepted_mixes",
    "confident_fraction": "pseudo-masks/confident_pixels",
    "empty_fraction": "pseudo-masks/empty",
    "steps_per_second": "speed/steps_per_second",
}
SCORES = ("dice_global", "dice_per_image", "iou_global", "iou_per_image")


class TensorBoard:
    """Writes scalars into a folder; a resumed run overwrites what an earlier one told beyond its checkpoint.

    Parameters
    ----------
    folder : Path
        Made with the first number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun_at = 0
        self._writer: Any = None
        self._broken = False

    def take(self, event: Event) -> None:
        """Note the numbers of an event, if it has any."""
        if self._broken:
            return
        try:
            self._take(event)
        except Exception:  # A missing library, a full disk: curves are not worth a round.
            self._broken = True

    def close(self) -> None:
        """Bring the rest to disk."""
        if self._writer is not None:
            with contextlib.suppress(Exception):
                self._writer.close()

    def _take(self, event: Event) -> None:
        kind, step = event["kind"], event.get("step", 0)
        if kind == "started":
            self._begun_at = event.get("resumed_at", 0)
        elif kind == "progress":
            self._add({GROUPS[name]: event[name] for name in GROUPS.keys() & event.keys()}, step)
        elif kind == "evaluation":
            name = f"{event['half']}_half/{event['role']}"
            self._add({f"{name}_{score}": event[score] for score in SCORES}, step)

    def _add(self, values: dict[str, float], step: int) -> None:
        if self._writer is None:
            from tensorboardX import SummaryWriter  # Not before a run trains: it takes a while.

            purge = self._begun_at or None
            self._writer = SummaryWriter(str(self._folder), purge_step=purge, flush_secs=10)
        for name in sorted(values):
            self._writer.add_scalar(name, values[name], step)
