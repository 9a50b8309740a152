"""A project's database, on SQLite or on a PostgreSQL server: transactions, copies, and in a sentence what went wrong.

A project keeps its database in ``project.sqlite``, unless a file ``database.url`` names a server. No queries live here.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from training.errors import PoolError
from training.files import sentence_for, sync_folder, write_atomically

DATABASE = "project.sqlite"
SERVER = "database.url"
# What a database may throw at a statement that is itself in order.
REFUSALS = (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.InterfaceError)


def is_project(folder: Path | str) -> bool:
    """Whether there is a project in the folder."""
    return (Path(folder) / DATABASE).is_file() or (Path(folder) / SERVER).is_file()


def connect(folder: Path) -> sa.Engine:
    """Open the database of the project in ``folder``; nothing is read from it or written yet.

    Raises
    ------
    PoolError
        The file that names its server cannot be read or names none, or the driver is not installed.
    """
    server = folder / SERVER
    if not server.is_file():
        return _sqlite(folder / DATABASE)
    try:
        return _postgresql(server.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise PoolError(sentence_for(error, server)) from error


class Database:
    """The database of the project in ``folder``, and the transactions in which it is read and written.

    Attributes
    ----------
    engine : Engine
        SQLAlchemy's, for what needs connections of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.engine = connect(folder)
        self._reading = reading_options(self.engine)
        self._writing = self.engine.execution_options(write=True)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection in one consistent read transaction.

        Raises
        ------
        PoolError
            The database cannot be read.
        """
        try:
            with self._reading.connect() as connection:
                yield connection
        except REFUSALS as error:
            raise PoolError(refusal(error, self._folder)) from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in one write transaction: all of it happens, durably, or nothing.

        Raises
        ------
        PoolError
            The database cannot be written to; nothing happened.
        """
        try:
            with self._writing.begin() as connection:
                yield connection
        except REFUSALS as error:
            raise PoolError(refusal(error, self._folder)) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database, whatever others do to it meanwhile; the target is one file, whole and on disk.

    Raises
    ------
    PoolError
        The source is damaged, or the disk full or read-only; a target that was there before is still there.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        for suffix in ("-wal", "-shm"):  # of what is replaced
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        os.replace(part, target)
        sync_folder(target.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):  # the first error is the one to tell
            part.unlink(missing_ok=True)
        raise PoolError(
            f"{source} could not be copied to {target} ({error}): check it, or free some space and try again."
        ) from error


def name_server(folder: Path, url: str) -> None:
    """Write down which server keeps the project's database; if that tells a password, for the owner's eyes only."""
    engine = _postgresql(url)
    mode = 0o666 if engine.url.password is None else 0o600
    engine.dispose()
    write_atomically(folder / SERVER, url + "\n", mode=mode, error_type=PoolError)


def _sqlite(path: Path) -> sa.Engine:
    """SQLite in write-ahead mode, every commit synced to disk.

    Transactions begin deferred; those of ``engine.execution_options(write=True)`` begin immediate, so that two
    writers queue up instead of failing half-way.
    """
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": 30}
    )

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # SQLAlchemy's own BEGIN below; sqlite3's implicit one comes too late
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgresql(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise PoolError(
                f"{parsed.get_backend_name()!r} is no database for a project: give postgresql+psycopg://USER@HOST/NAME."
            )
        return sa.create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except sa.exc.ArgumentError as error:
        raise PoolError(
            f"{SERVER} names no database: write a line such as postgresql+psycopg://USER@HOST/NAME."
        ) from error
    except ImportError as error:
        raise PoolError(
            "This project's database is on a PostgreSQL server: install napari-semimedref[postgres] to open it."
        ) from error


def reading_options(engine: sa.Engine) -> sa.Engine:
    """The engine whose transactions see one state from beginning to end."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def upsert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert into ``table`` that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def database_time(connection: sa.Connection) -> float:
    """Seconds since 1970 by the database's clock, the one clock that all its readers share."""
    if connection.dialect.name == "sqlite":  # a local file: its readers share this machine's clock
        return time.time()
    return float(connection.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())")))


def one_at_a_time(connection: sa.Connection, key: int) -> None:
    """Let no other transaction past the same key until this one ends; on SQLite writers queue up anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def refusal(error: sa.exc.DBAPIError, folder: Path) -> str:
    """One sentence for what the database refused, and the way out."""
    reason = str(error.orig)
    if type(error.orig).__module__.startswith("psycopg"):
        return _server_sentence(getattr(error.orig, "sqlstate", None), reason, folder)
    return _file_sentence(reason, folder)


def _file_sentence(reason: str, folder: Path) -> str:
    if "full" in reason:
        return f"The disk that holds {folder} is full: nothing was changed; free some space and try again."
    if "disk I/O error" in reason:
        return f"The disk that holds {folder} does not answer: nothing was changed; check its space and its connection."
    if "readonly" in reason or "unable to open" in reason:
        return f"{folder} cannot be written to: nothing was changed; check its permissions and try again."
    if "locked" in reason:
        return f"Another program is busy writing to {folder}: nothing was changed; try again in a moment."
    return f"The project's database in {folder} refused ({reason}): nothing was changed."


def _server_sentence(state: str | None, reason: str, folder: Path) -> str:
    place = f"The database server of {folder}"
    if state == "53100":
        return f"{place} has no space left: nothing was changed; ask whoever runs it for more."
    if state == "25006":
        return f"{place} only lets itself be read: nothing was changed; ask whoever runs it."
    if state in ("40001", "40P01", "55P03", "57014"):
        return f"{place} is busy with another writer: nothing was changed; try again in a moment."
    if state is None or state.startswith(("08", "57P")):
        return f"{place} cannot be reached: look at the case again once it answers ({' '.join(reason.split())[:200]})."
    return f"{place} refused ({' '.join(reason.split())[:200]}): nothing was changed."
