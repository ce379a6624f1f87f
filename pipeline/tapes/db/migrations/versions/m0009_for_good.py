"""A withdrawal becomes a state of the tape, and consents get an order that no clock decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TAPES = sa.table("tapes", sa.column("id"), sa.column("withdrawn_at"))
_CONSENTS = sa.table("consents", *map(sa.column, ("id", "tape_id", "given_at", "withdrawn_at", "number")))


def upgrade() -> None:
    """Add the columns. A withdrawal that a later consent had hidden holds again."""
    op.add_column("tapes", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    op.add_column("consents", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
    here, consents = op.get_bind(), _CONSENTS.c
    withdrawn = sa.select(sa.func.min(consents.withdrawn_at)).where(consents.tape_id == _TAPES.c.id)
    here.execute(sa.update(_TAPES).values(withdrawn_at=withdrawn.scalar_subquery()))
    order = sa.select(consents.id, consents.tape_id).order_by(consents.tape_id, consents.given_at, consents.id)
    numbers: dict[str, int] = {}
    for consent_id, tape_id in here.execute(order).all():
        numbers[tape_id] = numbers.get(tape_id, 0) + 1
        here.execute(sa.update(_CONSENTS).where(consents.id == consent_id).values(number=numbers[tape_id]))
    op.create_index("ix_consents_order", "consents", ["tape_id", "number"], unique=True)
    op.drop_column("consents", "withdrawn_at")


def downgrade() -> None:
    """Put withdrawals back to the consents."""
    op.add_column("consents", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    withdrawn = sa.select(_TAPES.c.withdrawn_at).where(_TAPES.c.id == _CONSENTS.c.tape_id)
    op.get_bind().execute(sa.update(_CONSENTS).values(withdrawn_at=withdrawn.scalar_subquery()))
    op.drop_index("ix_consents_order", "consents")
    op.drop_column("consents", "number")
    op.drop_column("tapes", "withdrawn_at")
