"""Tables of a project's database, the same on SQLite and PostgreSQL. No queries and no connections live here.

Rows are only ever added, except ``drafts`` (a reader's unsaved work, replaced at each stroke), ``leases``, the outcome
columns of ``runs``, the answers of ``second_readings`` and ``showings``, what models make again (``embeddings``,
``case_scores``), and ``standing``: how each case stands now, which follows from the other tables, is kept in step
within their transactions, and can be made again (`training.pool.standing`).

A change here needs a new `SCHEMA_VERSION` and a script in ``migrations/versions``.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 5

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
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False),
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
    # 1, 2, ... within the case
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parent_id", sa.Integer),  # the reference revision that the reader started from
    sa.Column("reading", sa.String, nullable=False, server_default="open"),
    sa.Column("digest", sa.String, nullable=False, server_default=""),
    sa.Index("revisions_of_a_case", "case_id", "number", unique=True),
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
    sa.Column("outcome", sa.String, nullable=False, server_default="skipped"),
    sa.Column("revision_id", sa.Integer),  # the reference revision at that moment
    sa.Column("model_id", sa.String),
    sa.Column("active_seconds", sa.Float),
    sa.Column("strokes", sa.Integer),
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
    sa.Column("run_id", sa.ForeignKey("runs.id")),  # none where it came from another project
    sa.Column("folder", sa.String, nullable=False),
    sa.Column("scores", sa.JSON, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("card", sa.JSON(none_as_null=True)),  # none for models of before version 5
    sa.Column("origin", sa.String, nullable=False, server_default=""),  # where it was imported from
)

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("reader", sa.String),  # who rolled back; none where the gate decided
    sa.Column("confidence", sa.Float),  # the gate's, in [0, 1]
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
    sa.Column("zones", sa.Integer),  # six bits: thirds of the film that the pseudo-mask touches
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

standing = sa.Table(
    "standing",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False, unique=True),
    sa.Column("pool", sa.String, nullable=False),
    sa.Column("revision_id", sa.Integer),  # the reference revision
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("zones", sa.Integer, nullable=False),  # six bits: what the current description names
    sa.Column("skipped", sa.Boolean, nullable=False),
    sa.Column("contested", sa.Boolean, nullable=False),
    # weight of the gravest problem in the current description
    sa.Column("doubt", sa.Integer, nullable=False, server_default="0"),
    sa.Index("standing_in_order", "pool", "position"),
    sa.Index("standing_by_zones", "pool", "zones"),
    sa.Index("standing_contested", "contested", "position"),
    sa.Index("standing_doubtful", "doubt", "position"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
)

disputes = sa.Table(
    "disputes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    # the one that did not become the reference
    sa.Column("revision_id", sa.Integer, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

second_readings = sa.Table(
    "second_readings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("asked_at", sa.String, nullable=False),
    sa.Column("revision_id", sa.Integer, index=True),  # the answer
)

pair_reports = sa.Table(
    "pair_reports",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, ...
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("partner_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("reader", sa.ForeignKey("readers.id"), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.CheckConstraint("verdict IN ('nonsense', 'fine')", name="verdict_is_known"),
)

showings = sa.Table(
    "showings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("arm", sa.String, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("model_id", sa.String),
    sa.Column("score", sa.Float),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("revision_id", sa.Integer, index=True),  # the acceptance it led to
    sa.CheckConstraint(
        "arm IN ('strategy', 'control', 'no-proposal', 'planted')", name="arm_is_known"
    ),
)

embeddings = sa.Table(
    "embeddings",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("model_id", sa.String, primary_key=True),  # whatever made it, a model of here or not
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float16, little-endian
)

case_scores = sa.Table(
    "case_scores",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("model_id", sa.String, primary_key=True),
    sa.Column("strategy", sa.String, primary_key=True),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)
