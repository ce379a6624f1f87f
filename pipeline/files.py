"""Files: what tells that two are the same, and how one is written whole or not at all.

A file is written beside its place under a name of its own, forced to the disk, and renamed; the folder is forced to the
disk as well, so that what was written is there after a power cut. Whatever fails on the way leaves nothing behind.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from pipeline.errors import OutputError

PARTIAL = ".partial"
"""How a file ends that is not yet whole."""

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EFBIG}
"""The system's errors where a folder has no room, cannot be written, or is forbidden to us."""

_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""The system's errors where a disk has no hard links, such as FAT and exFAT."""


def sha256(file: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class SizedReader(io.RawIOBase):
    """A stream of ``size`` bytes that can be read from anywhere; beyond its end nothing is read.

    Subclasses read from ``_position`` on, and move it.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("cannot seek before the beginning")
        self._position = start + offset
        return self._position


class Digesting:
    """Hands a file on, piece by piece, and keeps the SHA-256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """The next piece."""
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """SHA-256 of what was read so far, in hexadecimal digits."""
        return self._hash.hexdigest()


@contextmanager
def atomic_write(path: Path, *, replace: bool = False, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write that stands at ``path`` afterwards.

    Parameters
    ----------
    replace: whether a file that stands there already gives way; if not, `FileExistsError` tells of it.
    mode: who may read and write it, less what the process forbids (umask).

    Raises
    ------
    OSError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # tells a sweep that somebody is at it
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.rename(partial, path)
        else:
            _name(partial, path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    settle(path.parent)


def _name(partial: Path, path: Path) -> None:
    """Give a written file its name, unless something has that name."""
    try:
        os.link(partial, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A crash between the two steps leaves an empty file, which nobody takes for a backup.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            os.rename(partial, path)
        except BaseException:
            path.unlink()
            raise


def settle(folder: Path) -> None:
    """Force what was renamed or removed in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(path: Path, data: bytes) -> None:
    """Write bytes to a file that a user named, in place of what stands there.

    Raises
    ------
    OutputError: O04 it cannot be written.
    """
    if not path.name:
        raise OutputError("O04", f"file {path}", "cannot be written (it is a folder)", "name a file in it")
    try:
        with atomic_write(path, replace=True, mode=0o666) as file:
            file.write(data)
    except OSError as error:
        remedy = "choose a folder that exists and can be written"
        raise OutputError("O04", f"file {path.name}", f"cannot be written ({error.strerror})", remedy) from error
