"""Whose tape a certificate is about: the interviewer owes it to the client."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column; of tapes that were destroyed before, nobody knows whose they were."""
    with op.batch_alter_table("certificates") as table:
        table.add_column(sa.Column("interviewer_id", sa.Text(), nullable=True))
    op.create_index(op.f("ix_certificates_interviewer_id"), "certificates", ["interviewer_id"], unique=False)


def downgrade() -> None:
    """Drop the column."""
    op.drop_index(op.f("ix_certificates_interviewer_id"), "certificates")
    with op.batch_alter_table("certificates") as table:
        table.drop_column("interviewer_id")
