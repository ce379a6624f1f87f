"""The database of the records: SQLite beside the tapes by default, PostgreSQL by one URL.

Writers take turns, from the start of their transaction on, so that none finds out at its end that another was faster,
and what one has read still holds when it writes; readers see one moment and cannot write. Whoever waits too long gets a
clear error, never the driver's.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes.db import migration_lock, schema
from pipeline.tapes.vault.atomic_files import closed

_WAIT_SECONDS = 30.0  # for another's write, which is over far sooner; chosen here
_WRITES = "tape_review_writes"
_TURN = 0x7461706573
"""PostgreSQL's advisory lock that a writer holds."""

_SCRUB = _TURN + 1
"""The one that is held by who rewrites the tables."""

_BUSY_STATES = ("55P03", "40P01", "40001")
"""PostgreSQL's words for: waited too long, deadlock, serialization failure."""


def _nothing(session: Session) -> None:
    """Do nothing before a commit."""


def _nothing_more() -> None:
    """Do nothing after the tables."""


class Database:
    """Sessions on the records.

    Parameters
    ----------
    url: an SQLAlchemy URL, for example ``sqlite:////srv/tapes/tapes.sqlite3`` or ``postgresql+psycopg://…``.
    before_commit: called with the session before a writing transaction commits (the audit adds its rows then).
    """

    def __init__(self, url: str, before_commit: Callable[[Session], None] = _nothing) -> None:
        try:
            self.url = make_url(url)
            self.is_sqlite = self.url.get_backend_name() == "sqlite"
            self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        except (SQLAlchemyError, ImportError) as error:
            remedy = "fix the setting tapes.database; PostgreSQL needs `pip install 'tape-review[postgresql]'`"
            raise TapesError("K03", "database", f"cannot be used ({error})", remedy) from error
        self.name = f"{self.url.get_backend_name()} database {self.url.database}"
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine.execution_options(**snapshot)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._before_commit = before_commit
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database and changes nothing."""
        with Session(self._reader, expire_on_commit=False) as session, self._as_our_errors():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at its end, or leaves no trace if an exception ends it.

        Raises
        ------
        TapesError: K03 the database cannot be reached, K04 others write for longer than we wait.
        """
        with self._taking_turns(), Session(self._writer, expire_on_commit=False) as session, self._as_our_errors():
            self._begin(session)
            yield session
            self._before_commit(session)
            session.commit()

    def migrate(self, revision: str = "head", then: Callable[[], None] = _nothing_more) -> None:
        """Bring the tables to a version: to the newest unless another is named.

        Parameters
        ----------
        then: what else an upgrade does, before another process that waits to migrate finds that nothing is left to do.

        Raises
        ------
        TapesError: K03, K04 another process migrates for longer than we wait, K05 rows would refer to nothing.
        """
        with self._migrating_alone():
            with self._rebuilding() as connection:
                schema.migrate(connection, revision)
            then()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection that may migrate and fill the tables, nobody else doing so; it commits at its end.

        Raises
        ------
        TapesError: K03, K04, K05.
        """
        with self._migrating_alone(), self._rebuilding() as connection:
            yield connection

    @contextmanager
    def _rebuilding(self) -> Iterator[Connection]:
        with self._as_our_errors(), self._writer.connect() as connection:
            if self.is_sqlite:  # it changes a table by making it anew: what refers to the old one must not die with it
                _keep_references(connection, False)
            try:
                with connection.begin():
                    if not self.is_sqlite:  # nobody is in the middle of a write
                        _take_turn(connection)
                    yield connection
                    broken = self.is_sqlite and connection.execute(text("PRAGMA foreign_key_check")).first()
                    if broken:
                        value = f"would have rows in {broken[0]} that refer to nothing"
                        raise TapesError("K05", self.name, value, "restore the last backup")
            finally:
                if self.is_sqlite:
                    _keep_references(connection, True)

    @contextmanager
    def _migrating_alone(self) -> Iterator[None]:
        """Keep other processes from migrating meanwhile: by a file beside SQLite, by a lock in PostgreSQL."""
        if self.is_sqlite:
            with migration_lock.of_file(Path(self.url.database or ""), self._busy):
                yield
            return
        with self._as_our_errors(), self._outside_transactions() as connection:
            migration_lock.take(connection)
            try:
                yield
            finally:
                migration_lock.release(connection)

    def version(self) -> str | None:
        """The version of the tables; None in an empty database."""
        with self._as_our_errors(), self._reader.connect() as connection:
            return schema.version(connection)

    def require_newest(self) -> None:
        """Refuse to work on tables of another version.

        Raises
        ------
        TapesError: K05.
        """
        version, wanted = self.version(), schema.newest()
        if version != wanted:
            remedy = "run `tape-review init`" if version is None else "run `tape-review init --upgrade` after a backup"
            raise TapesError("K05", self.name, f"has version {version}, this program needs {wanted}", remedy)

    def scrub(self) -> None:
        """Leave nothing of what was deleted: not in the write-ahead log, not in free pages.

        Raises
        ------
        TapesError: K04 another connection keeps the log from being emptied.
        """
        if not self.is_sqlite:
            with self._as_our_errors(), self._outside_transactions() as connection:
                connection.execute(text(f"SELECT pg_advisory_lock({_SCRUB})"))  # two at once would wait for each other
                try:
                    connection.execute(text("VACUUM FULL"))
                finally:
                    connection.execute(text(f"SELECT pg_advisory_unlock({_SCRUB})"))
            return
        with self._as_our_errors(), self.engine.connect() as connection:
            driver = _driver(connection)  # outside of any transaction
            driver.execute("PRAGMA query_only = OFF")
            driver.execute("VACUUM")
            deadline = time.monotonic() + _WAIT_SECONDS
            while driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise TapesError("K04", self.name, "is being read all the time", "try again in a minute")
                time.sleep(0.05)

    def size(self) -> int:
        """Bytes that it takes on its disk."""
        if self.is_sqlite:
            path = Path(self.url.database or "")
            return path.stat().st_size if path.is_file() else 0
        with self._as_our_errors(), self._reader.connect() as connection:
            return connection.scalar(text("SELECT pg_database_size(current_database())")) or 0

    def broken_references(self) -> int:
        """How many rows refer to a row that is not there; PostgreSQL lets none come to be."""
        with self._as_our_errors(), self._reader.connect() as connection:
            return len(connection.execute(text("PRAGMA foreign_key_check")).all()) if self.is_sqlite else 0

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """Let the threads of one process write one after another: SQLite would have each look again after a while."""
        if not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise self._busy()
        try:
            yield
        finally:
            self._turn.release()

    def _outside_transactions(self) -> Connection:
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _busy(self) -> TapesError:
        return TapesError("K04", self.name, "is busy", "try again in a minute")

    def _begin(self, session: Session) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                session.connection()
                if not self.is_sqlite:  # which needs telling that one writes at a time; SQLite never does otherwise
                    _take_turn(session.connection())
                return
            except OperationalError as error:
                session.rollback()
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - so that those who wait do not wake together

    @contextmanager
    def _as_our_errors(self) -> Iterator[None]:
        """The driver's errors in our words; a mistake in our own statements stays what it is."""
        try:
            yield
        except OperationalError as error:
            if _is_busy(error):
                raise self._busy() from error
            raise self._lost(error) from error
        except DBAPIError as error:
            if type(error) is not DatabaseError and not error.connection_invalidated:
                raise  # a wrong value or statement is a mistake of ours
            raise self._lost(error) from error
        except sqlite3.Error as error:  # from what we said to the driver directly
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> TapesError:
        reason = (str(getattr(error, "orig", error)).splitlines() or [""])[0]
        remedy = "check that it runs, is not damaged, and is writable"
        return TapesError("K03", self.name, f"cannot be reached ({reason})", remedy)


def sqlite_url(path: Path) -> str:
    """The URL of a database in a file, whatever the names of its folders: in a URL "?" and "%41" are no letters."""
    return URL.create("sqlite", database=str(path.resolve())).render_as_string()


def _is_busy(error: OperationalError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in _BUSY_STATES


def _take_turn(connection: Connection) -> None:
    """Wait in PostgreSQL for whoever writes, until the transaction ends."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS:.3f}s'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))


def _keep_references(connection: Connection, keep: bool) -> None:
    """Switch SQLite's watch over references; it ignores this within a transaction."""
    _driver(connection).execute(f"PRAGMA foreign_keys = {'ON' if keep else 'OFF'}")


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _postgresql(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        raise ArgumentError(f"{url.get_backend_name()} is neither sqlite nor postgresql")
    return create_engine(url, pool_pre_ping=True, hide_parameters=True)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "do_connect")
    def close_to_others(*_: object) -> None:
        closed(Path(url.database or ""))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in ("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
