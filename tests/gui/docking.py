"""A dock in a test's hands: the small service and round in the engine's place, and how long a test waits for them."""

from __future__ import annotations

import sys
from pathlib import Path

from napari_semimedref.engine_client import EngineClient
from napari_semimedref.run_monitor import RunMonitor

HERE = Path(__file__).parent


def use_small_processes(workspace):
    """Put the tests' service and round in the engine's place."""
    folder = workspace.session.project.folder
    service = [sys.executable, str(HERE / "small_service.py"), str(folder)]
    workspace.engine = EngineClient(service, folder / "service.log")
    command = (sys.executable, str(HERE / "small_round.py"))
    workspace.monitor = RunMonitor(workspace.session.project, command)


def docked(qtbot, kind, workspace):
    """A dock of a workspace, that ends with the test."""
    dock = kind(workspace)
    qtbot.addWidget(dock)
    return dock
