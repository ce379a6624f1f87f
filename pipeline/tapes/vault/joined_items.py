"""Several items of the vault read as one: a recording lies in the pieces in which it arrived, and is never copied."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pipeline.tapes.vault.encrypted_file import DecryptingReader
from pipeline.tapes.vault.vault import Known, Vault


class JoinedItems(io.RawIOBase):
    """The plaintext of items, one after the other, from any place; one of them is open at a time, and none at first.

    Reading raises what `Vault.open` raises, and what its readers do.
    """

    def __init__(self, vault: Vault, items: Sequence[Known]) -> None:
        super().__init__()
        self._vault, self._items = vault, items
        self._begins = [0, *accumulate(item.size for item in items)]
        self.size = self._begins[-1]
        self._position = 0
        self._open: tuple[int, DecryptingReader] | None = None

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
        """Go somewhere; beyond the end nothing is read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("cannot seek before the beginning")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer as far as the plaintext goes."""
        if self.closed:
            raise ValueError("the items are closed")
        into, done = memoryview(buffer).cast("B"), 0
        while done < len(into) and self._position < self.size:
            number = bisect_right(self._begins, self._position) - 1
            reader = self._reader(number)
            reader.seek(self._position - self._begins[number])
            count = reader.readinto(into[done:])
            done += count
            self._position += count
        return done

    def close(self) -> None:
        """Close the item that is open."""
        if self._open:
            self._open[1].close()
        self._open = None
        super().close()

    def _reader(self, number: int) -> DecryptingReader:
        if self._open is None or self._open[0] != number:
            if self._open:
                self._open[1].close()
            self._open = None
            self._open = number, self._vault.open(self._items[number])
        return self._open[1]
