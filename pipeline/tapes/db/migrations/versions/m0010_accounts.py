"""Accounts: who used one first, what a session has passed, recovery codes, lifted second steps; the audit's sources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_NEW = ("totp_uses", "recovery_codes", "second_step_lifts", "notices")
_KINDS = (
    *("link-made", "link-used", "lift-asked", "lift-confirmed", "lift-stopped", "lifted", "recovery-used"),
    "role-changed",
)


def upgrade() -> None:
    """Make the tables and columns. Everybody signs in anew: no older session tells whether it passed a second step."""
    op.add_column("people", sa.Column("first_signed_in_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("made_in_group_id", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("times", sa.BigInteger(), nullable=True))
    op.drop_table("sessions")
    _sessions(sa.Column("id", sa.Text(), nullable=False), *_texts("source", "device"))
    op.create_table(
        "totp_uses",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        _person(),
        sa.Column("step", sa.BigInteger(), nullable=False),
        _refers("totp_uses", "person_id"),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_totp_uses")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.Text(), nullable=False),
        _person(),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        _refers("recovery_codes", "person_id"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "second_step_lifts",
        sa.Column("id", sa.Text(), nullable=False),
        _person(),
        sa.Column("asked_by_id", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by_id", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        *(_refers("second_step_lifts", name) for name in ("person_id", "asked_by_id", "confirmed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_step_lifts")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        _person(),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind", sa.Enum(*_KINDS, name="kind", native_enum=False, create_constraint=True, length=24), nullable=False
        ),
        sa.Column("by_person_id", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        *(_refers("notices", name) for name in ("person_id", "by_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    _indexes(
        *(("totp_uses", "person_id"), ("recovery_codes", "person_id"), ("notices", "person_id")),
        *(("second_step_lifts", name) for name in ("person_id", "asked_by_id", "confirmed_by_id")),
        ("notices", "by_person_id"),
    )
    # Whoever did anything, or has a password, has used the account.
    op.execute(
        "UPDATE people SET first_signed_in_at = created_at WHERE password_hash IS NOT NULL "
        "OR totp_secret IS NOT NULL OR id IN (SELECT actor_id FROM audit WHERE actor_id IS NOT NULL)"
    )


def downgrade() -> None:
    """Drop them."""
    for table in (*_NEW, "sessions"):
        op.drop_table(table)
    _sessions()
    for table, column in (
        *(("audit", "times"), ("audit", "source")),
        *(("people", "made_in_group_id"), ("people", "first_signed_in_at")),
    ):
        op.drop_column(table, column)


def _sessions(*more: sa.Column[str]) -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text(), nullable=False),
        _person(),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        *more,
        _refers("sessions", "person_id"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
        *([sa.UniqueConstraint("id", name=op.f("uq_sessions_id"))] if more else []),
    )
    _indexes(("sessions", "person_id"))


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _person() -> sa.Column[str]:
    return sa.Column("person_id", sa.Text(), nullable=False)


def _refers(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["people.id"], name=op.f(f"fk_{table}_{column}"))


def _indexes(*chosen: tuple[str, str]) -> None:
    for table, column in chosen:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
