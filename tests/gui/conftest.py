"""A display for the window's tests, and small projects with a made-up teacher."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from docking import use_small_processes
from made import small_project
from napari.components import ViewerModel
from teachers import probability, promote

from napari_semimedref.display import DisplayError, ensure_display
from napari_semimedref.session import ReviewSession
from napari_semimedref.workspace import Workspace
from training.pool import Project

os.environ.setdefault("NAPARI_CONFIG", "")  # neither read nor write the user's settings

if "PYTEST_XDIST_WORKER" in os.environ and shutil.which("Xvfb"):
    # Keys go to the active window: files that run side by side need a screen each.
    os.environ.pop("DISPLAY", None)

try:
    ensure_display()  # before the first QApplication
    NO_DISPLAY = ""
except DisplayError as error:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    NO_DISPLAY = str(error)


def pytest_collection_modifyitems(items):
    if NO_DISPLAY:
        for item in items:
            if item.get_closest_marker("window"):
                item.add_marker(pytest.mark.skip(reason=NO_DISPLAY))


@pytest.fixture
def project(tmp_path: Path):
    """Four labeled, six unlabeled, no holdout; nobody teaches yet."""
    made = small_project(tmp_path / "project", holdout=0)
    yield made
    made.close()


@pytest.fixture
def taught_project(project: Project) -> Project:
    """The project with a teacher that proposes the spot on the left everywhere."""
    promote(project, "first-teacher", probability())
    return project


@pytest.fixture
def session(taught_project: Project):
    """A session with its queue planned and no case open."""
    made = ReviewSession(taught_project, "Ada", rng=np.random.default_rng(0))
    made.plan()
    yield made
    made.close()


@pytest.fixture
def space(qtbot, taught_project: Project):
    """A workspace over the taught project, with the small service and round in the engine's place."""
    workspace = Workspace(ViewerModel())
    assert workspace.open_project(taught_project.folder, "Ada")
    use_small_processes(workspace)
    yield workspace
    workspace.close_project()
