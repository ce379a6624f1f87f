"""The groups and people that a consent names get tables of their own, so that a listing finds its tapes by an index."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_NAMED = {"group_ids": ("consent_groups", "group_id"), "person_ids": ("consent_people", "person_id")}
"""Column with a list of ids -> table and column that hold them now."""


def upgrade() -> None:
    """Make the tables, and move the ids there."""
    for column, (table, named) in _NAMED.items():
        op.create_table(
            table,
            sa.Column("consent_id", sa.Text(), nullable=False),
            sa.Column(named, sa.Text(), nullable=False),
            sa.ForeignKeyConstraint(
                ["consent_id"], ["consents.id"], name=op.f(f"fk_{table}_consent_id"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("consent_id", named, name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_{named}"), table, [named], unique=False)
        rows = [
            {"consent_id": consent_id, named: name}
            for consent_id, names in _lists(column)
            for name in dict.fromkeys(names)
        ]
        if rows:
            op.bulk_insert(sa.table(table, sa.column("consent_id"), sa.column(named)), rows)
        op.drop_column("consents", column)
    op.create_index("ix_meetings_group_id_at", "meetings", ["group_id", "at"], unique=False)
    op.create_index("ix_people_name", "people", ["name", "id"], unique=False)
    op.create_index("ix_groups_name", "groups", ["name", "id"], unique=False)


def downgrade() -> None:
    """Put the ids back into lists."""
    op.drop_index("ix_groups_name", "groups")
    op.drop_index("ix_people_name", "people")
    op.drop_index("ix_meetings_group_id_at", "meetings")
    for column, (table, named) in _NAMED.items():
        op.add_column("consents", sa.Column(column, sa.JSON(), nullable=False, server_default="[]"))
        held = sa.table(table, sa.column("consent_id"), sa.column(named))
        lists: dict[str, list[str]] = {}
        for row in op.get_bind().execute(sa.select(held).order_by(*held.c)):
            lists.setdefault(row[0], []).append(row[1])
        consents = sa.table("consents", sa.column("id"), sa.column(column, sa.JSON()))
        for consent_id, names in lists.items():
            op.get_bind().execute(sa.update(consents).where(consents.c.id == consent_id).values({column: names}))
        op.drop_table(table)


def _lists(column: str) -> Iterator[tuple[str, list[str]]]:
    consents = sa.table("consents", sa.column("id"), sa.column(column, sa.JSON()))
    for row in op.get_bind().execute(sa.select(consents.c.id, consents.c[column])).all():
        yield row[0], row[1]
