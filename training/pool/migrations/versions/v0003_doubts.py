"""Schema version 3: how doubtful a case's words are, and which zones a teacher's pseudo-mask touches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both columns. ``standing`` is made again afterwards; proposals of earlier teachers stay without zones."""
    op.add_column("proposals", sa.Column("zones", sa.Integer))
    op.add_column("standing", sa.Column("doubt", sa.Integer, nullable=False, server_default="0"))
    op.create_index("standing_doubtful", "standing", ["doubt", "position"])
