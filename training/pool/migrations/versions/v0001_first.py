"""Schema version 1: cases, what readers did to them, runs and models, and withheld masks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String, **{"nullable": False} | options)


def _case(**options: Any) -> sa.Column[Any]:
    return sa.Column(
        "case_id", sa.String, sa.ForeignKey("cases.id"), **{"nullable": False} | options
    )


def _key() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _reader(**options: Any) -> sa.Column[Any]:
    return sa.Column(
        "reader", sa.String, sa.ForeignKey("readers.id"), **{"nullable": False} | options
    )


def _model(**options: Any) -> sa.Column[Any]:
    return sa.Column(
        "model_id", sa.String, sa.ForeignKey("models.id"), **{"nullable": False} | options
    )


def upgrade() -> None:
    """Make the tables in an empty database."""
    op.create_table("settings", _text("key", primary_key=True), _text("value"))
    op.create_table(
        "cases",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        _text("id", unique=True),
        _text("patient", index=True),
        _text("split", index=True),
        _text("image"),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        _text("description"),
        _text("imported_at"),
        sa.CheckConstraint("split IN ('training', 'gate', 'report')", name="split_is_known"),
    )
    op.create_table("readers", _text("id", primary_key=True), _text("created_at"))
    _readers_work()
    _teachers_work()


def _readers_work() -> None:
    op.create_table(
        "revisions",
        _key(),
        _case(index=True),
        *(_text("mask"), _text("description"), _reader(), _text("source"), _text("outcome")),
        _text("model_id", nullable=True),
        sa.Column("pixels_changed", sa.Integer),
        sa.Column("dice_to_proposal", sa.Float),
        sa.Column("active_seconds", sa.Float),
        sa.Column("strokes", sa.Integer),
        _text("created_at"),
        sa.CheckConstraint(
            "source IN ('teacher', 'edited', 'drawn', 'dataset')", name="source_is_known"
        ),
    )
    op.create_table(
        "skips", _key(), _case(index=True), _reader(), _text("reason"), _text("created_at")
    )
    op.create_table(
        "drafts",
        _case(primary_key=True),
        _reader(primary_key=True),
        sa.Column("mask_png", sa.LargeBinary, nullable=False),
        _text("description"),
        sa.Column("strokes", sa.Integer, nullable=False),
        _text("updated_at"),
    )


def _teachers_work() -> None:
    op.create_table(
        "runs",
        _key(),
        _text("folder", unique=True),
        sa.Column("labeled", sa.Integer, nullable=False),
        sa.Column("unlabeled", sa.Integer, nullable=False),
        _text("created_at"),
        _text("outcome", nullable=True),
        _text("reason", nullable=True),
    )
    op.create_table(
        "models",
        _text("id", primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        _text("folder"),
        sa.Column("scores", sa.JSON, nullable=False),
        _text("created_at"),
    )
    op.create_table("promotions", _key(), _model(), _text("created_at"))
    op.create_table(
        "proposals",
        _case(primary_key=True),
        _model(primary_key=True),
        _text("probability"),
        _text("description"),
        sa.Column("entropy", sa.Float, nullable=False),
        sa.Column("foreground", sa.Float, nullable=False),
    )
    op.create_table("hidden_references", _case(primary_key=True), _text("mask"))
