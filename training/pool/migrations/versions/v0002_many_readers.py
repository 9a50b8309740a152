"""Schema version 2: many readers. Revisions say what they started from and carry a digest; leases, disputes, second
readings; how each case stands is a table of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from training.pool.digest import FIELDS, revision_digest

revision = "0002"
down_revision = "0001"
CHANGED = ("number", "parent_id", "digest")


def upgrade() -> None:
    """Add the columns and tables, then fill in what the rows of version 1 imply."""
    for column in (
        sa.Column("number", sa.Integer, nullable=False, server_default="0"),
        sa.Column("parent_id", sa.Integer),
        sa.Column("reading", sa.String, nullable=False, server_default="open"),
        sa.Column("digest", sa.String, nullable=False, server_default=""),
    ):
        op.add_column("revisions", column)
    for column in (
        sa.Column("outcome", sa.String, nullable=False, server_default="skipped"),
        sa.Column("revision_id", sa.Integer),
        sa.Column("model_id", sa.String),
        sa.Column("active_seconds", sa.Float),
        sa.Column("strokes", sa.Integer),
    ):
        op.add_column("skips", column)
    _new_tables()
    _number_and_sign()
    op.drop_index("ix_revisions_case_id", "revisions")
    op.create_index("revisions_of_a_case", "revisions", ["case_id", "number"], unique=True)
    _date_skips()


def _new_tables() -> None:
    if not sa.inspect(op.get_bind()).has_table("sources"):  # late projects of version 1 have it
        op.create_table(
            "sources",
            sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), primary_key=True),
            sa.Column("record", sa.String, nullable=False),
        )
    op.create_table(
        "standing",
        sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False, unique=True),
        sa.Column("pool", sa.String, nullable=False),
        sa.Column("revision_id", sa.Integer),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("zones", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sa.Column("contested", sa.Boolean, nullable=False),
        sa.Index("standing_in_order", "pool", "position"),
        sa.Index("standing_by_zones", "pool", "zones"),
        sa.Index("standing_contested", "contested", "position"),
    )
    op.create_table(
        "leases",
        sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("reader", sa.String, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_table(
        "disputes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), nullable=False, index=True),
        sa.Column("revision_id", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_table(
        "second_readings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), nullable=False, index=True),
        sa.Column("asked_at", sa.String, nullable=False),
        sa.Column("revision_id", sa.Integer, index=True),
    )


def _number_and_sign() -> None:
    """Version 1 let the latest revision be the reference: each one follows from the one before it."""
    connection = op.get_bind()
    table = sa.table("revisions", *(sa.column(name) for name in ("id", "digest", *FIELDS)))
    before: dict[str, Any] = {}
    updates = []
    for row in connection.execute(sa.select(table).order_by(table.c.case_id, table.c.id)).all():
        if before.get("case_id") != row.case_id:
            before = {"id": None, "number": 0, "digest": ""}
        signed = dict(row._mapping) | {"number": before["number"] + 1, "parent_id": before["id"]}
        signed["digest"] = revision_digest(signed, before["digest"])
        updates.append({"key": row.id} | {f"new_{name}": signed[name] for name in CHANGED})
        before = signed
    if updates:
        connection.execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("key"))
            .values({name: sa.bindparam(f"new_{name}") for name in CHANGED}),
            updates,
        )


def _date_skips() -> None:
    """A skip names the reference of its moment: the last revision that is not younger than the skip."""
    op.execute(
        "UPDATE skips SET revision_id = (SELECT max(revisions.id) FROM revisions WHERE "
        "revisions.case_id = skips.case_id AND revisions.created_at <= skips.created_at)"
    )
