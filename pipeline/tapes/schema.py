"""The tables' versions: Alembic's scripts in `tapes/migrations`, run on a connection of ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER = Path(__file__).parent / "migrations"


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
    go = command.upgrade if order.index(wanted) > order.index(version(connection) or "base") else command.downgrade
    go(config, wanted)
