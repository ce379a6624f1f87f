"""The language of each utterance: one in another language than English has no suggestion, and may have no code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the language; of tapes that are there none is known, as all of them were taken for English."""
    op.add_column("utterances", sa.Column("language", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the language."""
    op.drop_column("utterances", "language")
