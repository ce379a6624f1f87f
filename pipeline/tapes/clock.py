"""The time: integer milliseconds since 1970, always handed in, so that a test can let a year pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], int]
"""Whatever tells the time; `now` is the real one."""

# In milliseconds.
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """The present moment."""
    return time.time_ns() // 1_000_000


def at_end_of(day: date) -> int:
    """Return the last millisecond of a day in UTC, which stands for that day in the records in every time zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND + DAY - 1


def over_here(moment: int) -> int:
    """When the clocks of this machine show what UTC shows at ``moment``; for `at_end_of`, when the day is over here.

    What is allowed until a day is allowed on that day, as long as it lasts where the tapes are.
    """
    seconds, rest = divmod(moment, SECOND)
    try:
        shown = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, fold=1)  # an hour that comes twice: its end
        return int(shown.timestamp()) * SECOND + rest
    except (ValueError, OverflowError, OSError):  # at the end of the calendar
        return moment


def day_of(moment: int) -> date:
    """The day of a moment, UTC; for `at_end_of`, the day that it was given."""
    return datetime.fromtimestamp(moment / SECOND, UTC).date()


def today(moment: int) -> date:
    """The day that it is here: in the zone of this machine."""
    return datetime.fromtimestamp(moment / SECOND, UTC).astimezone().date()


def latest_day(moment: int) -> date:
    """The latest day that it is anywhere: a person's may have begun where the machine's has not, by up to 14 hours."""
    return day_of(moment + 14 * HOUR)


def readable(moment: int) -> str:
    """A moment for people to read, UTC, to the second."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
