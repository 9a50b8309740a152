"""Where on the film the reader looks and points. Part of `viewer_bridge`: moves the camera, touches no layer."""

from __future__ import annotations

from napari.components import ViewerModel

VIEW_SHARE = 0.3  # of the canvas that a place looked at takes up
LEAST_VIEW = 16  # pixels; a smaller place is seen with what is around it


class FilmCamera:
    """The camera and the pointer of a viewer."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    @property
    def pointed_at(self) -> tuple[int, int]:
        """Row and column under the pointer; they may lie beyond the film."""
        row, column = self._viewer.cursor.position[-2:]
        return round(row), round(column)

    def look_at(self, box: tuple[int, int, int, int]) -> None:
        """Center a box ``(y0, x0, y1, x1)`` and come so near that it fills a part of the canvas."""
        y0, x0, y1, x1 = box
        side = max(y1 - y0, x1 - x0, LEAST_VIEW)
        camera = self._viewer.scene.camera
        camera.center = ((y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2)
        camera.zoom = VIEW_SHARE * min(self._viewer.canvas.size) / side

    def look_at_all(self) -> None:
        """Show the whole film."""
        self._viewer.reset_view()
