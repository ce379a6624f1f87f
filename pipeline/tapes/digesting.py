"""A file that is digested while somebody else reads it."""

from __future__ import annotations

import hashlib
from typing import BinaryIO


class Digesting:
    """Hands a file on, piece by piece, and keeps the SHA-256 of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """The next piece."""
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """SHA-256 of what was read so far, in hexadecimal digits."""
        return self._hash.hexdigest()
