"""Transcripts, corrections, passes and codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "text",
                "speaker",
                "merge",
                "split",
                "role",
                "mask",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("utterance_id", sa.Text(), nullable=False),
        sa.Column("sealed_payload", sa.LargeBinary(), nullable=True),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_corrections_person_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_corrections_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_person_id"), "corrections", ["person_id"], unique=False)
    op.create_index(op.f("ix_corrections_tape_id"), "corrections", ["tape_id"], unique=False)
    op.create_table(
        "passes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column(
            "layer",
            sa.Enum(
                "machine",
                "member",
                "consensus",
                "coach",
                name="layer",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("codebook", sa.Text(), nullable=False),
        sa.Column("codebook_version", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_passes_person_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_passes_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passes")),
    )
    op.create_index(op.f("ix_passes_person_id"), "passes", ["person_id"], unique=False)
    op.create_index(op.f("ix_passes_tape_id"), "passes", ["tape_id"], unique=False)
    op.create_table(
        "pretags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("utterance_id", sa.Text(), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("needs_check", sa.Boolean(), nullable=False),
        sa.Column("p", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_pretags_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pretags")),
        sa.UniqueConstraint("tape_id", "utterance_id", name=op.f("uq_pretags_tape_id_utterance_id")),
    )
    op.create_index(op.f("ix_pretags_tape_id"), "pretags", ["tape_id"], unique=False)
    op.create_table(
        "utterances",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("utterance_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_utterances_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utterances")),
        sa.UniqueConstraint("tape_id", "utterance_id", name=op.f("uq_utterances_tape_id_utterance_id")),
    )
    op.create_index(op.f("ix_utterances_tape_id"), "utterances", ["tape_id"], unique=False)
    op.create_table(
        "code_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("utterance_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("audio_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "action",
            sa.Enum("set", "clear", "unsure", name="action", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("pretag_shown", sa.Boolean(), nullable=False),
        sa.Column("client_event_id", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["pass_id"], ["passes.id"], name=op.f("fk_code_events_pass_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_code_events_person_id")),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_code_events_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_events")),
        sa.UniqueConstraint("client_event_id", name=op.f("uq_code_events_client_event_id")),
    )
    op.create_index(op.f("ix_code_events_pass_id"), "code_events", ["pass_id"], unique=False)
    op.create_index(op.f("ix_code_events_person_id"), "code_events", ["person_id"], unique=False)
    op.create_index(op.f("ix_code_events_tape_id"), "code_events", ["tape_id"], unique=False)
    op.create_table(
        "transcripts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tape_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_transcripts_item_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tape_id"], ["tapes.id"], name=op.f("fk_transcripts_tape_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcripts")),
    )
    op.create_index(op.f("ix_transcripts_tape_id"), "transcripts", ["tape_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("transcripts", "code_events", "utterances", "pretags", "passes", "corrections"):
        op.drop_table(table)
