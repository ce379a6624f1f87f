"""The database of the records: SQLite beside the tapes by default, PostgreSQL by one URL.

Writers take their turn at the start of their transaction, so that none finds out at its end that another was faster;
readers cannot write. Whoever waits too long gets a clear error, never the driver's.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import schema

_WAIT_SECONDS = 30.0
_WRITES = "tape_review_writes"


def _nothing(session: Session) -> None:
    """What is done before a commit where nobody asked for more."""


class Database:
    """Sessions on the records.

    Parameters
    ----------
    url: an SQLAlchemy URL, for example ``sqlite:////srv/tapes/tapes.sqlite3`` or ``postgresql+psycopg://…``.
    before_commit: called with the session before a writing transaction commits (the audit adds its rows then).
    """

    def __init__(self, url: str, before_commit: Callable[[Session], None] = _nothing) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.name = f"{self.url.get_backend_name()} database {self.url.database}"
        self.engine = _sqlite(str(url)) if self.is_sqlite else create_engine(self.url, pool_pre_ping=True)
        self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._before_commit = before_commit

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database and changes nothing."""
        with Session(self._reader, expire_on_commit=False) as session, self._told():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at its end, or leaves no trace if an exception ends it.

        Raises
        ------
        TapesError: K03 the database cannot be reached, K04 others write for longer than we wait.
        """
        with Session(self._writer, expire_on_commit=False) as session, self._told():
            self._begin(session)
            yield session
            self._before_commit(session)
            session.commit()

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to a version: to the newest unless another is named."""
        with self._told(), self._writer.begin() as connection:
            schema.migrate(connection, revision)

    def version(self) -> str | None:
        """The version of the tables; None in an empty database."""
        with self._told(), self._reader.connect() as connection:
            return schema.version(connection)

    def require_newest(self) -> None:
        """Refuse to work on tables of another version.

        Raises
        ------
        TapesError: K05.
        """
        found, wanted = self.version(), schema.newest()
        if found != wanted:
            remedy = "run `tape-review init`" if found is None else "run `tape-review init --upgrade` after a backup"
            raise TapesError("K05", self.name, f"is at version {found}, this program at {wanted}", remedy)

    def scrub(self) -> None:
        """Leave nothing of what was deleted: not in the write-ahead log, not in free pages.

        Raises
        ------
        TapesError: K04 another connection keeps the log from being emptied.
        """
        with self._told(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not self.is_sqlite:
                connection.execute(text("VACUUM FULL"))
                return
            connection.execute(text("VACUUM"))
            deadline = time.monotonic() + _WAIT_SECONDS
            while connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one():
                if time.monotonic() > deadline:
                    raise TapesError("K04", self.name, "is being read without a pause", "try again in a minute")
                time.sleep(0.05)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _begin(self, session: Session) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                session.connection()
                return
            except OperationalError as error:
                session.rollback()
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - so that those who wait do not wake together

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The driver's errors in our words; a mistake in our own statements stays what it is."""
        try:
            yield
        except OperationalError as error:
            if _is_busy(error):
                raise TapesError("K04", self.name, "is busy", "try again in a minute") from error
            reason = str(error.orig).splitlines()[0]
            raise TapesError(
                "K03", self.name, f"cannot be reached ({reason})", "see that it runs and is ours"
            ) from error
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            raise TapesError("K03", self.name, "broke the connection", "see that it runs, and try again") from error


def sqlite_url(path: Path) -> str:
    """The URL of a database in a file."""
    return f"sqlite:///{path.resolve()}"


def _is_busy(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.OperationalError) and error.orig.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in ("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        alone = options.get("isolation_level") == "AUTOCOMMIT"  # what cannot run within a transaction, such as VACUUM
        writes = alone or options.get(_WRITES, False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        if not alone:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
