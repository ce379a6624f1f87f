"""Recordings that stay in the pieces in which they arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the mark of a piece whose upload is not whole; what was being sent is sent anew, and its files are swept."""
    op.add_column("items", sa.Column("upload", sa.Text(), nullable=True))
    for begins in ("upload:", "upload2:", "form:"):
        op.execute(f"DELETE FROM items WHERE kind LIKE '{begins}%'")  # noqa: S608 - the words above


def downgrade() -> None:
    """Drop the mark."""
    op.drop_column("items", "upload")
