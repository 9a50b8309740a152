"""A real window in which a reader paints and accepts without pause; each acceptance is told on standard output.

Run as a program by ``test_kill.py``, which kills it. The reader is a timer that calls what the keys call.
"""

from __future__ import annotations

import sys

import numpy as np

from napari_semimedref.display import ensure_display


def _tell(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(folder: str) -> None:
    ensure_display()
    import napari
    from qtpy.QtCore import QTimer

    from napari_semimedref.app import open_window

    viewer = napari.Viewer(show=False)
    workspace = open_window(viewer).review.workspace
    assert workspace.open_project(folder, "Ada")
    session = workspace.session
    session.accepted.connect(lambda revision: _tell(f"{revision.id} {revision.case_id}"))
    rng = np.random.default_rng()

    def work() -> None:
        if session.current is None:
            session.plan()
            session.open(session.project.cases("labeled")[0].id)
        shape = session.mask.shape
        session.edit_mask((rng.random(shape) < 0.3).astype(np.uint8))
        session.edit_description(f"Words number {rng.integers(1 << 30)}.")
        if rng.random() < 0.5:
            workspace.ask_for_proposal()
        if rng.random() < 0.7:
            workspace.accept()
        else:
            session.autosave()

    timer = QTimer()
    timer.timeout.connect(work)
    timer.start(15)
    _tell("at work")
    napari.run()


if __name__ == "__main__":
    main(sys.argv[1])
