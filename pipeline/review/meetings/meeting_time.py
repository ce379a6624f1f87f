"""When a group meets, as its clock shows it: in the group's time zone, or in that of this computer where it has none.

>>> moment("2026-03-29T18:00", "Europe/Berlin") - moment("2026-03-28T18:00", "Europe/Berlin")  # a day of 23 hours
82800000
>>> clock_time(moment("2026-03-29T01:30", "Europe/Berlin") + 60 * 60_000, "Europe/Berlin")
'03:30'
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


class NoSuchTimeError(ValueError):
    """The clocks of a time zone never show this time, or it is no time; the text says so to whoever typed it."""


@cache
def time_zones() -> tuple[str, ...]:
    """The names of places that a group may choose, sorted."""
    areas = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in areas and "/" in name))


def local(ms: int, zone: str) -> datetime:
    """A moment, in ms since 1970, as the clock of a time zone shows it; "" is this computer's."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone) if zone else None)


def moment(text: str, zone: str) -> int:
    """The moment, in ms since 1970, of a day and time in a time zone: ``2026-03-29T18:00``.

    Where the clocks go back and show a time twice, the first is meant.

    Raises
    ------
    NoSuchTimeError: it is none, or the clocks skip it.
    """
    try:
        shown = datetime.fromisoformat(text).replace(second=0, microsecond=0)
        if shown.tzinfo is not None:
            raise ValueError("a time of another zone")
        ms = int((shown.replace(tzinfo=ZoneInfo(zone)) if zone else shown.astimezone()).timestamp()) * 1000
    except (ValueError, OverflowError, OSError):
        ms = 0
    if not 0 < ms < 1 << 42:
        raise NoSuchTimeError("Enter the day and time.")
    if local(ms, zone).replace(tzinfo=None) != shown:
        raise NoSuchTimeError(f"The clocks go forward on that day, and skip {shown:%H:%M}. Choose another time.")
    return ms


def clock_time(ms: int, zone: str) -> str:
    """The time of day of a moment: 18:00."""
    return f"{local(ms, zone):%H:%M}"


def day_and_time(ms: int, zone: str) -> str:
    """A moment in words: November 24, 2026, 18:30."""
    shown = local(ms, zone)
    return f"{shown:%B} {shown.day}, {shown.year}, {shown:%H:%M}"


def field_value(ms: int, zone: str) -> str:
    """A moment as the value of a field for day and time."""
    return f"{local(ms, zone):%Y-%m-%dT%H:%M}"
