"""When the files of a recording began, as their recorders wrote it: a suggestion of their order and of the gaps.

Clocks are wrong, and some recorders write when they stopped. So nothing here decides anything: it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

_UNSET = 1990  # a year before which no file was recorded: clocks begin in 1904, 1970 and 1980
_LONGEST = 4 * 3600  # seconds: a session has no longer pause


@dataclass(frozen=True)
class FileTimes:
    """``duration`` of a file's sound in milliseconds, and when it says that it was ``recorded`` (ISO 8601)."""

    duration: int
    recorded: str | None = None

    @property
    def began(self) -> datetime | None:
        """When the file began; with a time zone, or the recorder's own time without one."""
        return _moment(self.recorded) if self.recorded else None


@dataclass(frozen=True)
class OrderSuggestion:
    """The files' numbers, from 1, in the order of their times, and the seconds between each and the next.

    ``gaps`` is empty where a file ends after the next begins, or so long before that it is another session.
    """

    order: tuple[int, ...]
    gaps: tuple[int, ...]


def suggested(files: Sequence[FileTimes | None]) -> OrderSuggestion | None:
    """Return what the times of all files suggest; None where one has none, or they cannot be compared."""
    known = [(file.began, number, file.duration) for number, file in enumerate(files, 1) if file and file.began]
    if len(known) < len(files) or len(files) < 2 or len({moment.tzinfo is None for moment, _, _ in known}) > 1:
        return None
    ordered = sorted(known)
    if len({moment for moment, _, _ in ordered}) < len(ordered):
        return None
    pauses = [
        (following - moment).total_seconds() - duration / 1000
        for (moment, _, duration), (following, _, _) in pairwise(ordered)
    ]
    fits = all(-1 <= pause <= _LONGEST for pause in pauses)
    gaps = tuple(max(0, round(pause)) for pause in pauses) if fits else ()
    return OrderSuggestion(tuple(number for _, number, _ in ordered), gaps)


def _moment(text: str) -> datetime | None:
    written = re.sub(r"^(\d{4})[:/_](\d\d)[:/_](\d\d)", r"\1-\2-\3", text.strip())
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.year >= _UNSET else None
