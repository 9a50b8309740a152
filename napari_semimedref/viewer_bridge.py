"""The film, the teacher's proposal and the reader's mask as layers of a napari viewer. The only module that touches
layers, but for explanations and outlines of zones, which it owns. Works on a `ViewerModel`, without a window."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal

from napari_semimedref.explanation_layers import ExplanationLayers
from napari_semimedref.zone_outlines import ZoneOutlines
from training.review import OpenCase

IMAGE, PROPOSAL, UNCERTAINTY, MASK = "film", "proposal", "uncertainty", "mask"
ORDER = (IMAGE, UNCERTAINTY, MASK, PROPOSAL)
MASK_COLOR = (1.0, 0.62, 0.11, 1.0)
PROPOSAL_COLOR = (0.25, 0.85, 1.0, 1.0)
MARKERS = {"semimedref_left_edge": "top_left", "semimedref_right_edge": "top_right"}
MARKER_POINTS = 22
MARKER_COLOR = "#2f9fd8"  # to be read on a film, on black and on a light theme's white
BRUSH_SHARE = 0.05  # of the film's width, when the first film is shown


class ViewerBridge:
    """Fixed layers whose data is swapped from case to case.

    Swapping keeps order, colors and opacities as the reader set them, and leaks nothing; the mask's undo history is
    emptied at each swap, or undo would write into the next case.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        A window's viewer is one.

    Attributes
    ----------
    explanation : ExplanationLayers
        Empty again whenever another case is shown.
    """

    mask_painted = Signal(
        object, int
    )  # the mask (H, W) uint8 as it is now, and strokes ended: 1 or 0

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.explanation = ExplanationLayers(viewer, under=MASK)
        self.outlines = ZoneOutlines(viewer)
        self._swapping = False
        self._probability: np.ndarray | None = None
        self._shape: tuple[int, ...] = ()
        self._mark_sides()
        viewer.scene.camera.events.orientation.connect(self._mark_sides)
        viewer.dims.events.order.connect(self._mark_sides)
        viewer.dims.events.ndisplay.connect(self._mark_sides)

    def show(self, opened: OpenCase | None, mask: np.ndarray | None) -> None:
        """Show a case and its draft ``(H, W) uint8, 0 or 1``; empty the layers for None."""
        self.explanation.clear()
        if opened is None or mask is None:
            self._clear()
            return
        with self._swap():
            self._layer(IMAGE, opened.image)
            self._show_proposal(opened)
            self._layer(MASK, mask)
        self._forget_undo()
        self._show_order()
        if self._shape != mask.shape:
            self._frame(mask.shape)

    def show_proposal(self, opened: OpenCase, mask: np.ndarray) -> None:
        """Show a renewed proposal; the mask layer follows the draft if the draft changed with it."""
        with self._swap():
            self._show_proposal(opened)
            shown = self.read_mask()
            follows = shown is None or not np.array_equal(shown, mask)
            if follows:
                self._layer(MASK, mask)
        if follows:
            self._forget_undo()

    def read_mask(self) -> np.ndarray | None:
        """The painted mask, ``(H, W)``; None while no case is shown."""
        layer = self._found(MASK)
        return None if layer is None or not self._shape else np.asarray(layer.data)

    def replace_mask(self, mask: np.ndarray) -> None:
        """Paint a whole mask ``(H, W) uint8, 0 or 1``; the reader can undo it."""
        layer = self._found(MASK)
        if layer is not None and self._shape == mask.shape:
            changed = np.nonzero(layer.data != mask)
            layer.data_setitem(changed, mask[changed])

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide one of the layers."""
        layer = self._found(name)
        if layer is not None:
            layer.visible = visible

    def disconnect(self) -> None:
        """Stop listening to the viewer."""
        for emitter in (
            self.viewer.scene.camera.events.orientation,
            self.viewer.dims.events.order,
            self.viewer.dims.events.ndisplay,
        ):
            emitter.disconnect(self._mark_sides)

    # -- layers ------------------------------------------------------------------------------------

    @contextmanager
    def _swap(self):
        before, self._swapping = self._swapping, True
        try:
            yield
        finally:
            self._swapping = before

    def _found(self, name: str) -> Layer | None:
        layers = self.viewer.layers
        return next((layer for layer in layers if layer.name == name), None)

    def _layer(self, name: str, data: np.ndarray) -> Layer:
        layer = self._found(name)
        if layer is None:  # the first case, or the reader removed it
            layer = self.viewer.add_layer(_make(name, data.copy()))
            self._listen(layer)
        elif layer.data.shape == data.shape and layer.data.dtype == data.dtype:
            # Half the time of setting `data`, which looks at the whole viewer's extent anew.
            np.copyto(layer.data, data)
            layer.refresh(extent=False)
        else:
            layer.data = data.copy()
        return layer

    def _listen(self, layer: Layer) -> None:
        if layer.name == MASK:
            # The paint event ends a stroke but may come before the pixels change; undo and redo emit none.
            layer.events.paint.connect(self._on_paint)
            layer.events.labels_update.connect(self._on_refresh)
            layer.events.set_data.connect(self._on_refresh)
        if layer.name == UNCERTAINTY:
            layer.events.visible.connect(self._show_uncertainty)

    def _show_proposal(self, opened: OpenCase) -> None:
        shape = opened.image.shape
        self._probability = opened.probability
        uncertainty = self._found(UNCERTAINTY)
        if uncertainty is None or uncertainty.data.shape != shape:
            self._layer(UNCERTAINTY, np.zeros(shape, np.float32))
        self._show_uncertainty()
        proposal = opened.proposal
        layer = self._layer(PROPOSAL, np.zeros(shape, np.uint8) if proposal is None else proposal)
        layer.editable = False

    def _show_uncertainty(self) -> None:
        layer = self._found(UNCERTAINTY)
        if layer is None or not layer.visible or not layer.data.size:
            return
        said = self._probability
        if said is None or said.shape != layer.data.shape:
            said = np.zeros_like(layer.data)
        self._layer(UNCERTAINTY, entropy_of(said))

    def _forget_undo(self) -> None:
        layer = self.viewer.layers[MASK]
        reset = getattr(layer, "_reset_history", None)
        if reset is not None:
            reset()
            return
        # The public way, slower: the history is emptied when `editable` turns False, and the mode with it.
        mode = layer.mode
        layer.editable = False
        layer.editable = True
        layer.mode = mode

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
            layer = self.viewer.layers[MASK]
            layer.brush_size = max(2, round(BRUSH_SHARE * shape[1]))
            layer.mode = "paint"

    def _clear(self) -> None:
        self._shape = ()
        self._probability = None
        for name in ORDER:
            layer = self._found(name)
            if layer is not None:
                with self._swap():
                    layer.data = np.zeros_like(layer.data)
        if self._found(MASK) is not None:
            self._forget_undo()

    # -- what the reader does ----------------------------------------------------------------------

    def _on_paint(self) -> None:
        self._tell(1)

    def _on_refresh(self) -> None:
        self._tell(0)

    def _tell(self, strokes: int) -> None:
        mask = self.read_mask()
        if not self._swapping and mask is not None:
            self.mask_painted.emit(mask, strokes)

    # -- sides -------------------------------------------------------------------------------------

    def _mark_sides(self) -> None:
        overlays = self.viewer.canvas.overlays
        for (name, position), text in zip(MARKERS.items(), self._sides(), strict=True):
            if name not in overlays:
                overlays[name] = TextOverlay(
                    position=position, font_size=MARKER_POINTS, color=MARKER_COLOR
                )
            overlays[name].text = text
            overlays[name].visible = True

    def _sides(self) -> tuple[str, str]:
        """Letters of the patient's sides at the canvas's left and right edge.

        Films are kept as they are hung: the patient's right is at the picture's left.
        """
        if self.viewer.dims.ndisplay != 2 or tuple(self.viewer.dims.order[-2:]) != (0, 1):
            return "R ?", "L ?"  # turned or transposed: neither edge is a side of the patient
        flipped = str(self.viewer.scene.camera.orientation2d[1]) == "left"
        return ("L", "R") if flipped else ("R", "L")


def entropy_of(probability: np.ndarray) -> np.ndarray:
    """Binary entropy in bits, ``float32 in [0, 1]``, of probabilities ``float32 in [0, 1]``."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return (-(p * np.log2(p) + (1 - p) * np.log2(1 - p))).astype(np.float32)


def _make(name: str, data: np.ndarray) -> Layer:
    if name == IMAGE:
        return Image(
            data, name=name, colormap="gray", contrast_limits=(0, 1), interpolation2d="linear"
        )
    if name == UNCERTAINTY:
        limits = {"colormap": "magma", "contrast_limits": (0, 1)}
        return Image(data, name=name, blending="additive", opacity=0.7, visible=False, **limits)
    color = MASK_COLOR if name == MASK else PROPOSAL_COLOR
    colormap = DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", 1: color})
    layer = Labels(data, name=name, colormap=colormap, opacity=0.35 if name == MASK else 0.9)
    layer.contour = 0 if name == MASK else 2
    return layer
