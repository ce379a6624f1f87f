"""Places from which people signed in, and the accounts of an organization that they sign in with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "known_places",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_known_places_person_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_known_places")),
    )
    op.create_index(op.f("ix_known_places_person_id"), "known_places", ["person_id"], unique=False)
    op.create_table(
        "organization_identities",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_organization_identities_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_organization_identities_issuer_subject")),
        sa.UniqueConstraint("person_id", name=op.f("uq_organization_identities_person_id")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("organization_identities", "known_places"):
        op.drop_table(table)
