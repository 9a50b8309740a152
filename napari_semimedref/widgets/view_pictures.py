"""What the views dock paints and writes: films with masks and blocks, changed words, the gate's word. No requests."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from napari_semimedref.fixed_layers import MASK_COLOR, PROPOSAL_COLOR

REFUSED_COLOR = (0.95, 0.25, 0.25)
DASH, HATCH = 3, 6  # pixels


def gray(image: np.ndarray) -> np.ndarray:
    """A film ``(H, W) float in [0, 1]`` as ``(H, W, 3) uint8``."""
    values = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.repeat(values[..., None], 3, axis=2)


def with_target(
    image: np.ndarray,
    mask: np.ndarray,
    taken: np.ndarray | None = None,
    tried: np.ndarray | None = None,
) -> np.ndarray:
    """A film with what is to be learned of it, and where another film came in.

    Parameters
    ----------
    image : (H, W) float in [0, 1]
    mask : (H, W) uint8, 0 or 1
    taken : (H, W) uint8, 0 or 1, or None
        Pixels of another film: drawn with a firm line.
    tried : (H, W) uint8, 0 or 1, or None
        Pixels that a try chose; those that were refused are hatched, with a broken line in another color.

    Returns
    -------
    (H, W, 3) uint8
    """
    picture = gray(image).astype(np.float32)
    inside = mask > 0
    picture[inside] = 0.55 * picture[inside] + 0.45 * _color(MASK_COLOR)
    taken = np.zeros(mask.shape, bool) if taken is None else taken > 0
    if tried is not None:
        refused = (tried > 0) & ~taken
        rows, columns = np.indices(mask.shape)
        picture[refused & ((rows + columns) % HATCH == 0)] = 0.7 * _color(REFUSED_COLOR)
        broken = ((rows + columns) // DASH) % 2 == 0
        picture[edges(refused) & broken] = _color(REFUSED_COLOR)
    picture[edges(taken)] = _color(PROPOSAL_COLOR)
    return picture.astype(np.uint8)


def edges(region: np.ndarray) -> np.ndarray:
    """The outermost pixels of a region ``(H, W) bool``."""
    inner = region.copy()
    for axis in (0, 1):
        inner &= np.roll(region, 1, axis) & np.roll(region, -1, axis)
    outer: np.ndarray = region & ~inner
    return outer


def gate_in_words(gate: Mapping[str, Any]) -> str:
    """What the gate measured, what it asks for, and what became of the try."""
    if not gate:
        return ""
    value, accepted = gate.get("value"), gate.get("accepted")
    said = "accepted" if accepted else "refused"
    parts = [
        f"Patch {said}: the gate asks nothing here."
        if value is None
        else f"Patch {said}: gate {value:.2f}, at least {gate['threshold']:.2f} needed."
    ]
    parts.append(str(gate.get("sentence", "")))
    if not gate.get("tried_in_training", True):
        parts.append("By its chance, a run makes no try at this epoch.")
    return " ".join(parts)


def words_of(original: str, fields: Mapping[str, Any]) -> str:
    """The texts of an answer, and what was drawn, as rich text."""
    texts = fields.get("texts", {})
    posaug, mixed = marked(original, texts.get("posaug", "")), escape(texts.get("mixed", ""))
    draws = escape(" ".join(fields.get("words", ())))
    read = "".join(
        f"<p><b>{title}:</b> {marked(original, texts[name])}</p>"
        for name, title in (("student", "The student reads"), ("labeled", "As a labeled film"))
        if name in texts
    )
    return (
        f"<p><b>PosAug:</b> {posaug}</p><p><b>Mix:</b> {mixed}</p>{read}"
        f"<p style='color:#969ba5'>{draws}</p>"
    )


def marked(before: str, after: str) -> str:
    """The new words as rich text, those that were not in the old ones in color."""
    known = {word.strip(".,;").lower() for word in before.split()}
    words = [
        escape(word)
        if word.strip(".,;").lower() in known
        else f'<span style="color:#ff9e1c">{escape(word)}</span>'
        for word in after.split()
    ]
    return " ".join(words)


def _color(color: Any) -> np.ndarray:
    return 255 * np.array(color[:3], np.float32)
