"""Explanation maps as layers of a napari viewer: put up and taken away by `viewer_bridge`, which alone holds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.colormaps import Colormap

DIFFERENCES = {
    "difference_wordless": "with − without words",
    "difference_mirrored": "with − mirrored words",
}
CAM = "cam_"
# The colors of the command's pictures: orange is more, blue is less; nothing is transparent.
MORE, LESS = (1.0, 0.35, 0.0), (0.0, 0.45, 1.0)
OPAQUE = 0.75


class ExplanationLayers:
    """The chosen maps of one explanation, under the mask and over the film.

    Only chosen maps become layers. They have the network's resolution and are scaled to the film, which is quicker
    than enlarging them.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    under : str
        Name of the layer that they are put under.
    """

    def __init__(self, viewer: ViewerModel, under: str) -> None:
        self._viewer = viewer
        self._under = under
        self._maps: dict[str, np.ndarray] = {}
        self._shape: tuple[int, ...] = (1, 1)
        self._layers: dict[str, Layer] = {}

    def show(
        self, maps: Mapping[str, np.ndarray], shape: tuple[int, ...], chosen: Collection[str]
    ) -> None:
        """Show some maps of an explanation in place of the one before.

        Parameters
        ----------
        maps : mapping of str to (S, S) float32
            Differences in [-1, 1], Grad-CAM in [0, 1], by the names of the service's protocol.
        shape : (int, int)
            Of the film.
        chosen : collection of str
            Names of those to show.
        """
        self.clear()
        self._maps, self._shape = dict(maps), shape
        self.choose(chosen)

    def choose(self, chosen: Collection[str]) -> None:
        """Show these maps and no others; the reader's layer stays the active one."""
        for name in [name for name in self._layers if name not in chosen]:
            self._remove(name)
        for name, values in self._maps.items():
            shown = self._layers.get(name)
            if name in chosen and (shown is None or shown not in self._viewer.layers):
                self._add(name, values)

    def clear(self) -> None:
        """Take all maps away and forget them."""
        for name in list(self._layers):
            self._remove(name)
        self._maps.clear()

    def _add(self, name: str, values: np.ndarray) -> None:
        layers = self._viewer.layers
        active = layers.selection.active
        layer = _make(name, values, self._shape)
        places = (place for place, other in enumerate(layers) if other.name == self._under)
        layers.insert(next(places, len(layers)), layer)
        self._layers[name] = layer
        if active is not None:
            layers.selection.active = active

    def _remove(self, name: str) -> None:
        layer = self._layers.pop(name)
        if layer in self._viewer.layers:  # the reader may have removed it
            self._viewer.layers.remove(layer)


def title_of(name: str) -> str:
    """What a map of the service's protocol is called in the window."""
    return DIFFERENCES.get(name) or f"Grad-CAM {name.removeprefix(CAM)}"


def _make(name: str, values: np.ndarray, shape: tuple[int, ...]) -> Image:
    two_sided = name in DIFFERENCES
    scale = [side / own for side, own in zip(shape, values.shape, strict=True)]
    return Image(
        values,
        name=title_of(name),
        colormap=_two_sided() if two_sided else _one_sided(),
        contrast_limits=(-1, 1) if two_sided else (0, 1),
        interpolation2d="linear",
        blending="translucent_no_depth",
        # Corners of the picture fall on corners of the film; napari places the pixels' middles.
        scale=scale,
        translate=[(each - 1) / 2 for each in scale],
    )


def _one_sided() -> Colormap:
    # Opacity grows late: a deep layer answers a little everywhere, and its peaks are what is asked for.
    steps = np.linspace(0, 1, 9, dtype=np.float32)
    colors = np.column_stack([np.outer(np.ones_like(steps), MORE), OPAQUE * steps**3])
    return Colormap(colors.astype(np.float32), controls=steps, name="semimedref more")


def _two_sided() -> Colormap:
    colors = [(*LESS, OPAQUE), (*LESS, 0.0), (*MORE, 0.0), (*MORE, OPAQUE)]
    controls = [0.0, 0.4999, 0.5001, 1.0]
    return Colormap(np.array(colors, np.float32), controls=controls, name="semimedref less or more")
