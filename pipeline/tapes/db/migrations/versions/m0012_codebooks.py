"""A group's own codebooks, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table; `pipeline.tapes.group_codebooks.adopt` moves files of old into it, for it takes the vault's
    keys."""
    op.create_table(
        "codebooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("added_by_id", sa.Text(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_codebooks_group_id")),
        sa.ForeignKeyConstraint(["added_by_id"], ["people.id"], name=op.f("fk_codebooks_added_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codebooks")),
    )
    op.create_index(op.f("ix_codebooks_group_id"), "codebooks", ["group_id"], unique=False)
    op.create_index(op.f("ix_codebooks_added_by_id"), "codebooks", ["added_by_id"], unique=False)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("codebooks")
