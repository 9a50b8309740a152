"""Tables of a project's database and how a connection to it is opened. No queries live here.

Rows are only ever added, except ``drafts`` (a reader's unsaved work, replaced at each stroke) and the outcome
columns of ``runs``. Whether a case is labeled is not stored anywhere: it follows from its revisions.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

SCHEMA_VERSION = 1

metadata = sa.MetaData()

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("patient", sa.String, nullable=False, index=True),
    sa.Column("split", sa.String, nullable=False, index=True),
    sa.Column("image", sa.String, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("imported_at", sa.String, nullable=False),
    sa.CheckConstraint("split IN ('training', 'gate', 'report')", name="split_is_known"),
)

readers = sa.Table(
    "readers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("created_at", sa.String, nullable=False),
)

revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("mask", sa.String, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("reader", sa.ForeignKey("readers.id"), nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("model_id", sa.String),
    sa.Column("pixels_changed", sa.Integer),
    sa.Column("dice_to_proposal", sa.Float),
    sa.Column("active_seconds", sa.Float),
    sa.Column("strokes", sa.Integer),
    sa.Column("created_at", sa.String, nullable=False),
    sa.CheckConstraint(
        "source IN ('teacher', 'edited', 'drawn', 'dataset')", name="source_is_known"
    ),
)

skips = sa.Table(
    "skips",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("reader", sa.ForeignKey("readers.id"), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("reader", sa.ForeignKey("readers.id"), primary_key=True),
    sa.Column("mask_png", sa.LargeBinary, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("strokes", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.String, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("folder", sa.String, nullable=False, unique=True),
    sa.Column("labeled", sa.Integer, nullable=False),
    sa.Column("unlabeled", sa.Integer, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("outcome", sa.String),
    sa.Column("reason", sa.String),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("folder", sa.String, nullable=False),
    sa.Column("scores", sa.JSON, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
    sa.Column("probability", sa.String, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("entropy", sa.Float, nullable=False),
    sa.Column("foreground", sa.Float, nullable=False),
)

hidden_references = sa.Table(
    "hidden_references",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("mask", sa.String, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("record", sa.String, nullable=False),
)


def connect(path: Path) -> sa.Engine:
    """Open the SQLite database at ``path`` in write-ahead mode, every commit synced to disk.

    Transactions begin deferred; those of ``engine.execution_options(write=True)`` begin immediate, so that two
    writers queue up instead of failing half-way.
    """
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def configure(connection, _record) -> None:
        connection.isolation_level = (
            None  # SQLAlchemy's own BEGIN below; sqlite3's implicit one comes too late
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
