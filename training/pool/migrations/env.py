"""Alembic's entry: run the scripts on the connection, and in the transaction, of `training.pool.migrate`."""

from __future__ import annotations

from alembic import context

from training.pool.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
