"""Schema version 4: pairs of films that readers called nonsense to mix."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table of reports; earlier projects have none."""
    op.create_table(
        "pair_reports",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.String, sa.ForeignKey("cases.id"), nullable=False, index=True),
        sa.Column("partner_id", sa.String, sa.ForeignKey("cases.id"), nullable=False, index=True),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("reader", sa.String, sa.ForeignKey("readers.id"), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.CheckConstraint("verdict IN ('nonsense', 'fine')", name="verdict_is_known"),
    )
