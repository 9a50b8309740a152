"""The six zones drawn faintly on the film. Part of `viewer_bridge`: nothing else may use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes

ZONES_LAYER = "zones"
LINE = (0.35, 0.75, 0.92, 0.45)  # red, green, blue, alpha
NAMED = (0.35, 0.75, 0.92, 0.10)
EMPTY = (0.0, 0.0, 0.0, 0.0)
LINE_SHARE = 0.002  # of the film's height
TEXT_DOWN, TEXT_IN = 0.03, 0.008  # of the height: words stand inside their box
Box = tuple[int, int, int, int]


class ZoneOutlines:
    """A layer of six boxes, made when it is first wanted and never the active one: strokes go to the mask."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._boxes: dict[str, Box] = {}

    def show(
        self, boxes: Mapping[str, Box], named: Iterable[str], words: Mapping[str, str]
    ) -> None:
        """Draw the zones.

        Parameters
        ----------
        boxes : mapping of zone to (y0, x0, y1, x1)
            In pixels of the film (see `training.report.zone_boxes`).
        named : iterable of str
            Zones that the description names: they are tinted.
        words : mapping of zone to str
            What is written into each box.
        """
        active = self._viewer.layers.selection.active
        layer = self._found()
        colors = np.array([NAMED if zone in frozenset(named) else EMPTY for zone in boxes])
        if layer is None:
            layer = self._make(boxes, words)
        elif self._boxes != dict(boxes):
            layer.data = [_corners(box) for box in boxes.values()]
        self._boxes = dict(boxes)
        if not np.allclose(layer.face_color, colors):
            layer.face_color = colors
        layer.visible = True
        if self._viewer.layers.selection.active is not active:
            self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Take them off the film."""
        layer = self._found()
        if layer is not None:
            layer.visible = False

    def _found(self) -> Shapes | None:
        layers = self._viewer.layers
        return next((layer for layer in layers if layer.name == ZONES_LAYER), None)

    def _make(self, boxes: Mapping[str, Box], words: Mapping[str, str]) -> Shapes:
        height = max(box[2] for box in boxes.values())
        layer = Shapes(
            [_corners(box) for box in boxes.values()],
            shape_type="rectangle",
            name=ZONES_LAYER,
            edge_color=np.tile(LINE, (len(boxes), 1)),
            face_color=np.tile(EMPTY, (len(boxes), 1)),
            edge_width=max(1.0, LINE_SHARE * height),
            opacity=1.0,
            text={
                "string": [words[zone] for zone in boxes],
                "anchor": "upper_left",
                "size": 8,
                "translation": np.array([TEXT_DOWN * height, TEXT_IN * height]),
                "color": np.array(LINE),
            },
        )
        self._viewer.add_layer(layer)
        layer.editable = False
        return layer


def _corners(box: Box) -> np.ndarray:
    y0, x0, y1, x1 = box
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]], dtype=np.float32)
