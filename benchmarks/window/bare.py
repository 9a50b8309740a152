"""A bare napari viewer as a program: what mouse events of brush strokes take there. ``bare.py SIDE BRUSH STROKES``

Prints a list of milliseconds as JSON. A process of its own: two napari windows in one do not draw well together.
"""

from __future__ import annotations

import json
import sys

import napari
import numpy as np

from window.hands import Canvas, settle


def main(side: int, brush: int, strokes: int) -> None:
    """Paint on a film of noise."""
    rng = np.random.default_rng(0)
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    viewer.add_image(rng.integers(0, 255, (side, side), dtype=np.uint8))
    layer = viewer.add_labels(np.zeros((side, side), np.uint8))
    viewer.reset_view()
    layer.mode, layer.selected_label, layer.brush_size = "paint", 1, brush
    canvas = Canvas(viewer)
    settle(1.0)
    times = [each for _ in range(strokes) for each in canvas.stroke(rng)]
    sys.stdout.write(json.dumps(times) + "\n")
    viewer.close()


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
