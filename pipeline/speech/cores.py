"""The cores that a run may keep busy, handed out one at a time.

Engines that do not need each other run side by side; each holds one core while it computes. So diarization keeps one
core until it is done, and the transcriber's chunks take whatever is free: one core at first, both afterwards.

An engine cannot be interrupted while it computes. So a run that has failed, or that somebody stopped, gives out no core
any more: whoever asks for one, or checks in between, ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from pipeline.run.progress import Progress, ignore

Piece = TypeVar("Piece")
Result = TypeVar("Result")


_SHARES = 4
"""A batch is this part of what is left at most: twice the cores of a small machine."""


class StoppedError(Exception):
    """The run was stopped: nobody waits for its results."""


class Cores:
    """A fixed number of cores; `hold_one` blocks until one is free."""

    def __init__(self, number: int) -> None:
        if number < 1:
            raise ValueError(f"a run needs at least one core, not {number}")
        self.number = number
        self._free = threading.BoundedSemaphore(number)
        self._stopped = threading.Event()

    @contextmanager
    def hold_one(self) -> Iterator[None]:
        """Hold one core for the length of a ``with`` block.

        Raises
        ------
        StoppedError: the run was stopped.
        """
        self.raise_if_stopped()
        with self._free:
            self.raise_if_stopped()
            yield

    def stop(self) -> None:
        """Make everybody end who asks for a core or checks whether the run was stopped."""
        self._stopped.set()

    def raise_if_stopped(self) -> None:
        """Raise `StoppedError` where the run was stopped."""
        if self._stopped.is_set():
            raise StoppedError


def in_batches(
    todo: Sequence[Piece],
    size: int,
    cores: Cores,
    do: Callable[[Sequence[Piece]], list[Result]],
    progress: Progress = ignore,
) -> list[Result]:
    """Return what ``do`` makes of all items, in order: ``size`` of them at once, on the cores that are free.

    The last batches are smaller, so that no core waits long for another (guided self-scheduling, Polychronopoulos and
    Kuck, 1987). Which items are one batch does not depend on the number of cores: an engine's rounding differs a little
    from batch to batch, and a beam may turn on it.
    """
    batches = []
    first = 0
    while first < len(todo):
        number = min(size, -(-(len(todo) - first) // _SHARES))
        batches.append(todo[first : first + number])
        first += number
    done = _Counter(len(todo), progress)

    def work(batch: Sequence[Piece]) -> list[Result]:
        with cores.hold_one():
            results = do(batch)
        done.add(len(batch))
        return results

    with ThreadPoolExecutor(cores.number, thread_name_prefix="batches") as pool:
        return list(chain.from_iterable(pool.map(work, batches)))


class _Counter:
    """Items done so far, reported as a fraction; threads may finish in any order."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done, self._lock = 0, threading.Lock()

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._done / self._total)
