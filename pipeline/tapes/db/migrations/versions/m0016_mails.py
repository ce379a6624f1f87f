"""Mails that the room sent by itself, or could not send."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sent_mails",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("waiting", "ending", name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sent_mails_person_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sent_mails")),
    )
    op.create_index(op.f("ix_sent_mails_person_id"), "sent_mails", ["person_id"], unique=False)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sent_mails")
