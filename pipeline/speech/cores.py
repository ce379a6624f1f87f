"""The cores that a run may keep busy, handed out one at a time.

Engines that do not need each other run side by side; each holds one core while it computes. So diarization keeps one
core until it is done, and the transcriber's windows take whatever is free: one core at first, both afterwards.

An engine cannot be interrupted while it computes. So a run that has failed, or that somebody stopped, gives out no core
any more: whoever asks for one, or looks in between, ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StoppedError(Exception):
    """The run was stopped: nobody waits for what is being computed."""


class Cores:
    """A fixed number of cores; `one` blocks until one is free."""

    def __init__(self, number: int) -> None:
        if number < 1:
            raise ValueError(f"a run needs at least one core, not {number}")
        self.number = number
        self._free = threading.BoundedSemaphore(number)
        self._stopped = threading.Event()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one core for the length of a ``with`` block.

        Raises
        ------
        StoppedError: the run was stopped.
        """
        self.go_on()
        with self._free:
            self.go_on()
            yield

    def stop(self) -> None:
        """Let everybody end who asks for a core or looks whether to go on."""
        self._stopped.set()

    def go_on(self) -> None:
        """Raise `StoppedError` where the run was stopped."""
        if self._stopped.is_set():
            raise StoppedError
