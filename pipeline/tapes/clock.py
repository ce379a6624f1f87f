"""The time: integer milliseconds since 1970, always handed in, so that a test can let a year pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], int]
"""Whatever tells the time; `now` is the real one."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """The present moment."""
    return time.time_ns() // 1_000_000


def at_end_of(day: date) -> int:
    """The last millisecond of a day, UTC: what is allowed until a day is allowed on that day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND + DAY - 1


def day_of(moment: int) -> date:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(moment / SECOND, UTC).date()


def readable(moment: int) -> str:
    """A moment for people to read, UTC, to the second."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
