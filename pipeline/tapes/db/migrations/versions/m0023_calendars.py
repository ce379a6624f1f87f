"""Meetings in calendars: a group's time zone, where it meets, what was changed; links to feeds; who takes turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the columns and the table; a meeting from before was last changed at its own time."""
    op.add_column("groups", sa.Column("time_zone", sa.Text(), nullable=False, server_default=""))
    op.add_column("memberships", sa.Column("takes_turns", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("meetings", sa.Column("location", sa.Text(), nullable=False, server_default=""))
    op.add_column("meetings", sa.Column("sequence", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("meetings", sa.Column("changed_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE meetings SET changed_at = at")
    op.create_table(
        "calendar_feeds",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_calendar_feeds_person_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_calendar_feeds_group_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("person_id", "group_id", name=op.f("uq_calendar_feeds_person_id_group_id")),
    )
    op.create_index(op.f("ix_calendar_feeds_group_id"), "calendar_feeds", ["group_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("calendar_feeds")
    for table, column in (
        *(("meetings", name) for name in ("changed_at", "sequence", "location")),
        ("memberships", "takes_turns"),
        ("groups", "time_zone"),
    ):
        op.drop_column(table, column)
