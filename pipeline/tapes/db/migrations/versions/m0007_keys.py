"""The keys that people chose for codes and commands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "key_choices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("codebook", sa.Text(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_key_choices_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_choices")),
        sa.UniqueConstraint("person_id", "codebook", name=op.f("uq_key_choices_person_id_codebook")),
    )
    op.create_index(op.f("ix_key_choices_person_id"), "key_choices", ["person_id"], unique=False)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("key_choices")
