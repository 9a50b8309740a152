"""Projects on both databases: what is asked of the pool holds on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made import incoming
from servers import new_database, running_server

from training.pool import Project
from training.pool.importing import import_cases


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server; tests that ask for it are skipped where there is none to start."""
    with running_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request) -> Callable[[], str | None]:
    """Where a new project keeps its database: None for its folder."""
    if request.param == "sqlite":
        return lambda: None
    url = request.getfixturevalue("server")
    return lambda: new_database(url)


@pytest.fixture
def pool(database_url, tmp_path) -> Project:
    """Two labeled, four unlabeled and two holdout cases, on either database."""
    project = Project.create(tmp_path / "pool", database_url=database_url())
    cases = [incoming(index, labeled=index < 2, size=32) for index in range(6)]
    cases += [
        incoming(6 + index, labeled=True, split=half, size=32)
        for index, half in enumerate(["gate", "report"])
    ]
    assert not import_cases(project, cases).failed
    yield project
    project.close()
