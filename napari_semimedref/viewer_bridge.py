"""The film, the teacher's proposal and the reader's mask as layers of a napari viewer. With the modules it owns (fixed
layers, lasso, sides, film camera, outlines of zones, readings, explanations) the only one that touches layers. Works on
a `ViewerModel`, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from psygnal import Signal

from napari_semimedref.explanation_layers import ExplanationLayers
from napari_semimedref.film_camera import FilmCamera
from napari_semimedref.fixed_layers import (
    CONTOUR,
    FILLED,
    IMAGE,
    MASK,
    ORDER,
    OUTLINED,
    OVERLAY,
    PROPOSAL,
    make_layer,
    tint,
)
from napari_semimedref.lasso import Lasso
from napari_semimedref.overlays import Color
from napari_semimedref.reading_layers import ReadingLayers
from napari_semimedref.sides import SideMarks
from napari_semimedref.zone_outlines import ZoneOutlines
from training.review import OpenCase

BRUSH_SHARE = 0.05  # of the film's width, when the first film is shown


class ViewerBridge:
    """Fixed layers whose data is swapped from case to case.

    Swapping keeps order, colors and opacities as the reader set them, and leaks nothing. napari's own undo, which knows
    nothing of cases, is not used: what it would do is told instead.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        A window's viewer is one.

    Attributes
    ----------
    explanation : ExplanationLayers
        Empty again whenever another case is shown.
    camera : FilmCamera
    lasso : Lasso
    """

    mask_painted = Signal(object, int)  # mask (H, W) uint8 as it is now, strokes ended: 1 or 0
    undo_wanted = Signal()
    redo_wanted = Signal()
    clicked = Signal(int, int)  # row, column
    mode_changed = Signal(str)
    brush_resized = Signal(int)

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.explanation = ExplanationLayers(viewer, under=MASK)
        self.outlines = ZoneOutlines(viewer)
        self.readings = ReadingLayers(viewer)
        self.lasso = Lasso(viewer)
        self.sides = SideMarks(viewer)
        self.camera = FilmCamera(viewer)
        self._swapping = False
        self._within_stroke = False
        self._shape: tuple[int, ...] = ()

    def show(self, opened: OpenCase | None, mask: np.ndarray | None) -> None:
        """Show a case and its draft ``(H, W) uint8, 0 or 1``; empty the layers for None."""
        self.explanation.clear()
        self.readings.hide()
        if opened is None or mask is None:
            self._clear()
            return
        with self._swap():
            self._layer(IMAGE, opened.image)
            self._overlay(np.zeros(mask.shape, np.float32))
            self._show_proposal(opened)
            self._layer(MASK, mask)
        self._end_stroke()
        self._show_order()
        if self._shape != mask.shape:
            self._frame(mask.shape)

    def show_proposal(self, opened: OpenCase, mask: np.ndarray) -> None:
        """Show a renewed proposal; the mask layer follows the draft if the draft changed with it.

        Parameters
        ----------
        mask : (H, W) uint8, 0 or 1
            The draft.
        """
        with self._swap():
            self._show_proposal(opened)
        shown = self.read_mask()
        if shown is None or not np.array_equal(shown > 0, mask):
            self.show_mask(mask)

    def read_mask(self) -> np.ndarray | None:
        """The painted mask, ``(H, W)``; None while no case is shown."""
        layer = self._found(MASK)
        return None if layer is None or not self._shape else np.asarray(layer.data)

    def show_mask(self, mask: np.ndarray) -> None:
        """Show another draft ``(H, W) uint8, 0 or 1`` of the case; nobody is told."""
        if self._shape == mask.shape:
            with self._swap():
                self._layer(MASK, mask)

    def show_overlay(self, values: np.ndarray | None, color: Color = (1.0, 1.0, 1.0)) -> None:
        """Lay a map ``(H, W) float32 in [0, 1]`` over the film in one color, or none."""
        layer = self._found(OVERLAY)
        if layer is None:
            return
        if values is not None and values.shape == self._shape:
            self._overlay(values)
            layer.colormap = tint(color)
        self.set_visible(OVERLAY, values is not None)

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide one of the layers."""
        layer = self._found(name)
        # napari draws all anew even if it was so.
        if layer is not None and layer.visible != visible:
            layer.visible = visible

    def is_visible(self, name: str) -> bool:
        """Whether one of the layers is there and shown."""
        layer = self._found(name)
        return layer is not None and layer.visible

    def turn_contour(self, name: str) -> None:
        """Show mask or proposal as a contour if it was filled, filled if it was a contour; a hidden one appears."""
        layer = self._found(name)
        if isinstance(layer, Labels):
            filled = layer.contour > 0
            layer.contour = 0 if filled else CONTOUR
            layer.opacity = FILLED if filled else OUTLINED
            layer.visible = True

    # -- tools -------------------------------------------------------------------------------------

    @property
    def brush_size(self) -> int:
        """Diameter of the brush in pixels; 0 before the first case."""
        layer = self._found(MASK)
        return 0 if layer is None else round(layer.brush_size)

    @brush_size.setter
    def brush_size(self, size: int) -> None:
        layer = self._found(MASK)
        if layer is not None and size > 0:
            layer.brush_size = size

    def take_tool(self, mode: str) -> None:
        """Take one of the mask layer's own tools in hand: paint, erase, fill, polygon, pan_zoom; or ``lasso``."""
        layer = self._found(MASK)
        if layer is None or not self._shape:
            return
        if mode == "lasso":
            self.lasso.take(self._shape)
            return
        self.lasso.put_down()
        self.viewer.layers.selection.active = layer
        layer.selected_label = 1
        layer.mode = mode

    # -- layers ------------------------------------------------------------------------------------

    @contextmanager
    def _swap(self) -> Iterator[None]:
        before, self._swapping = self._swapping, True
        try:
            yield
        finally:
            self._swapping = before

    def _found(self, name: str) -> Any:
        layers = self.viewer.layers
        return next((layer for layer in layers if layer.name == name), None)

    def _layer(self, name: str, data: np.ndarray) -> Layer:
        layer = self._found(name)
        if layer is None:  # the first case, or the reader removed it
            layer = self.viewer.add_layer(make_layer(name, data.copy()))
            if name == MASK:
                self._listen(layer)
        elif layer.data.shape == data.shape and layer.data.dtype == data.dtype:
            # Half the time of setting `data`, which looks at the whole viewer's extent anew.
            np.copyto(layer.data, data)
            layer.refresh(extent=False)
        else:
            layer.data = data.copy()
        return layer

    def _overlay(self, values: np.ndarray) -> None:
        layer = self._found(OVERLAY)
        if layer is None or layer.visible or layer.data.shape != values.shape or values.any():
            self._layer(OVERLAY, values.astype(np.float32, copy=False))

    def _listen(self, layer: Any) -> None:
        # The paint event ends a stroke but may come before the pixels change.
        layer.events.paint.connect(lambda _event: self._tell(1))
        layer.events.labels_update.connect(lambda _event: self._tell(0))
        layer.events.set_data.connect(lambda _event: self._tell(0))
        layer.events.mode.connect(lambda _event: self.mode_changed.emit(str(layer.mode)))
        layer.events.brush_size.connect(lambda _event: self.brush_resized.emit(self.brush_size))
        layer.mouse_drag_callbacks.append(self._on_press)
        layer.undo, layer.redo = self.undo_wanted.emit, self.redo_wanted.emit

    def _show_proposal(self, opened: OpenCase) -> None:
        proposal = opened.proposal
        shown = np.zeros(opened.image.shape, np.uint8) if proposal is None else proposal
        self._layer(PROPOSAL, shown).editable = False

    def _end_stroke(self) -> None:
        if self._within_stroke:
            # A stroke begun on the case before must not be taken back in this one: napari drops it with `editable`.
            layer = self._found(MASK)
            mode = layer.mode
            layer.editable = False
            layer.editable = True
            layer.mode = mode
            self._within_stroke = False

    def _show_order(self) -> None:
        layers = self.viewer.layers
        if [layer.name for layer in layers if layer.name in ORDER] != list(ORDER):
            for name in ORDER:
                layers.move(layers.index(name), len(layers))
        layers.selection.active = layers[MASK]

    def _frame(self, shape: tuple[int, ...]) -> None:
        first, self._shape = not self._shape, shape
        self.viewer.reset_view()
        if first:
            self.brush_size = max(2, round(BRUSH_SHARE * shape[1]))
            self._found(MASK).mode = "paint"

    def _clear(self) -> None:
        self._shape = ()
        for name in ORDER:
            layer = self._found(name)
            if layer is not None:
                with self._swap():
                    layer.data = np.zeros_like(layer.data)
        self._end_stroke()

    # -- what the reader does ----------------------------------------------------------------------

    def _tell(self, strokes: int) -> None:
        mask = self.read_mask()
        if not self._swapping and mask is not None:
            self._within_stroke = strokes == 0
            self.mask_painted.emit(mask, strokes)

    def _on_press(self, _layer: Any, event: Any) -> Iterator[None]:
        row, column = (round(value) for value in event.position[-2:])
        yield
        if event.type != "mouse_move":  # a click; anything else is a drag
            self.clicked.emit(row, column)
