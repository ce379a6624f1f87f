"""Does a coder's coding move? A control chart a coder and family of codes, read out in a sentence.

Drift is when the marginals move: a coder begins to see more, or less, of a code than the reference does, and the pair
of codes that moved has a name. Noise is when agreement falls and the marginals stay, as harder tapes may do. Both
are for the coder and the coach to talk about, at the tapes that are named; the group sees the group's own row.

The reference is the coach where the coach coded, else the group's consensus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, ControlChart, chart_state, control_chart
from pipeline.measures.drift.sentences import drift_sentence, noise_sentence
from pipeline.measures.reliability.comparisons import Comparison, confusion_tables
from pipeline.measures.reliability.rating_matrix import (
    COACH,
    CONSENSUS,
    MACHINE,
    MEMBER,
    NOT_CODED,
    Grid,
    Level,
    RatingMatrix,
)

MIN_UNITS = 10
"""Units that a tape needs to be charted."""

DRIFT_COLUMNS = (
    *("coder", "layer", "reference", "family", "tapes", "units", "center", "mean", "limit", "state", "since_tape"),
    *("reference_code", "coder_code", "units_moved", "units_reverse", "code_ratio", "p_marginals"),
    *("tapes_to_discuss", "sentence"),
)
"""Columns of the table of drift."""

POINT_COLUMNS = (
    *("coder", "layer", "reference", "family", "segment", "order", "tape_id", "coded_at", "units", "agreement"),
    *("mean", "center", "limit", "calibrated", "alarm", "shift"),
)
"""Columns of the table of points: what the charts draw."""
RUN_LENGTH, RUN_LENGTH_AT_FIRST, FIRST_TAPES = 250, 120, 50
"""Tapes for each false alarm of one chart over the first 250 tapes, and over the `FIRST_TAPES` ones, as
``tests/benchmarks/drift.py`` finds them: at first the center line is of five tapes and may lie wrong."""


class ChartNote(NamedTuple):
    """What was left out of whose charts, and why; the coder is empty where it is about all.

    ``small``: family -> tapes that were left out, as both coded under `MIN_UNITS` utterances on them; no sentence then.
    """

    coder: str
    sentence: str
    small: tuple[tuple[str, int], ...] = ()

    def told(self, family: Callable[[str], str] = str) -> str:
        """The sentence; ``family`` words the names of families."""
        if not self.small:
            return self.sentence
        left = ", ".join(f"{family(name)} {_tapes(tapes)}" for name, tapes in self.small)
        return f"{self.coder}: left out, because both coded fewer than {MIN_UNITS} utterances of them: {left}."


@dataclass(frozen=True)
class DriftReport:
    """``table``: a row a coder and family; ``points``: a row a charted tape; ``notes``: what was left out."""

    table: pd.DataFrame
    points: pd.DataFrame
    notes: tuple[ChartNote, ...]


def detect_drift(ratings: RatingMatrix, recalibrated: Mapping[str, Sequence[float]] | None = None) -> DriftReport:
    """Chart every coder, the machine, and the group as a whole.

    Parameters
    ----------
    ratings: the codes.
    recalibrated: coder -> moments (ms since 1970) from which on the coder's charts begin anew; the group's events stand
        under ``group``.
    """
    reference = next((layer for layer in (COACH, CONSENSUS) if ratings.rows(layer)), None)
    if reference is None:
        return _nothing("There is no coach and no consensus to compare with: no chart.")
    charted = list(_charted(ratings, reference))
    if not charted:
        if len(ratings.rows(reference)) == len(ratings.coders):
            return _nothing(f"Nobody but the {reference} coded: no chart.")
        return _nothing(f"Nobody else coded an utterance that the {reference} coded: no chart.")
    rows, points, notes = [], [], []
    small: dict[str, dict[str, int]] = {}
    for level in (level for level in ratings.levels if level.kind == "family"):
        cells = level.values_of(ratings.grid)
        for layer, coder, comparison in charted:
            series = _series(ratings, level, comparison, cells)
            if len(series.tables):
                events = (recalibrated or {}).get(coder, ())
                row, drawn = _row(ratings, level, series, events, (coder, layer, reference, level.name))
                rows.append(row)
                points += drawn
            if series.undated:
                left = f"{_tapes(series.undated)} without coded_at left out of the charts"
                notes.append(ChartNote(coder, f"{coder}: {left}."))
            if series.small:
                small.setdefault(coder, {})[level.name] = series.small
    table = pd.DataFrame(rows, columns=list(DRIFT_COLUMNS))
    order = {(layer, name): place for place, (layer, name, _) in enumerate(charted)}
    if len(table):
        place = [order[key] for key in zip(table["layer"], table["coder"], strict=True)]
        table = table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)
    notes += [ChartNote(coder, "", tuple(families.items())) for coder, families in small.items()]
    return DriftReport(table, pd.DataFrame(points, columns=list(POINT_COLUMNS)), tuple(dict.fromkeys(notes)))


def tapes_per_false_alarm(table: pd.DataFrame) -> int | None:
    """In how many tapes about one of a table's charts speaks by chance alone; None where no chart watches yet."""
    tapes = table.loc[table["state"] != "too few tapes", "tapes"].to_numpy(dtype=float)
    if not len(tapes):
        return None
    return max(1, round(1 / float(np.where(tapes <= FIRST_TAPES, 1 / RUN_LENGTH_AT_FIRST, 1 / RUN_LENGTH).sum())))


