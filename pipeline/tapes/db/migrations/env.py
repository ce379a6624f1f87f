"""Alembic's way in: it runs this file under a name of its own, with a connection that `tapes.db.schema` hands over."""

from __future__ import annotations

from alembic import context

from pipeline.tapes.db.records import Record


def run() -> None:
    """Take the steps, within the transaction that the connection is in."""
    context.configure(
        connection=context.config.attributes["connection"], target_metadata=Record.metadata, render_as_batch=True
    )
    context.run_migrations()


if __name__ == "env_py":
    run()
