"""One Qt binding for all tests, chosen before anything imports Qt; time for the slow ones; properties that are tried on
the same examples each time, and on new ones where `EXPLORE=1` asks for them (`make test-slow` does)."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("the same", derandomize=True)
settings.load_profile("default" if os.environ.get("EXPLORE") else "the same")
os.environ.setdefault("QT_API", "pyqt6")
os.environ.setdefault("PYTEST_QT_API", "pyqt6")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1800))