def _nothing(note: str) -> DriftReport:
    return DriftReport(
        pd.DataFrame(columns=list(DRIFT_COLUMNS)), pd.DataFrame(columns=list(POINT_COLUMNS)), (ChartNote("", note),)
    )


def _charted(ratings: RatingMatrix, reference: str) -> Iterator[tuple[str, str, Comparison]]:
    """Layer, name and comparison (reference first) of each whose coding is charted."""
    known = tuple(ratings.rows(reference))
    members = tuple(ratings.rows(MEMBER))
    alone = [("group", "group", members)] if len(members) > 1 else []
    layers = (MEMBER, MACHINE) if reference == CONSENSUS else (MEMBER, CONSENSUS, MACHINE)
    named = {row: CONSENSUS if layer == CONSENSUS else coder for row, (layer, coder) in enumerate(ratings.coders)}
    alone += [(layer, named[row], (row,)) for layer in layers for row in ratings.rows(layer)]
    for layer, name, rows in alone:
        comparison = Comparison("drift", reference, name, known, rows)
        if any(((ratings.grid[one] >= 0) & (ratings.grid[other] >= 0)).any() for one, other in comparison.pairs):
            yield layer, name, comparison


@dataclass(frozen=True)
class _Series:
    """The tapes of one chart in order of time."""

    tables: NDArray[np.float64]
    tapes: NDArray[np.int64]
    times: NDArray[np.float64]
    undated: int
    small: int


