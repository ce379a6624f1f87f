"""Notes on a moment of a tape, and the moment that feedback is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the table and the column."""
    op.add_column("feedback", sa.Column("moment", sa.BigInteger(), nullable=True))
    op.create_table(
        "notes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("moment", sa.BigInteger(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shared_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_notes_tape_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_tape_id"), "notes", ["tape_id"], unique=False)
    op.create_index(op.f("ix_notes_person_id"), "notes", ["person_id"], unique=False)


def downgrade() -> None:
    """Drop both."""
    op.drop_table("notes")
    op.drop_column("feedback", "moment")
