"""The command `napari-semimedref` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_semimedref import app, display
from napari_semimedref.app import demo_project
from napari_semimedref.display import DisplayError, ensure_display
from training.pool.images import read_image


def run(*arguments: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "napari_semimedref.app", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.window
def test_a_screenshot_of_a_project_is_saved_and_the_program_ends(taught_project, tmp_path):
    picture = tmp_path / "window.png"
    done = run(taught_project.folder, "--reader", "Ada", "--screenshot", picture)
    assert done.returncode == 0, done.stderr
    pixels = read_image(picture)
    assert min(pixels.shape) > 400
    assert pixels.std() > 0.05


@pytest.mark.window
def test_a_folder_that_is_no_project_ends_with_a_sentence(tmp_path):
    done = run(tmp_path / "nothing")
    assert done.returncode == 1
    assert "holds no project" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_is_made_once_and_then_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "DEMO_CASES", 12)
    folder = tmp_path / "demo"
    assert demo_project(folder) == folder
    before = (folder / "project.sqlite").stat().st_mtime_ns
    assert demo_project(folder) == folder
    assert (folder / "project.sqlite").stat().st_mtime_ns == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="virtual displays are Linux's")
def test_without_any_display_the_way_out_is_said(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(display.shutil, "which", lambda _name: None)
    with pytest.raises(DisplayError, match="xvfb"):
        ensure_display()
    assert "DISPLAY" not in os.environ
