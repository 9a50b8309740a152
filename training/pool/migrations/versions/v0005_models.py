"""Schema version 5: models have cards, promotions reasons; what readers were shown; embeddings and scores of cases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
KEPT = ("id", "run_id", "folder", "scores", "created_at")


def upgrade() -> None:
    """Models may be without a run; earlier ones have no card, earlier promotions no reason."""
    if op.get_bind().dialect.name == "sqlite":
        _make_models_again()
    else:
        op.alter_column("models", "run_id", nullable=True)
    op.add_column("models", sa.Column("card", sa.JSON))
    op.add_column("models", sa.Column("origin", sa.String, nullable=False, server_default=""))
    for column in (
        sa.Column("reason", sa.String, nullable=False, server_default=""),
        sa.Column("reader", sa.String),
        sa.Column("confidence", sa.Float),
    ):
        op.add_column("promotions", column)
    _new_tables()


def _make_models_again() -> None:
    """SQLite cannot loosen a column: the table is made anew, its rows put back before anything is committed."""
    op.execute("PRAGMA defer_foreign_keys = ON")  # until the commit, by when all rows are back
    names = ", ".join(KEPT)
    op.execute(f"CREATE TEMPORARY TABLE kept_models AS SELECT {names} FROM models")
    op.drop_table("models")
    op.create_table(
        "models",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("scores", sa.JSON, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.execute(f"INSERT INTO models ({names}) SELECT {names} FROM kept_models")
    op.execute("DROP TABLE kept_models")


def _case(**options: Any) -> sa.Column[Any]:
    return sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), **options)


def _new_tables() -> None:
    op.create_table(
        "showings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _case(nullable=False, index=True),
        sa.Column("reader", sa.String, nullable=False),
        sa.Column("arm", sa.String, nullable=False),
        sa.Column("strategy", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False, server_default=""),
        sa.Column("model_id", sa.String),
        sa.Column("score", sa.Float),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("revision_id", sa.Integer, index=True),
        sa.CheckConstraint(
            "arm IN ('strategy', 'control', 'no-proposal', 'planted')", name="arm_is_known"
        ),
    )
    op.create_table(
        "embeddings",
        _case(primary_key=True),
        sa.Column("model_id", sa.String, primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "case_scores",
        _case(primary_key=True),
        sa.Column("model_id", sa.String, primary_key=True),
        sa.Column("strategy", sa.String, primary_key=True),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
