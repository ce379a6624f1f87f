"""Several items of the vault read as one: a recording lies in the pieces in which it arrived, and is never copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pipeline.files import SizedReader
from pipeline.tapes.vault.encrypted_file import DecryptingReader
from pipeline.tapes.vault.vault import Known, Vault


class JoinedItems(SizedReader):
    """The plaintext of items, one after the other, from any place; one of them is open at a time, and none at first.

    Reading raises what `Vault.open` raises, and what its readers do.
    """

    def __init__(self, vault: Vault, items: Sequence[Known]) -> None:
        self._vault, self._items = vault, items
        self._begins = [0, *accumulate(item.size for item in items)]
        super().__init__(self._begins[-1])
        self._open: tuple[int, DecryptingReader] | None = None

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
