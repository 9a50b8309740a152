"""Making a new project: its folder, its database, its settings. Nothing here opens an existing one."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from training.errors import PoolError
from training.files import sentence_for
from training.pool import schema
from training.pool.database import SERVER, Database, is_project, name_server
from training.pool.times import now


def create_project(folder: Path, laterality: str, database_url: str | None) -> None:
    """Make an empty project in ``folder``; see `training.pool.Project.create`.

    Raises
    ------
    PoolError
        There is a project, or something else, in the folder or the database already; or it cannot be written to.
    """
    if is_project(folder):
        raise PoolError(f"{folder} holds a project already: open it, or choose another folder.")
    try:
        if folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise PoolError(f"{folder} is not empty: choose an empty folder for the new project.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PoolError(sentence_for(error, folder)) from error
    if database_url is not None:
        name_server(folder, database_url)
    try:
        _fill(folder, laterality)
    except PoolError:
        (folder / SERVER).unlink(missing_ok=True)  # or the folder would pass for a project
        raise


def _fill(folder: Path, laterality: str) -> None:
    database = Database(folder)
    values = {
        "schema_version": str(schema.SCHEMA_VERSION),
        "laterality": laterality,
        "created_at": now(),
    }
    rows = [{"key": key, "value": value} for key, value in values.items()]
    try:
        with database.writing() as connection:
            if sa.inspect(connection).has_table(schema.settings.name):
                raise PoolError(
                    f"The database {database.engine.url.database!r} holds a project already: "
                    "make an empty database for the new one."
                )
            schema.metadata.create_all(connection)
            connection.execute(sa.insert(schema.settings), rows)
    finally:
        database.close()
