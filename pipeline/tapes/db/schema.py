"""The tables' versions: Alembic's scripts in `tapes/migrations`, run on a connection of ours; and what holds for good.

Facts that cannot be taken back are guarded by the database itself (triggers), whoever writes: a withdrawal, the state
of a destroyed tape, a tombstone. The guards are part of the newest version and are made anew after each migration, as a
table that SQLite makes anew loses them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

_FOLDER = Path(__file__).parent / "migrations"

_FOR_GOOD = {
    "withdrawal": ("tapes", "UPDATE OF withdrawn_at", "OLD.withdrawn_at <> COALESCE(NEW.withdrawn_at, -1)"),
    "destruction": ("tapes", "UPDATE OF state", "OLD.state = 'destroyed' AND NEW.state <> 'destroyed'"),
    "tombstone": ("tombstones", "DELETE", "OLD.tape_id IS NOT NULL"),
}
"""What cannot be taken back -> its table, the change that would, and when it does."""


@cache
def revisions() -> tuple[str, ...]:
    """Every version, oldest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions())[::-1]


def newest() -> str:
    """The version that this program works with."""
    return revisions()[-1]


def version(connection: Connection) -> str | None:
    """The version that a database has."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, revision: str) -> None:
    """Go up or down to a version, ``"head"`` and ``"base"`` included, within the connection's transaction."""
    order = ("base", *revisions())
    wanted = newest() if revision == "head" else revision
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    _unguard(connection)
    go = command.upgrade if order.index(wanted) > order.index(version(connection) or "base") else command.downgrade
    go(config, wanted)
    if wanted == newest():
        _guard(connection)


def _guard(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION tape_review_for_good() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'a %% is for good', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$"
        )
    for what, (table, change, when) in _FOR_GOOD.items():
        deed = (
            f"BEGIN SELECT RAISE(ABORT, 'a {what} is for good'); END"
            if sqlite
            else f"EXECUTE FUNCTION tape_review_for_good('{what}')"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {what}_for_good BEFORE {change} ON {table} FOR EACH ROW WHEN ({when}) {deed}"
        )


def _unguard(connection: Connection) -> None:
    existing = inspect(connection).get_table_names()
    for what, (table, _, _) in _FOR_GOOD.items():
        if table in existing:
            on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {what}_for_good{on}")
