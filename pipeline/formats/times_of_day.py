"""Times of the day in a table, "10:02:11 AM" or "2024-05-01 10:02:11", as times from the first of them."""

from __future__ import annotations

import re

import pandas as pd

_DAY = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d[ T])?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:[.,]\d{1,6})?))?"
    r"\s?(?:(?P<half>[AaPp])\.?[Mm]\.?)?"
)


def fits(cell: str) -> bool:
    """Whether a time has a date before it, or am or pm behind it."""
    match = _DAY.fullmatch(cell.strip())
    return match is not None and bool(match["date"] or match["half"])


def since_the_first(table: pd.DataFrame) -> pd.DataFrame:
    """The table whose times of the day count from the first of them; over midnight, too."""
    seconds = {column: table[column].map(_second_of_day) for column in ("start", "end") if column in table}
    first = seconds["start"].dropna().iloc[0]
    since = {column: (times - first) % 86_400 for column, times in seconds.items()}
    shifted = {
        column: [old if pd.isna(time) else f"{time:.3f}" for time, old in zip(times, table[column], strict=True)]
        for column, times in since.items()
    }
    return table.assign(**shifted)


def _second_of_day(cell: str) -> float | None:
    match = _DAY.fullmatch(cell.strip())
    if match is None:
        return None
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    return hour * 3600.0 + int(match["minute"]) * 60 + float((match["second"] or "0").replace(",", "."))