def _series(ratings: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> _Series:
    found = confusion_tables(ratings, level, comparison, cells)
    if len(comparison.pairs) > 1:
        found = _once(ratings, comparison, cells, found)
    units = found.sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        own, other = (
            np.fmax.reduce(ratings.times[list(rows)], axis=0) for rows in (comparison.second, comparison.first)
        )
    # The group as a whole, and a machine without dates, are charted in the order in which the reference was coded.
    times = other if len(comparison.second) > 1 else np.where(np.isnan(own), other, own)
    dated, enough = ~np.isnan(times), units >= MIN_UNITS
    kept = np.flatnonzero(dated & enough)
    order = kept[np.argsort(times[kept], kind="stable")]
    return _Series(
        *(found[order], order, times[order]),
        undated=int(((units > 0) & ~dated).sum()),
        small=int(((units > 0) & dated & ~enough).sum()),
    )


def _once(
    ratings: RatingMatrix, comparison: Comparison, cells: Grid, found: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Tables of several coders, each utterance counted once: eight who speak of it do not make it eight."""
    shared = np.zeros(cells.shape[1], dtype=bool)
    for one, other in comparison.pairs:
        shared |= ratings.comparable(one, other, cells)
    utterances = np.bincount(ratings.tape_index[shared], minlength=len(found))
    pairs = np.maximum(found.sum(axis=(1, 2)), 1)
    return np.asarray(np.rint(found * (utterances / pairs)[:, None, None]))


def _row(
    ratings: RatingMatrix, level: Level, series: _Series, events: Sequence[float], head: tuple[str, str, str, str]
) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    """The row of a chart since the last event, and the points of all segments between events."""
    bounds = [0, *(int(np.searchsorted(series.times, event)) for event in sorted(events)), len(series.tapes)]
    points: list[tuple[object, ...]] = []
    charts = []
    for segment, (start, end) in enumerate(pairwise(bounds), 1):
        found = control_chart(series.tables[start:end])
        charts.append(found)
        points += _points(ratings, series, found, segment, start, end, head)
    start, last = bounds[-2], charts[-1]
    units = int(series.tables[start:].sum())
    begin = (*head, len(series.tapes) - start, units)
    if last is None or len(last.units) == CALIBRATION_TAPES:
        lacking = CALIBRATION_TAPES + 1 - (len(series.tapes) - start)
        why = f"{lacking} more {'tape' if lacking == 1 else 'tapes'} must be coded by both before drift can show."
        return (*begin, last.center if last else None, None, None, "too few tapes", *[None] * 7, "", why), points
    figures = (last.center, float(last.mean[-1]), float(last.limit[-1]))
    state = _state(ratings, level, series, last, start, head)
    return (*begin, *figures, *state), points


def _state(
    ratings: RatingMatrix,
    level: Level,
    series: _Series,
    found: ControlChart,
    start: int,
    head: tuple[str, str, str, str],
) -> tuple[object, ...]:
    """From ``state`` to ``sentence``: what the last tapes show."""
    read = chart_state(series.tables[start:], found)
    if read.since is None or read.table is None:
        return (read.state, *[None] * 6, read.moved, "", "Within its limits.")
    since, *proposed = (ratings.tapes[series.tapes[start + place]] for place in (read.since, *read.proposed))
    first, last = read.window
    if read.pair is None:
        sentence = noise_sentence(head[0], head[2], float(found.mean[last]), found.center, last + 1 - first)
        return (read.state, since, *[None] * 5, read.moved, "|".join(proposed), sentence)
    names = (level.values[read.pair[0]], level.values[read.pair[1]])
    counts = (int(read.table[read.pair]), int(read.table[read.pair[1], read.pair[0]]))
    code, ratio = _ratio(read.table, read.pair, level)
    labels = ratings.scheme.labels
    sentence = drift_sentence(head[0], head[2], names, counts, (code, ratio), labels, last + 1 - first)
    return (read.state, since, *names, *counts, ratio, read.moved, "|".join(proposed), sentence)


def _ratio(table: NDArray[np.float64], pair: tuple[int, int], level: Level) -> tuple[str, float | None]:
    """The code that gained (the one that lost, if none gained), and how many times as often the coder gives it."""
    place = pair[1] if level.values[pair[1]] != NOT_CODED else pair[0]
    by_reference, by_coder = float(table[place].sum()), float(table[:, place].sum())
    return level.values[place], by_coder / by_reference if by_reference else None


def _points(
    ratings: RatingMatrix,
    series: _Series,
    found: ControlChart | None,
    segment: int,
    start: int,
    end: int,
    head: tuple[str, str, str, str],
) -> Iterator[tuple[object, ...]]:
    shifted = {shift.last for shift in found.shifts} if found else set()
    for order, place in enumerate(range(start, end)):
        table = series.tables[place]
        lines: tuple[object, ...] = (None, None, None, True, False, False)
        if found:
            limit = None if np.isnan(found.limit[order]) else float(found.limit[order])
            watched = (order < CALIBRATION_TAPES, order in found.alarms, order in shifted)
            lines = (float(found.mean[order]), found.center, limit, *watched)
        tape, units = ratings.tapes[series.tapes[place]], float(table.sum())
        yield (
            *(*head, segment, order + 1, tape, int(series.times[place])),
            *(int(units), float(np.trace(table)) / units, *lines),
        )


def _tapes(number: int) -> str:
    return "1 tape" if number == 1 else f"{number} tapes"
