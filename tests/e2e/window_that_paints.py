"""A real window in which a reader makes strokes, smooths, and takes one stroke back; each save of the draft is told.

Run as a program by ``test_kill.py``, which kills it. The brush is napari's own.
"""

from __future__ import annotations

import sys

from napari_semimedref.display import ensure_display

SPOTS = ((3, 30), (30, 60), (60, 30), (45, 60))


def _tell(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(folder: str) -> None:
    ensure_display()
    import napari
    from qtpy.QtCore import QTimer

    from napari_semimedref.app import open_window
    from napari_semimedref.fixed_layers import MASK

    viewer = napari.Viewer(show=False)
    workspace = open_window(viewer).review.workspace
    assert workspace.open_project(folder, "Ada")
    session, layer = workspace.session, viewer.layers[MASK]
    _tell(session.case_id)
    left = list(SPOTS)

    def work() -> None:
        if left:
            layer.paint(left.pop(0), 1)
        elif workspace.editing.to_redo == "":
            workspace.editing.undo()
        elif not session.desk.dirty and session.poll_writing():
            _tell("saved")

    timer = QTimer()
    timer.timeout.connect(work)
    timer.start(50)
    napari.run()


if __name__ == "__main__":
    main(sys.argv[1])
