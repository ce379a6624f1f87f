"""Passkeys, and what they sign in a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("rp_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_passkeys_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_person_id"), "passkeys", ["person_id"], unique=False)
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("challenge", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("challenge_at", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("sessions") as table:
        table.alter_column("challenge", server_default=None)


def downgrade() -> None:
    """Drop them; whoever had no other second step signs in with the password alone."""
    with op.batch_alter_table("sessions") as table:
        table.drop_column("challenge_at")
        table.drop_column("challenge")
    op.drop_table("passkeys")
