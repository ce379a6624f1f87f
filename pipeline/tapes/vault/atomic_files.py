"""Files of a home: they appear whole or not at all, and their owner alone can read them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import VaultError
from pipeline.files import UNWRITABLE, atomic_write, settle

_SECONDS_TO_LOCK = 5  # a writer locks its file right after it has made it


@contextmanager
def published(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write that stands at ``path`` afterwards, mode 0600.

    Parameters
    ----------
    replace: whether a file that stands there already gives way; if not, `FileExistsError` tells of it.

    Raises
    ------
    VaultError: V08 where the disk is full, cannot be written, or refuses us.
    """
    with writable(path), atomic_write(path, replace=replace) as file:
        yield file


def abandoned(partial: Path) -> bool:
    """Whether the writer of an unpublished file is dead."""
    try:
        with partial.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return time.time() - os.fstat(file.fileno()).st_mtime > _SECONDS_TO_LOCK
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Tell of a disk that cannot be written in our own words.

    Raises
    ------
    VaultError: V08.
    """
    try:
        yield
    except OSError as error:
        if error.errno in UNWRITABLE:
            value = f"cannot be written ({error.strerror or error})"
            remedy = "free some space there or fix its permissions, and try again"
            raise VaultError("V08", f"file {path}", value, remedy) from error
        raise


def closed(path: Path) -> None:
    """Have a file that something else will write be its owner's alone, before that; where it cannot be, that tells."""
    with suppress(OSError):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:  # never opened and closed: that would end the locks that SQLite holds in this process
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def appended(path: Path, line: str) -> None:
    """Add a line to a list that is only added to, and force it to the disk; a line that was cut stands by itself.

    Raises
    ------
    VaultError: V08.
    """
    with writable(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            left = memoryview(f"\n{line}\n".encode())
            while left:  # a disk that fills up takes a part, and says so at the next write only
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        settle(path.parent)


def require_text(path: Path) -> None:
    """Refuse a path that cannot be noted on one line, to be found again by it: a file that is not found outlives its
    tape.

    Raises
    ------
    VaultError: V08.
    """
    if "\n" in str(path) or not is_text(str(path)):
        raise VaultError("V08", f"file {str(path)!r}", "has a name that is no line of text", "name another place")


def is_text(name: str) -> bool:
    """Whether a name that the system gave is UTF-8; names are bytes there, and Python keeps what is none as it was."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def owned(folder: Path) -> Path:
    """Make a folder that only its owner can enter, with those above it that are missing.

    Raises
    ------
    VaultError: V08.
    """
    with writable(folder):
        for missing in [each for each in (*reversed(folder.parents), folder) if not each.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)
    return folder
