"""Who brought a tape to which group, and when: kept apart from the tapes, which are destroyed."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table, and fill it from the tapes that are there and were handed in."""
    made = op.create_table(
        "tape_turns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_tape_turns_group_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tape_turns_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tape_turns")),
    )
    op.create_index(op.f("ix_tape_turns_group_id"), "tape_turns", ["group_id"], unique=False)
    op.create_index(op.f("ix_tape_turns_person_id"), "tape_turns", ["person_id"], unique=False)
    tapes = sa.table("tapes", *(sa.column(name) for name in ("group_id", "interviewer_id", "created_at", "state")))
    handed_in = sa.select(tapes.c.group_id, tapes.c.interviewer_id, tapes.c.created_at).where(
        tapes.c.state.not_in(("draft", "destroyed"))
    )
    turns = [
        {"id": secrets.token_hex(8), "group_id": group_id, "person_id": person_id, "at": at}
        for group_id, person_id, at in op.get_bind().execute(handed_in)
    ]
    op.bulk_insert(made, turns)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("tape_turns")
