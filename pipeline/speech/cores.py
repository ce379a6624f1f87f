"""The cores that a run may keep busy, handed out one at a time.

Engines that do not need each other run side by side; each holds one core while it computes. So diarization keeps one
core until it is done, and the transcriber's windows take whatever is free: one core at first, both afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """A fixed number of cores; `one` blocks until one is free."""

    def __init__(self, number: int) -> None:
        if number < 1:
            raise ValueError(f"a run needs at least one core, not {number}")
        self.number = number
        self._free = threading.BoundedSemaphore(number)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one core for the length of a ``with`` block."""
        with self._free:
            yield
