"""Who has closed the list of first steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the moment; nobody has closed it."""
    op.add_column("people", sa.Column("first_steps_closed_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("people", "first_steps_closed_at")
