"""A PostgreSQL server of the tests' own, on a free port in a temporary folder, as a user without privileges."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, the newest where there are several."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2])
    )
    return folders[-1] if folders else None


def _user() -> int | None:
    """PostgreSQL refuses root: another user to run it as; None where this one will do."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses to run as root, and there is no other user to run it as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_server() -> Iterator[str]:
    """The URL of a running server, without a database's name; it is gone afterwards."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra: postgres)")
    user, port = _user(), _free_port()
    folder = Path(tempfile.mkdtemp(prefix="semimedref-postgres-"))
    if user is not None:
        os.chown(folder, user, -1)

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(
            command,
            user=user,
            check=True,
            cwd=folder,
            capture_output=True,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )

    data = str(folder / "data")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=60"
    try:
        call("initdb", "-D", data, "-U", "semimedref", "-A", "trust", "-E", "UTF8")
        call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://semimedref@127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """The URL of an empty place on the server: a schema, which is made and removed faster than a database."""
    name = f"project_{os.urandom(6).hex()}"
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{server}/postgres?options=-csearch_path%3D{name}"
