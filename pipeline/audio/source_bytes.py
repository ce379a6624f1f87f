"""The bytes of a recording: those of a file, or of something that can be read from anywhere, such as the vault's."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SoundSource = Path | io.RawIOBase
"""A file, or an open reader that can seek; who opened the reader closes it."""

_BLOCK = 1 << 20  # bytes that are digested at once


@dataclass(frozen=True)
class SourceBytes:
    """``size`` bytes, of which ``read`` returns so many from an offset within them, fewer at the end."""

    size: int
    read: Callable[[int, int], bytes]

    def read_at(self, offset: int, count: int) -> bytes:
        """The bytes at any offset, fewer at the end, none behind it."""
        return self.read(offset, count) if offset < self.size else b""

    def sha256(self) -> str:
        """SHA-256 of all bytes, in hexadecimal digits."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, _BLOCK):
            digest.update(self.read(offset, _BLOCK))
        return digest.hexdigest()


@contextmanager
def opened(source: SoundSource) -> Iterator[SourceBytes | None]:
    """The bytes of a source; None where a path is no regular file. Opening does not wait for a pipe's other end.

    Raises
    ------
    OSError, ValueError: the path cannot be opened.
    """
    if isinstance(source, io.RawIOBase):
        yield _of_reader(source)
        return
    file = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(file)
        is_file = stat.S_ISREG(status.st_mode)
        yield SourceBytes(status.st_size, lambda offset, count: os.pread(file, count, offset)) if is_file else None
    finally:
        os.close(file)


def _of_reader(reader: io.RawIOBase) -> SourceBytes:
    def read(offset: int, count: int) -> bytes:
        reader.seek(offset)
        content = bytearray()
        while len(content) < count and (piece := reader.read(count - len(content))):
            content += piece
        return bytes(content)

    return SourceBytes(reader.seek(0, os.SEEK_END), read)
