"""What travels between the steps of mixing: films with their keys and words, and what the student gets. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from training.engine.apart import NOBODY, Apart
from training.engine.mixing import PatchPlan, SideDraw
from training.engine.streams import Key
from training.engine.zone_bands import CHEST
from training.report.zones import Bands


@dataclass(frozen=True)
class Films:
    """Cases of one step.

    Attributes
    ----------
    keys : tuple of Key
        Run, case and epoch of each.
    images : (B, 1, H, W) float in [0, 1]
    masks : (B, 1, H, W) float, or None
        Reference masks; for unlabeled films None.
    texts : tuple of str
        Descriptions.
    apart : frozenset of pairs
        Cases that are never mixed with each other.
    bands : Bands
        Where the zones lie in films of this data set, before any view.
    known : (B, 1, H, W) float, or None
        The masks once more in the host's memory, where ``masks`` lie on a device: whoever plans by them need not wait.
    """

    keys: tuple[Key, ...]
    images: Tensor
    masks: Tensor | None
    texts: tuple[str, ...]
    apart: Apart = NOBODY
    bands: Bands = CHEST
    known: Tensor | None = None


@dataclass(frozen=True)
class StudentFilms:
    """What the student learns from.

    Attributes
    ----------
    images : (B, 1, H, W) float in [0, 1]
        Not yet z-scored.
    targets : (B, 1, H, W) float in [0, 1]
        Masks or mixed probabilities.
    texts, full_texts : tuple of str
        Words as the student reads them, and the same before positions were hidden.
    plans : tuple of PatchPlan
        What T-PatchMix did.
    sides : tuple of SideDraw
        Which half came from another film in the latest mixing of sides.
    sources : tuple of frozenset of str
        Ids of the cases whose pixels each film holds; empty where nobody keeps account.
    mirrored : tuple of bool
        Which films SPC mirrored; empty where it mirrors none.
    """

    images: Tensor
    targets: Tensor
    texts: tuple[str, ...]
    full_texts: tuple[str, ...]
    plans: tuple[PatchPlan, ...] = ()
    sides: tuple[SideDraw, ...] = ()
    sources: tuple[frozenset[str], ...] = ()
    mirrored: tuple[bool, ...] = ()
