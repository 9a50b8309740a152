"""The reader's preferences. napari keeps them and shows them in its Preferences; the manifest says what there is."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any

from napari.settings import get_plugin_settings

from napari_semimedref.fixed_layers import MASK
from napari_semimedref.viewer_bridge import ViewerBridge
from training.active_time import IDLE_SECONDS

PLUGIN = "napari-semimedref"


@dataclass(frozen=True)
class Preferences:
    """What a reader prefers; the defaults hold where napari does not know the plugin.

    Attributes
    ----------
    reader : str
        Name that revisions are kept under.
    idle_seconds : float
        Longer pauses than this do not count as work.
    brush_size : int
        Diameter in pixels with which the brush begins; 0 for a share of the film.
    mask_outlined : bool
        Whether the mask begins as a contour instead of filled.
    threads : int
        CPU threads of the engine service.
    tour_shown : bool
        Whether the tour of the window was finished or skipped.
    """

    reader: str = "reader"
    idle_seconds: float = IDLE_SECONDS
    brush_size: int = 0
    mask_outlined: bool = False
    threads: int = 1
    tour_shown: bool = False


def preferences() -> Preferences:
    """The preferences as they are now; the reader's name is the login name where none is given."""
    kept = _kept()
    if kept is None:
        return Preferences(reader=_login_name())
    return Preferences(
        reader=kept.reading.reader.strip() or _login_name(),
        idle_seconds=float(kept.reading.idle_seconds),
        brush_size=kept.mask.brush_size,
        mask_outlined=kept.mask.look == "contour",
        threads=kept.service.threads,
        tour_shown=kept.tour.shown,
    )


def note_tour_shown(shown: bool = True) -> None:
    """Remember that the tour need not be offered again."""
    kept = _kept()
    if kept is not None:
        kept.tour.shown = shown  # napari writes it to disk


def prepare(bridge: ViewerBridge, wanted: Preferences) -> None:
    """Give brush and mask the looks they begin with; to be called when the first film is shown."""
    if wanted.brush_size:
        bridge.brush_size = wanted.brush_size
    if wanted.mask_outlined:
        bridge.turn_contour(MASK)


def _kept() -> Any:
    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:  # napari runs without this plugin's manifest
        return None


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reader"
