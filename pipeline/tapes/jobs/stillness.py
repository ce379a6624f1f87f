"""Whether a process has come to a standstill: it neither computes nor reports, and will never come to its end.

The threads of the engines' libraries wait for each other, and a mistake in there makes a process wait for itself. What
distinguishes that from a long computation is the processor time, which a process that waits does not use.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

STILL_SECONDS = 600.0
"""A process that did nothing for so long does nothing anymore: whoever waits for a lock gives up much sooner."""

_WORK = 0.5
"""Seconds of processor time that count as work; a process whose threads all wait uses none."""

_LOOKS = 10
"""Looks within that time: each reads the whole table of processes."""


class Stillness:
    """Notices that nothing moves any more.

    Parameters
    ----------
    used: the processor time so far, seconds.
    limit: seconds without work or a report after which it is a standstill.
    """

    def __init__(
        self, used: Callable[[], float], limit: float = STILL_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._processor_time, self._limit, self._clock = used, limit, clock
        self._used = used()
        self.moved()

    def moved(self) -> None:
        """Note a report, which is a sign of life."""
        self._since = self._looked = self._clock()

    def lasts(self) -> bool:
        """Return whether nothing has moved for too long."""
        now = self._clock()
        if now - self._looked >= self._limit / _LOOKS:
            self._looked, used = now, self._processor_time()
            if abs(used - self._used) >= _WORK:  # it gets less when a process below ends
                self._since, self._used = now, used
        return now - self._since >= self._limit


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and all below it, seconds; 0 where it has ended."""
    try:
        process = psutil.Process(pid)
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    except psutil.Error:  # one of them ends right now
        return 0.0
    return float(sum(each.user + each.system for each in times))
