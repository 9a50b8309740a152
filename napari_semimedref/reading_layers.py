"""Two readers' masks as contours over the film, while somebody adjudicates. Part of `viewer_bridge`: nothing else may
use it."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_semimedref.fixed_layers import CONTOUR, OUTLINED, outline_quickly

READINGS = ("reading A", "reading B")
READING_COLORS = ((0.95, 0.30, 0.75, 1.0), (0.45, 0.90, 0.25, 1.0))


class ReadingLayers:
    """Two layers, made when they are first wanted and never the active ones: strokes go to the mask."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    def show(self, masks: tuple[np.ndarray, np.ndarray]) -> None:
        """Draw two masks ``(H, W) uint8, 0 or 1``."""
        active = self._viewer.layers.selection.active
        for name, mask, color in zip(READINGS, masks, READING_COLORS, strict=True):
            layer = self._found(name)
            if layer is None:
                colors = DirectLabelColormap(color_dict={None: color, 0: "transparent", 1: color})
                layer = Labels(mask.copy(), name=name, colormap=colors, opacity=OUTLINED)
                layer.contour = CONTOUR
                outline_quickly(layer)
                self._viewer.add_layer(layer)
            else:
                layer.data = mask.copy()
            layer.editable = False
            layer.visible = True
        self._viewer.layers.selection.active = active

    def set_visible(self, which: int, visible: bool) -> None:
        """Show or hide the first (0) or the second (1)."""
        layer = self._found(READINGS[which])
        if layer is not None:
            layer.visible = visible

    def hide(self) -> None:
        """Take both off the film."""
        for which in (0, 1):
            self.set_visible(which, False)

    def _found(self, name: str) -> Labels | None:
        layers = self._viewer.layers
        return next((layer for layer in layers if layer.name == name), None)
