"""Reviews, forms, feedback and meetings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("strength", "suggestion", name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_feedback_person_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_feedback_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_person_id"), "feedback", ["person_id"], unique=False)
    op.create_index(op.f("ix_feedback_tape_id"), "feedback", ["tape_id"], unique=False)
    op.create_table(
        "forms",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed_answers", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_forms_person_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_forms_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms")),
    )
    op.create_index(op.f("ix_forms_person_id"), "forms", ["person_id"], unique=False)
    op.create_index(op.f("ix_forms_tape_id"), "forms", ["tape_id"], unique=False)
    op.create_table(
        "meetings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=True),
        sa.Column("sealed_notes", sa.LargeBinary(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_meetings_group_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_meetings_tape_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
    )
    op.create_index(op.f("ix_meetings_group_id"), "meetings", ["group_id"], unique=False)
    op.create_index(op.f("ix_meetings_tape_id"), "meetings", ["tape_id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("interviewer_done_at", sa.BigInteger(), nullable=True),
        sa.Column("waived_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_reviews_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("tape_id", name=op.f("uq_reviews_tape_id")),
    )
    op.create_table(
        "meeting_roles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_roles_meeting_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_meeting_roles_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_roles")),
    )
    op.create_index(op.f("ix_meeting_roles_meeting_id"), "meeting_roles", ["meeting_id"], unique=False)
    op.create_index(op.f("ix_meeting_roles_person_id"), "meeting_roles", ["person_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("meeting_roles", "reviews", "meetings", "forms", "feedback"):
        op.drop_table(table)
