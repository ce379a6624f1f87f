"""How long stages took, for those who watch over the program."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stage_durations",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("bound", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stage", "bound", name=op.f("pk_stage_durations")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("stage_durations")
