"""Who has seen a locked pass, and whether a lock was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table and the column; of the passes that are there nobody knows who has seen them: all count as seen."""
    op.add_column("passes", sa.Column("unlocked_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "pass_views",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_pass_views_tape_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["pass_id"], ["passes.id"], name=op.f("fk_pass_views_pass_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_pass_views_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_views")),
        sa.UniqueConstraint("pass_id", "person_id", name=op.f("uq_pass_views_pass_id_person_id")),
    )
    op.create_index(op.f("ix_pass_views_tape_id"), "pass_views", ["tape_id"], unique=False)
    op.create_index(op.f("ix_pass_views_person_id"), "pass_views", ["person_id"], unique=False)
    op.execute(
        "INSERT INTO pass_views (id, tape_id, pass_id, at) "
        "SELECT id, tape_id, id, locked_at FROM passes WHERE locked_at IS NOT NULL"
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("pass_views")
    op.drop_column("passes", "unlocked_at")
