"""The letters R and L at the film's edges: which side of the patient is where, however the camera is turned. Part of
`viewer_bridge`."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay

MARKERS = {"semimedref_left_edge": "top_left", "semimedref_right_edge": "top_right"}
MARKER_POINTS = 22
MARKER_COLOR = "#2f9fd8"  # to be read on a film, on black and on a light theme's white


class SideMarks:
    """Marks on a viewer's canvas that follow its camera; they stay when cases change."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self._show()
        viewer.scene.camera.events.orientation.connect(self._show)
        viewer.dims.events.order.connect(self._show)
        viewer.dims.events.ndisplay.connect(self._show)

    def disconnect(self) -> None:
        """Stop listening to the viewer."""
        for emitter in (
            self.viewer.scene.camera.events.orientation,
            self.viewer.dims.events.order,
            self.viewer.dims.events.ndisplay,
        ):
            emitter.disconnect(self._show)

    def _show(self) -> None:
        overlays = self.viewer.canvas.overlays
        for (name, position), text in zip(MARKERS.items(), self._sides(), strict=True):
            if name not in overlays:
                overlays[name] = TextOverlay(
                    position=position, font_size=MARKER_POINTS, color=MARKER_COLOR, box=False
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
