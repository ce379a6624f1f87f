"""Tapes that are coded from a transcript without any sound."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the mark; every tape that is there has sound."""
    op.add_column("tapes", sa.Column("from_text", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop the mark."""
    op.drop_column("tapes", "from_text")
