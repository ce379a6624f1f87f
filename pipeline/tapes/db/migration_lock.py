"""One process migrates at a time, also where two of a new version start at once; the others wait, and find it done.

The kernel, or PostgreSQL, lets go of the lock when its holder ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from pipeline.errors import TapesError
from pipeline.tapes.vault.atomic_files import writable

PATIENCE = 600.0
"""Seconds to wait for another's migration: the largest table that is made anew takes minutes."""

SUFFIX = ".migrating"
"""What the file is called that is locked beside an SQLite database; it stays there, empty."""

_LOCK = 0x7461706573 + 2
"""PostgreSQL's advisory lock; `database` has the two before it."""

_LOOK = 0.05  # seconds between two tries; nobody waits for this often


@contextmanager
def of_file(database: Path, busy: Callable[[], TapesError]) -> Iterator[None]:
    """Hold the lock of an SQLite database; one in memory, or in a folder that is not there, is nobody else's.

    Raises
    ------
    TapesError: what ``busy`` makes, where another holds it for too long. VaultError: V08.
    """
    if str(database) in ("", ".", ":memory:") or not database.parent.is_dir():
        yield
        return
    path, deadline = database.with_name(database.name + SUFFIX), time.monotonic() + PATIENCE
    with writable(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise busy()
            time.sleep(_LOOK)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take(connection: Connection) -> None:
    """Hold PostgreSQL's lock, on a connection without a transaction."""
    connection.execute(text(f"SET lock_timeout = '{PATIENCE:.0f}s'"))
    connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))


def release(connection: Connection) -> None:
    """Let go of it."""
    connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
    connection.execute(text("RESET lock_timeout"))
