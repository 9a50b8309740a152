"""Bringing the database of an older version up to date: once, by one process, with a copy of the SQLite file first.

The scripts are in ``migrations/versions``, one a schema version; Alembic runs them in a single transaction, so that a
project is either as it was or up to date. What is derived (``standing``) is made again afterwards.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from training.errors import PoolError
from training.files import sentence_for
from training.pool import standing
from training.pool.database import DATABASE, REFUSALS, copy_database, one_at_a_time, refusal
from training.pool.schema import SCHEMA_VERSION, settings

LOCK = "migration.lock"
MIGRATION_LOCK = 7_302_002  # among a server's advisory locks
PATIENCE = 600.0


def bring_up_to_date(engine: sa.Engine, folder: Path) -> None:
    """Run the migrations that the project's database still lacks.

    Raises
    ------
    PoolError
        The database is damaged, out of reach, full, or of a newer version; it was not changed.
    """
    try:
        if _checked_version(engine, folder) == SCHEMA_VERSION:
            return
        with FileLock(folder / LOCK, timeout=PATIENCE):
            version = _checked_version(engine, folder)
            if version < SCHEMA_VERSION:
                if engine.dialect.name == "sqlite":
                    _keep_copy(folder / DATABASE, version)
                _upgrade(engine)
    except Timeout as error:
        raise PoolError(
            f"Another window is bringing {folder} up to date: try again in a moment."
        ) from error
    except OSError as error:
        raise PoolError(sentence_for(error, folder)) from error
    except REFUSALS as error:
        raise PoolError(refusal(error, folder)) from error


def _checked_version(engine: sa.Engine, folder: Path) -> int:
    try:
        with engine.connect() as connection:
            version = _version(connection)
    except REFUSALS as error:
        if "no such table" not in str(error.orig):
            raise
        raise PoolError(_damaged(engine, folder)) from error
    except (sa.exc.DatabaseError, sa.exc.NoResultFound, ValueError) as error:
        raise PoolError(_damaged(engine, folder)) from error
    if version > SCHEMA_VERSION:
        raise PoolError(
            f"{folder} was made by a newer version of this program: update it to open the project."
        )
    return version


def _version(connection: sa.Connection) -> int:
    query = sa.select(settings.c.value).where(settings.c.key == "schema_version")
    return int(connection.scalars(query).one())


def _damaged(engine: sa.Engine, folder: Path) -> str:
    place = folder / DATABASE if engine.dialect.name == "sqlite" else engine.url.database
    return f"{place} is damaged or is not a project's database."


def _keep_copy(database: Path, version: int) -> None:
    """Keep a copy of the database beside it."""
    stamp = datetime.now().strftime("%Y%m%dT%H%M%S")
    copy_database(database, database.with_name(f"{database.name}.version-{version}.{stamp}"))


def _upgrade(engine: sa.Engine) -> None:
    with engine.execution_options(write=True).begin() as connection:
        one_at_a_time(connection, MIGRATION_LOCK)
        version = _version(connection)
        if version >= SCHEMA_VERSION:
            return
        run_scripts(connection, f"{version:04d}")
        connection.execute(
            sa.update(settings)
            .where(settings.c.key == "schema_version")
            .values(value=str(SCHEMA_VERSION))
        )
        standing.rebuild(connection)


def run_scripts(connection: sa.Connection, start: str, end: int = SCHEMA_VERSION) -> None:
    """Run the scripts behind ``start`` ("base" for all of them) up to ``end`` in the connection's transaction."""
    from alembic import command  # only needed once in a project's life
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "training.pool:migrations")
    command.stamp(config, start, purge=True)
    command.upgrade(config, f"{end:04d}")
