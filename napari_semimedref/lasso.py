"""A line drawn freely around a part of the film, in a layer of its own that is empty again once the line is closed.
Part of `viewer_bridge`; what the line is for is the matter of `editing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes
from psygnal import Signal

LASSO = "lasso"
LINE_SHARE = 0.004  # of the film's longer side
LEFT_BUTTON = 1
LINE_COLOR = "#ffe14d"


class Lasso:
    """The lasso layer of a viewer; made when it is first needed, hidden while another tool is in hand.

    Press, draw, let go. napari's own lasso tool is not used: it thins the line out, refuses small ones, and cannot be
    emptied from within the event that tells of the line's end.
    """

    drawn = Signal(object)  # corners, (N, 2) float64: rows and columns

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer

    @property
    def layer(self) -> Shapes | None:
        """The layer; None before the first lasso, or if the reader removed it."""
        return next((layer for layer in self.viewer.layers if layer.name == LASSO), None)

    def take(self, shape: tuple[int, ...]) -> None:
        """Take the lasso in hand, for a film of a shape ``(H, W)``."""
        layer = self.layer
        if layer is None:
            layer = Shapes(ndim=2, name=LASSO, face_color="transparent", edge_color=LINE_COLOR)
            self.viewer.add_layer(layer)
            layer.mouse_drag_callbacks.append(self._on_drag)
        layer.current_edge_width = max(0.5, LINE_SHARE * max(shape))
        layer.visible = True
        self.viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        layer.mouse_pan = False  # dragging draws
        layer.cursor = "cross"

    def put_down(self) -> None:
        """Hide the lasso."""
        layer = self.layer
        if layer is not None:
            layer.visible = False

    def _on_drag(self, layer: Shapes, event: Any) -> Iterator[None]:
        if layer.mouse_pan or event.button != LEFT_BUTTON:
            return
        line = [event.position[-2:]]
        yield
        while event.type == "mouse_move":
            line.append(event.position[-2:])
            layer.data = [(np.array(line), "path")]
            yield
        layer.data = []
        if len(line) > 2:
            self.drawn.emit(np.array(line, np.float64))
