"""Readiness over the session: change talk minus sustain talk so far, and where the line turns.

Each utterance of change talk raises the line by one, each of sustain talk lowers it by one; neutral talk does not move
it, and neither does an utterance that is both. A *turning point* is the last utterance before the line, having moved
one way by at least ``swing``, moves the other way by at least ``swing``. With the default of 3, one wrong tag cannot
put a turning point into a line that only rises or only falls: taking change for sustain moves it by 2.

::

    value  0 -1 -2 -3 -3 -2 -1  0      a turning point toward change at the second -3,
                    ^                  known once the line is back at 0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import languages
from pipeline.measures.session.coded_table import (
    CLIENT,
    has_times,
    language_shares,
    sort_by_time,
    string_column,
    uncoded_rows,
)
from pipeline.measures.session.counts import BY_UTTERANCE, CHANGE, SUSTAIN, CountingRule, carries_any
from pipeline.measures.session.draws import Presence, chosen_codes, draw_codes

MIN_SWING = 3
"""Utterances that the line must move each way around a turning point; see above."""


@dataclass(frozen=True)
class ReadinessPoint:
    """The line after one client utterance: ``time`` is its end in ms (None without times), ``low`` to ``high`` the
    interval of ``value``."""

    utterance_id: str
    time: int | None
    step: int
    value: int
    low: int
    high: int


@dataclass(frozen=True)
class TurningPoint:
    """The last utterance before the line turns, and the direction in which it turns."""

    utterance_id: str
    time: int | None
    value: int
    toward: Literal["change", "sustain"]


@dataclass(frozen=True)
class ReadinessLine:
    """The readiness line, one point for each client utterance, and its turning points.

    If the codebook does not distinguish change from sustain talk there is no line, and ``undefined`` is the reason."""

    points: tuple[ReadinessPoint, ...]
    turning_points: tuple[TurningPoint, ...]
    swing: int
    undefined: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; times in seconds: ``{swing, points: [{utterance_id, time, step, value, low, high}],
        turning_points: [{utterance_id, time, value, toward}], undefined: text | null}``."""
        plain = asdict(self)
        for entry in (*plain["points"], *plain["turning_points"]):
            entry["time"] = None if entry["time"] is None else entry["time"] / 1000
        return {name: list(part) if isinstance(part, tuple) else part for name, part in plain.items()}


def readiness_line(
    table: pd.DataFrame,
    rule: CountingRule = BY_UTTERANCE,
    width: float = 0.9,
    seed: int = 0,
    session_effect_sd: Mapping[str, float] | None = None,
    draws: int = 2000,
    swing: int = MIN_SWING,
) -> ReadinessLine:
    """Return the readiness line of one tape; parameters as in `pipeline.measures.session.measures.session_measures`.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    rows = sort_by_time(table)
    if reason := languages.no_figures_reason(language_shares(rows)) or rule.missing_reason("talk"):
        return ReadinessLine((), (), swing, reason)
    is_client = (rows["role"].to_numpy(dtype=object) == CLIENT) & ~np.array(uncoded_rows(rows), dtype=bool)
    certain, random = chosen_codes(rows), draw_codes(rows, draws, seed, session_effect_sd or {})
    step, lines = (_steps(presence, rule)[:, is_client] for presence in (certain, random))
    value, lines = np.cumsum(step[0]), np.sort(np.cumsum(lines, axis=1), axis=0)
    tail = (1 - width) / 2 * (draws - 1)
    low, high = lines[int(np.floor(tail + 1e-9))], lines[int(np.ceil(draws - 1 - tail - 1e-9))]
    client = rows[is_client]
    names = string_column(client, "utterance_id")
    times = [int(end) for end in client["end"]] if has_times(rows) else [None] * len(client)
    points = tuple(
        ReadinessPoint(name, time, *(int(number) for number in numbers))
        for name, time, *numbers in zip(names, times, step[0], value, low, high, strict=True)
    )
    turns = tuple(
        TurningPoint(points[index].utterance_id, points[index].time, points[index].value, "change" if up else "sustain")
        for index, up in turning_points([point.value for point in points], swing)
    )
    return ReadinessLine(points, turns, swing)


def _steps(presence: Presence, rule: CountingRule) -> NDArray[np.int64]:
    """Return how far each utterance moves the line (1, 0 or -1), shape (draws, rows)."""
    up, down = (carries_any(presence, rule.codes_for(meaning)).astype(np.int64) for meaning in (CHANGE, SUSTAIN))
    return up - down


def turning_points(values: Sequence[int], swing: int = MIN_SWING) -> list[tuple[int, bool]]:
    """Return the index of each turning point of a line that starts at 0, and whether it turns upward.

    >>> turning_points([-1, -2, -3, -3, -2, -1, 0])
    [(3, True)]
    """
    turns: list[tuple[int, bool]] = []
    lowest = highest = 0
    lowest_index = highest_index = -1
    direction = 0
    for index, value in enumerate(values):
        if value >= highest:
            highest, highest_index = value, index
        if value <= lowest:
            lowest, lowest_index = value, index
        if direction >= 0 and value <= highest - swing:
            if direction > 0:
                turns.append((highest_index, False))
            direction, lowest, lowest_index = -1, value, index
        elif direction <= 0 and value >= lowest + swing:
            if direction < 0:
                turns.append((lowest_index, True))
            direction, highest, highest_index = 1, value, index
    return turns
