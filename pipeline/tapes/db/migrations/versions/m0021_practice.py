"""Calibration tapes, and what is coded on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calibration_tapes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("codebook", sa.Text(), nullable=False),
        sa.Column("chosen_by_id", sa.Text(), nullable=True),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tape_id"], ["tapes.id"], name=op.f("fk_calibration_tapes_tape_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["chosen_by_id"], ["people.id"], name=op.f("fk_calibration_tapes_chosen_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_tapes")),
    )
    op.create_index(op.f("ix_calibration_tapes_tape_id"), "calibration_tapes", ["tape_id"], unique=False)
    op.create_index(op.f("ix_calibration_tapes_chosen_by_id"), "calibration_tapes", ["chosen_by_id"], unique=False)
    op.create_table(
        "calibration_passes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("calibration_id", sa.Text(), nullable=True),
        sa.Column("codebook", sa.Text(), nullable=False),
        sa.Column("codebook_version", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_calibration_passes_person_id")),
        sa.ForeignKeyConstraint(
            ["calibration_id"],
            ["calibration_tapes.id"],
            name=op.f("fk_calibration_passes_calibration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_passes")),
    )
    op.create_index(op.f("ix_calibration_passes_person_id"), "calibration_passes", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_calibration_passes_calibration_id"), "calibration_passes", ["calibration_id"], unique=False
    )
    op.create_table(
        "calibration_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        sa.Column("utterance_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "action",
            sa.Enum("set", "clear", "unsure", name="action", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("client_event_id", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pass_id"], ["calibration_passes.id"], name=op.f("fk_calibration_events_pass_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_events")),
        sa.UniqueConstraint("client_event_id", name=op.f("uq_calibration_events_client_event_id")),
    )
    op.create_index(op.f("ix_calibration_events_pass_id"), "calibration_events", ["pass_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("calibration_events", "calibration_passes", "calibration_tapes"):
        op.drop_table(table)
