"""Names and terms that a group listens for, sealed: a town or a medication may tell who a client is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the sealed list; no group has one."""
    op.add_column("groups", sa.Column("sealed_terms", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop the list."""
    op.drop_column("groups", "sealed_terms")
